/*
 * sink_kafka: the epochs as records in Kafka topics. What its files share; nobody else includes
 * this.
 *
 * A sink that always follows. One transaction carries one or more whole epochs: a JSON record a
 * row, keyed by the transaction_id, and the cursor: the committed offset of a group that nobody
 * joins, for partition 0 of the payments' topic. The offset is the epoch, the text beside it says
 * which history it is of. So the cursor stands with what it speaks of: who deletes the topic
 * deletes both.
 *
 * Kafka fences by the producer's epoch, not by what stands there. So every owner claims the cursor
 * before it delivers: it writes its own random number beside it, the same for all its clients. What
 * looks like a fence or has an unknown end is settled by looking: a cursor that another has claimed
 * means another owner; one that is still ours is read again by a new transactor, after its fence,
 * and says what has happened. docs/kafka_sink.md describes topics and records for people.
 */
#ifndef SINK_SINK_KAFKA_H
#define SINK_SINK_KAFKA_H

#include "base/instant.h"
#include "base/siphash.h"
#include "os/kafka_transact.h"
#include "sink/shape.h"

#define KAFKA_BEAT_NS INT64_C(86400000000000) /* A cursor not written for 7 days is forgotten. */

enum { KAFKA_GROUP_SIZE = 16 + PIPELINE_NAME_MAX + SINK_NAME_MAX };

/* What the text beside the cursor says. */
struct kafka_mark {
    uint64_t owner;      /* Of the process that wrote it. */
    uint64_t journal_id; /* 0: in the middle of a refill. */
    uint64_t begun_by;
    uint64_t epoch;
    struct chain chain;
    uint64_t seq_next[TABLE_COUNT];
};

enum { WINDOW_KEY_SIZE = INSTANT_TEXT_SIZE + 1 + CURRENCY_SIZE + 1 + GROUP_TEXT_MAX };

/* The newest version of a window among what is delivered. */
struct kafka_window {
    uint64_t seq;
    size_t key_size; /* 0: free. */
    char key[WINDOW_KEY_SIZE];
};

/* A table with open addressing, at most half full. */
struct kafka_windows {
    struct kafka_window *at;
    size_t capacity; /* A power of two; 0: not made yet. */
    size_t count;
    struct siphash_key hash_key; /* Random: regions are chosen by outsiders. */
};

enum { KAFKA_KEY_SIZE = 72, KAFKA_SHOWN_MAX = 16, KAFKA_SHOWN_SIZE = 256 };

/* What stands before a column's value: ,"name": */
struct kafka_key {
    uint8_t size;
    char text[KAFKA_KEY_SIZE];
};

/* A source of the delivery, as it is shown under a column's name. */
struct kafka_shown {
    size_t size; /* 0: nothing yet. */
    int64_t source;
    const char *name;
    char text[KAFKA_SHOWN_SIZE];
};

struct kafka_sink {
    struct sink sink; /* First, so that a struct sink * is also one of these. */
    char group[KAFKA_GROUP_SIZE];
    struct kafka_transactor *transactor; /* NULL: to be opened anew. */
    bool taken;                          /* We are the writer; before that it is only looked at. */
    bool fenced;                         /* This transactor has shut out all before it, */
    bool current;                        /* and the cursor was read since. */
    bool claimed;                        /* The cursor has its owner's number. */
    bool shut_out;                       /* Another owner was seen: we never write again. */
    bool known;                          /* A cursor stands there, as mark says. */
    struct kafka_mark mark;
    int64_t beat_ns;         /* When the cursor was last written. */
    int64_t whole_ns;        /* When it was last asked whether all payments are there; 0: never. */
    uint64_t payments_ended; /* Before the last transaction. */
    uint32_t topics[TABLE_COUNT];
    struct shape shapes[TABLE_METRICS];
    struct kafka_key keys[TABLE_METRICS][SHAPE_COLUMNS_MAX];
    uint64_t seq_next[TABLE_COUNT]; /* While rows are being handed over. */
    const struct delivery *delivery;
    const struct epoch *epoch;
    struct kafka_shown shown[KAFKA_SHOWN_MAX]; /* By number, as far as they do not meet. */
    char *text;                                /* A record's value is drawn here. */
    size_t text_size;
    struct kafka_windows windows;
};

static inline struct kafka_sink *kafka_of(struct sink *sink)
{
    return (struct kafka_sink *)sink;
}

/* sink_kafka_mark.c: the text. "payonce1 owner=... journal=... begun=... epoch=..." */
void mark_write(const struct kafka_mark *mark, char ret_text[KAFKA_CURSOR_TEXT_SIZE]);
/* False: not exactly such a text. */
bool mark_read(const char *text, struct kafka_mark *ret_mark);

/* sink_kafka_value.c: a row of kafka->epoch as a record's value. */

/* Once for each table but TABLE_METRICS: its columns, by the settings. */
void value_prepare(struct kafka_sink *kafka, enum table table);
/* The rows that come next are of this one. */
void values_begin(struct kafka_sink *kafka, const struct delivery *delivery);

/* BROKEN: the row does not fit its table, or no memory. The value is lent until the next call. */
MUST_USE enum outcome value_of_row(struct kafka_sink *kafka, const struct row *row,
                                   struct span *ret_value, struct fault *ret_fault);
MUST_USE enum outcome value_of_window(struct kafka_sink *kafka, const struct row *row,
                                      struct span *ret_value, struct fault *ret_fault);

/* sink_kafka_window.c: which version of a window is the newest. */

/* "2026-01-01T00:00:00.000Z USD EU". The size; 0: not such a window. */
size_t window_key(const struct row *row, char ret_key[WINDOW_KEY_SIZE]);
void windows_clear(struct kafka_windows *windows);
/* False: no memory. */
MUST_USE bool windows_note(struct kafka_windows *windows, const char *key, size_t size,
                           uint64_t seq);
uint64_t windows_newest(const struct kafka_windows *windows, const char *key, size_t size);

/* sink_kafka_rows.c: the rows of a delivery, handed to the transactor. */
MUST_USE enum outcome rows_write(struct kafka_sink *kafka, const struct delivery *delivery,
                                 struct fault *ret_fault);

/* sink_kafka_open.c: the transactor, and where the cursor stands. */

/*
 * There is a transactor that has shut out all before it, and known and mark say where the cursor
 * stands. Not taken yet: as it stands, nobody is shut out. LATER: out of reach. BROKEN: another
 * owner was here (FAULT_FENCED), or what stands there is not ours.
 */
MUST_USE enum outcome kafka_sink_ready(struct kafka_sink *kafka, struct fault *ret_fault);
/* Has another owner been here since, or has somebody moved the cursor? */
MUST_USE enum outcome kafka_sink_look(struct kafka_sink *kafka, struct fault *ret_fault);
/*
 * BROKEN with FAULT_SINK_CURSOR_LOST: there are records in our topics. REFUSED: one is gone
 * (FAULT_KAFKA_TOPIC), or may not be looked at (FAULT_KAFKA_NOT_ALLOWED).
 */
MUST_USE enum outcome kafka_sink_check_empty(struct kafka_sink *kafka, struct fault *ret_fault);
void kafka_sink_let_go(struct kafka_sink *kafka);

/*
 * sink_kafka_whole.c: from time to time, and at first. The transactor is ready. BROKEN with
 * FAULT_SINK_DAMAGED: the topic holds fewer payments than the cursor says.
 */
MUST_USE enum outcome kafka_sink_check_whole(struct kafka_sink *kafka, struct fault *ret_fault);

/* sink_kafka.c */

/*
 * End the transaction that is open, and with it move the cursor to here. LATER: it was not
 * applied, or it is not known whether; kafka_sink_ready finds out.
 */
MUST_USE enum outcome kafka_sink_end(struct kafka_sink *kafka, const struct kafka_mark *mark,
                                     struct fault *ret_fault);

#endif
