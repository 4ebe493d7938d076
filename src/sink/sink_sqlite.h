/*
 * sink_sqlite: the epochs in one SQLite file. What its files share; nobody else includes this.
 *
 * The big tables are written in parts by seq (payment_transactions_000001 ...): a plain index on
 * a random id would slow every insert, so a part gets its index in one bulk build when it is
 * full. People read views over all parts. docs/tables.md is the description for people.
 *
 * One pipeline in a file. The connection is used by one thread at a time.
 */
#ifndef SINK_SINK_SQLITE_H
#define SINK_SINK_SQLITE_H

#include "sink/shape.h"

#include <sqlite3.h>

enum {
    SQLITE_TEXT_SIZE = 1 << 18, /* The longest: the ranges of an epoch with SOURCES_MAX of them. */
    SQLITE_GROUP_PARTS = 100,   /* Parts in one view; SQLite takes at most 500 terms. */
    SQLITE_PART_NAME = 64,
    SQLITE_BATCH_ROWS = 32, /* Rows in one INSERT. */
    SQLITE_PAGE_SIZE = 16384,
    SQLITE_CACHE_KIB = 16384, /* A transaction's pages, mostly; each is touched once. */
    SQLITE_SORT_KIB = 256,    /* The cache while an index is built. */
    SQLITE_WAL_PAGES = 1024,  /* 16 MiB: then the log is carried into the file. */
    SQLITE_TIDY_PAGES = 256,  /* 4 MiB: the same when nothing else is to do. */
    SQLITE_BULK_ROWS = 100,   /* So many at once do not keep a random index: a page a row. */
    SQLITE_PATIENCE = 100,    /* Tended so often without so many: the open part gets its own. */
    SQLITE_SOURCE_UNKNOWN = UINT16_MAX,
    SQLITE_APPLICATION_ID = 0x70617931, /* "pay1" */
};

/* One big table. */
struct part_list {
    struct shape shape; /* The view's columns, in its order. */
    size_t kept_count;
    struct column kept[SHAPE_COLUMNS_MAX]; /* The parts' own of them; seq is the last. */
    uint64_t first; /* Numbers of its parts, [first, last]; last is the open one. 0: none. */
    uint64_t last;
    uint64_t indexed; /* All parts up to this one have their index. */
    uint64_t next_seq;
    uint64_t insert_part;      /* The part these two write to; 0: none. */
    sqlite3_stmt *insert_many; /* Without seq: SQLite gives the next one, and faster. */
    sqlite3_stmt *insert_one;
    int64_t bound[SQLITE_BATCH_ROWS][SHAPE_COLUMNS_MAX]; /* The numbers insert_many has. */
};

/* A statement that is read forward, one row a call. */
struct listing {
    sqlite3_stmt *statement;
    uint64_t next; /* What the next row answers: an index or, of rows, a seq. */
    uint64_t part; /* Of rows. */
};

/* The fixed statements, prepared when first needed. */
enum sqlite_statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_DATA_VERSION,
    STATEMENT_CHAIN,
    STATEMENT_CURSOR_ADD,
    STATEMENT_CURSOR,
    STATEMENT_TOTAL,
    STATEMENT_EPOCH,
    STATEMENT_DECISION,
    STATEMENT_READ_DECISION,
    STATEMENT_RULES,
    STATEMENT_READ_RULES,
    STATEMENT_METRIC,
    STATEMENT_RECORDED,
    STATEMENT_FIND_CHAIN,
    STATEMENT_HEAD,
    STATEMENT_READ_CURSOR,
    STATEMENT_DECIDED,
    STATEMENT_COUNT,
};

/* A row that waits for the others of its INSERT. */
struct waiting_row {
    struct row row;
    uint64_t epoch;
};

struct sql_text {
    size_t size;
    char at[SQLITE_TEXT_SIZE];
};

struct sqlite_sink {
    struct sink sink; /* First, so that a struct sink * is also one of these. */
    sqlite3 *database;
    uint64_t device; /* Of the open file. */
    uint64_t inode;
    bool known;        /* The pipeline's row was there when we last looked, */
    bool stale;        /* and what we remember may not be true any more. */
    int64_t version;   /* SQLite's data_version then. */
    int64_t part_rows; /* The file's. */
    uint64_t epoch;    /* Where it stood when we last looked or delivered. */
    uint64_t carried;  /* Up to here all has been carried from the log into the file. */
    bool healthy;      /* The last delivery succeeded, and nothing failed since. */
    int tended;        /* How often since many rows came. */
    int wal_pages;     /* In the write-ahead log, */
    int wal_carried;   /* of which so many had been carried into the file. */
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct part_list parts[TABLE_METRICS]; /* By table; metrics have none. */
    uint64_t metrics_next;
    struct waiting_row waiting[TABLE_METRICS][SQLITE_BATCH_ROWS];
    size_t waiting_count[TABLE_METRICS];
    bool refilling; /* What is being delivered comes from the ledger's rows. */

    size_t source_count;
    struct origin sources[SOURCES_MAX];            /* As payonce_cursor has them, by number. */
    uint64_t nexts[SOURCES_MAX];                   /* Their cursors, when we last looked. */
    uint16_t numbers[SOURCES_MAX];                 /* Our number for a number of the delivery. */
    size_t numbers_count;                          /* Of the delivery's sources. */
    const struct epoch_range *ranges[SOURCES_MAX]; /* The last of each source; by delivery's. */
    uint32_t duplicates[SOURCES_MAX];              /* In the epoch being written. */

    struct listing totals;
    struct listing history; /* Epochs, with the ranges of the one read last. */
    struct epoch_range history_ranges[SOURCES_MAX];
    size_t history_range_count;
    struct listing rows[TABLE_COUNT];
    uint64_t decided_epoch; /* decided_ms belongs to it. */
    int64_t decided_ms;
    sqlite3_stmt *found; /* What find_payment looks with; its texts are lent from text. */
    struct sql_text text;
};

_Static_assert(TABLE_METRICS == 3, "the tables in parts come first");

static inline struct sqlite_sink *sqlite_of(struct sink *sink)
{
    return (struct sqlite_sink *)sink;
}

/* sink_sqlite_call.c: the database asked, and what its answers mean. */

/* What holds for all connections; before the first of them is opened. */
void sqlite_settle(void);

/* Its last error as outcome and sentence, and the transaction, if there is one, undone. */
enum outcome sqlite_failed(struct sqlite_sink *sqlite, const char *doing, struct fault *ret_fault);
enum outcome sqlite_undo(struct sqlite_sink *sqlite, enum outcome outcome);
MUST_USE enum outcome sqlite_run(struct sqlite_sink *sqlite, const char *sql, const char *doing,
                                 struct fault *ret_fault);
MUST_USE enum outcome sqlite_prepare(struct sqlite_sink *sqlite, const char *sql,
                                     sqlite3_stmt **ret_statement, struct fault *ret_fault);

/* A fixed statement, reset. */
MUST_USE enum outcome sqlite_statement(struct sqlite_sink *sqlite, enum sqlite_statement which,
                                       sqlite3_stmt **ret_statement, struct fault *ret_fault);

/* DONE: ret_row says whether a row stands there; without one it is reset. */
MUST_USE enum outcome sqlite_step(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                                  const char *doing, bool *ret_row, struct fault *ret_fault);

/* By a fixed statement with one number: DONE: a row stands there, to be reset. LATER: none. */
MUST_USE enum outcome sqlite_ask(struct sqlite_sink *sqlite, enum sqlite_statement which,
                                 int64_t number, const char *doing, sqlite3_stmt **ret_statement,
                                 struct fault *ret_fault);

/* A statement that changes exactly one row, or something is wrong with the file. */
MUST_USE enum outcome sqlite_change_one(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                                        const char *doing, struct fault *ret_fault);

/* The number a query of one row and one column answers; no row: 0. */
MUST_USE enum outcome sqlite_number(struct sqlite_sink *sqlite, const char *sql,
                                    int64_t *ret_number, struct fault *ret_fault);

/* A time or number that may be missing. */
void sqlite_bind_number(sqlite3_stmt *statement, int place, int64_t number);
void sqlite_bind_span(sqlite3_stmt *statement, int place, struct span text);
int64_t sqlite_column_number(sqlite3_stmt *statement, int place);
struct span sqlite_column_span(sqlite3_stmt *statement, int place);
bool sqlite_column_chain(sqlite3_stmt *statement, int place, struct chain *ret_chain);

/* The text is ours to build SQL in: names come from us or were checked, never from a message. */
const char *sql_start(struct sql_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *sql_add(struct sql_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* sink_sqlite_column.c: what the big tables look like. */

/* Fixed columns and the carried ones. REFUSED: a carried name that cannot be a column. */
MUST_USE enum outcome columns_fill(struct sqlite_sink *sqlite, struct fault *ret_fault);
void columns_add_ddl(const struct part_list *parts, struct sql_text *text);
void columns_add_names(const struct part_list *parts, size_t count, struct sql_text *text);
void columns_add_view(const struct part_list *parts, struct sql_text *text);
/*
 * The first `count` kept columns, at this place and those behind it. bound: the numbers that the
 * statement has there already, so that only others need be bound; NULL: nothing is known.
 */
MUST_USE enum outcome columns_bind(struct sqlite_sink *sqlite, sqlite3_stmt *statement, int place,
                                   size_t count, int64_t *bound, const struct waiting_row *waiting,
                                   struct fault *ret_fault);
MUST_USE enum outcome columns_read(struct sqlite_sink *sqlite, enum table table,
                                   sqlite3_stmt *statement, struct row *ret_row,
                                   uint64_t *ret_epoch, struct fault *ret_fault);

/* sink_sqlite_part.c: parts, their indexes, the views over them. */
uint64_t part_of(const struct sqlite_sink *sqlite, uint64_t seq);
void part_name(enum table table, uint64_t part, char ret_name[SQLITE_PART_NAME]);
MUST_USE enum outcome parts_load(struct sqlite_sink *sqlite, enum table table,
                                 struct fault *ret_fault);
MUST_USE enum outcome parts_add(struct sqlite_sink *sqlite, enum table table,
                                struct fault *ret_fault);
MUST_USE enum outcome parts_drop_all(struct sqlite_sink *sqlite, struct fault *ret_fault);

/* Index the oldest part without one; the open one only if `also_open`. LATER: none to do. */
MUST_USE enum outcome parts_index(struct sqlite_sink *sqlite, enum table table, bool also_open,
                                  struct fault *ret_fault);
/* The open part's index goes: many rows are coming. */
MUST_USE enum outcome parts_unindex(struct sqlite_sink *sqlite, enum table table,
                                    struct fault *ret_fault);
void parts_release(struct part_list *parts);

/* sink_sqlite_insert.c: rows on their way into the parts. */
MUST_USE enum outcome insert_rows(struct sqlite_sink *sqlite, const struct epoch *epoch,
                                  struct fault *ret_fault);
MUST_USE enum outcome insert_waiting(struct sqlite_sink *sqlite, struct fault *ret_fault);
void insert_forget(struct sqlite_sink *sqlite);

/* sink_sqlite_metric.c: payment_metrics, one row a window. */
MUST_USE enum outcome metric_write(struct sqlite_sink *sqlite, const struct row *row,
                                   const struct epoch *epoch, struct fault *ret_fault);
MUST_USE enum outcome metric_read(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                                  struct row *ret_row, uint64_t *ret_epoch,
                                  struct fault *ret_fault);

/* sink_sqlite_schema.c: the tables that are not in parts. */
MUST_USE enum outcome schema_create(struct sqlite_sink *sqlite, struct fault *ret_fault);
MUST_USE enum outcome schema_check(struct sqlite_sink *sqlite, bool *ret_empty,
                                   struct fault *ret_fault);
extern const char schema_tables[];
extern const char schema_metrics[];

/*
 * sink_sqlite_log.c. SQLite plays the log that stands beside a file into it, also into an older
 * copy that was put in its place; what had been carried into the file that was there is then
 * missing. So each delivery writes up to where the file alone, without the log, must stand
 * (carried); one that stands before that is not the log's. BROKEN, and nothing was changed.
 */
MUST_USE enum outcome log_check(struct sqlite_sink *sqlite, struct fault *ret_fault);

/* sink_sqlite_views.c: the views for people. */
struct view {
    const char *name; /* NULL: the list ends here. */
    const char *select;
};

extern const struct view schema_views_cursors[];
extern const struct view schema_views[];
MUST_USE enum outcome schema_create_views(struct sqlite_sink *sqlite, const struct view *views,
                                          struct fault *ret_fault);

/* sink_sqlite_open.c: the file, opened and looked over. */
enum outcome sqlite_open(struct sink *sink, struct fault *ret_fault);
void sqlite_close(struct sink *sink);
enum outcome sqlite_audit(struct sink *sink, struct fault *ret_fault);

/* What we remember of the file, read again if somebody else has written since. */
MUST_USE enum outcome sqlite_refresh(struct sqlite_sink *sqlite, struct fault *ret_fault);

/* sink_sqlite.c: what is done beside delivering. */
void sqlite_finish_indexes(struct sqlite_sink *sqlite);
void sqlite_keep_house(struct sqlite_sink *sqlite);
/* Carry the log into the file; what readers still need stays in it. */
MUST_USE enum outcome sqlite_carry(struct sqlite_sink *sqlite, struct fault *ret_fault);

/* sink_sqlite_deliver.c: rule R1. */
enum outcome sqlite_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                          struct fault *ret_fault);
enum outcome sqlite_deliver(struct sink *sink, const struct delivery *delivery,
                            struct fault *ret_fault);
/* Does it hold payments that no row of our pipeline accounts for? */
MUST_USE enum outcome sqlite_others(struct sqlite_sink *sqlite, bool *ret_others,
                                    struct fault *ret_fault);

/* sink_sqlite_epoch.c: cursors, totals, epochs, within the transaction. */
MUST_USE enum outcome deliver_cursors(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                      struct fault *ret_fault);
MUST_USE enum outcome deliver_epoch(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                    const struct epoch *epoch, struct fault *ret_fault);
/* The end of a refill: every cursor and total. */
MUST_USE enum outcome deliver_standing(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                       struct fault *ret_fault);
MUST_USE enum outcome deliver_check_seq(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                        struct fault *ret_fault);

/* sink_sqlite_identify.c: what a file says of itself. */
enum outcome sqlite_identify(struct sink_settings *settings, struct fault *ret_fault);

/* sink_sqlite_read.c: what the file holds. */
enum outcome sqlite_read_head(struct sink *sink, struct sink_head *ret_head,
                              struct fault *ret_fault);
enum outcome sqlite_find_chain(struct sink *sink, const struct chain *chain, uint64_t *ret_epoch,
                               struct fault *ret_fault);
enum outcome sqlite_read_cursor(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                                struct fault *ret_fault);
enum outcome sqlite_read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                               struct fault *ret_fault);
enum outcome sqlite_read_epoch(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                               struct fault *ret_fault);
/* Open readings end, and with them the moment that a read_only sink holds on to. */
void sqlite_stop_reading(struct sqlite_sink *sqlite);
void sqlite_end_moment(struct sqlite_sink *sqlite);

/* sink_sqlite_decision.c: what operators decided, kept for ever. */
bool decision_is_kept(const struct decision *note);
MUST_USE enum outcome decision_keep(struct sqlite_sink *sqlite, uint64_t epoch,
                                    const struct decision *note, struct fault *ret_fault);
enum outcome sqlite_read_decision(struct sink *sink, uint64_t epoch, uint64_t after,
                                  struct sink_decision *ret_decision, struct fault *ret_fault);

/* sink_sqlite_rules.c: which epoch brought which rules. */
MUST_USE enum outcome rules_write(struct sqlite_sink *sqlite, uint64_t epoch,
                                  const struct decision *note, struct fault *ret_fault);
enum outcome sqlite_read_rules(struct sink *sink, uint64_t epoch, struct sink_rules *ret_rules,
                               struct fault *ret_fault);

/* sink_sqlite_row.c: rows. */
enum outcome sqlite_read_row(struct sink *sink, enum table table, uint64_t seq, struct row *ret_row,
                             uint64_t *ret_epoch, int64_t *ret_decided_ms, struct fault *ret_fault);

/* sink_sqlite_find.c: one payment, by id and place. */
enum outcome sqlite_find_payment(struct sink *sink, struct span transaction_id,
                                 const struct origin *origin, uint64_t offset, struct row *ret_row,
                                 struct fault *ret_fault);

#endif
