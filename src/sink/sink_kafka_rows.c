/*
 * The rows of a delivery. Of a window, only the newest version in it is sent. A record's time is
 * that of its sending: topics keep records by it, and what fills a sink from the beginning is old.
 */
#include "sink/sink_kafka.h"

#include <stdio.h>
#include <string.h>

static enum outcome strange(const struct kafka_sink *kafka, const struct row *row,
                            struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "epoch %llu: row %lld of %s is none that could follow on %llu",
                    (unsigned long long)kafka->epoch->number, (long long)row->numbers[0],
                    table_name(row->table), (unsigned long long)kafka->seq_next[row->table] - 1);
}

/* Rows follow on each other; a refill has only the newest version of each window. */
static bool follows(struct kafka_sink *kafka, const struct row *row)
{
    uint64_t seq = (uint64_t)row->numbers[0];
    uint64_t next = kafka->seq_next[row->table];
    bool jumps = row->table == TABLE_METRICS && kafka->delivery->refill;

    if (row->number_count == 0 || (jumps ? seq < next : seq != next)) {
        return false;
    }
    kafka->seq_next[row->table] = seq + 1;
    return true;
}

static enum outcome note_window(struct kafka_sink *kafka, const struct row *row,
                                struct fault *ret_fault)
{
    char key[WINDOW_KEY_SIZE];

    if (row->table != TABLE_METRICS) {
        return DONE;
    }
    size_t size = window_key(row, key);
    if (size == 0) {
        return strange(kafka, row, ret_fault);
    }
    return windows_note(&kafka->windows, key, size, (uint64_t)row->numbers[METRIC_SEQ])
               ? DONE
               : fault_is(ret_fault, BROKEN, FAULT_MEMORY,
                          "no memory for the windows of sink \"%s\"", kafka->sink.settings.name);
}

static enum outcome send_window(struct kafka_sink *kafka, const struct row *row,
                                struct fault *ret_fault)
{
    struct kafka_outgoing record = {.topic = kafka->topics[TABLE_METRICS]};
    char key[WINDOW_KEY_SIZE];
    size_t size = window_key(row, key);

    if (windows_newest(&kafka->windows, key, size) != (uint64_t)row->numbers[METRIC_SEQ]) {
        return DONE;
    }
    record.key = (struct span){key, size};
    enum outcome outcome = value_of_window(kafka, row, &record.value, ret_fault);
    if (outcome == DONE) {
        kafka_transactor_write(kafka->transactor, &record);
    }
    return outcome;
}

/* The names of Kafka Connect's, where it has them; for tools that read its dead letters. */
enum { DEAD_HEADERS = 8 };

struct dead_texts {
    char partition[16];
    char offset[24];
    char decided[INSTANT_TEXT_SIZE];
};

static struct span text_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

/* False: a source or verdict that is none. */
static bool dead_headers(const struct kafka_sink *kafka, const struct row *row,
                         struct dead_texts *texts, struct kafka_header ret_headers[DEAD_HEADERS])
{
    int64_t source = row->numbers[DEAD_SOURCE];
    int64_t verdict = row->numbers[DEAD_VERDICT];

    if (source < 0 || source >= (int64_t)kafka->delivery->source_count || verdict < 0 ||
        verdict >= VERDICT_COUNT) {
        return false;
    }
    const struct origin *origin = &kafka->delivery->origins[source];
    (void)snprintf(texts->partition, sizeof(texts->partition), "%u", origin->partition);
    (void)snprintf(texts->offset, sizeof(texts->offset), "%lld",
                   (long long)row->numbers[DEAD_OFFSET]);
    instant_write(kafka->epoch->decided_ms, texts->decided);
    const struct kafka_header headers[DEAD_HEADERS] = {
        {"__connect.errors.topic", text_of(origin->topic)},
        {"__connect.errors.partition", text_of(texts->partition)},
        {"__connect.errors.offset", text_of(texts->offset)},
        {"__connect.errors.stage", text_of(verdict == INVALID ? "parse" : "decide")},
        {"__connect.errors.exception.message", row->texts[DEAD_SENTENCE]},
        {"payonce.verdict", text_of(verdict_name((enum verdict)verdict))},
        {"payonce.reason", row->texts[DEAD_REASON]},
        {"payonce.decided_at", text_of(texts->decided)},
    };
    memcpy(ret_headers, headers, sizeof(headers));
    return true;
}

static enum outcome send_row(struct kafka_sink *kafka, const struct row *row,
                             struct fault *ret_fault)
{
    struct kafka_header headers[DEAD_HEADERS];
    struct dead_texts texts;
    struct kafka_outgoing record = {
        .topic = kafka->topics[row->table],
        .key = row->texts[kafka->shapes[row->table].key],
        .headers = headers,
    };
    enum outcome outcome = value_of_row(kafka, row, &record.value, ret_fault);

    if (outcome == DONE && row->table == TABLE_DEAD_LETTERS) {
        record.header_count = DEAD_HEADERS;
        if (!dead_headers(kafka, row, &texts, headers)) {
            return strange(kafka, row, ret_fault);
        }
    }
    if (outcome == DONE) {
        kafka_transactor_write(kafka->transactor, &record);
    }
    return outcome;
}

static enum outcome send(struct kafka_sink *kafka, const struct row *row, struct fault *ret_fault)
{
    if (!follows(kafka, row)) {
        return strange(kafka, row, ret_fault);
    }
    if (kafka->sink.settings.kafka->topics[row->table] == NULL) {
        return DONE;
    }
    return row->table == TABLE_METRICS ? send_window(kafka, row, ret_fault)
                                       : send_row(kafka, row, ret_fault);
}

static enum outcome each_row(struct kafka_sink *kafka,
                             enum outcome (*use)(struct kafka_sink *kafka, const struct row *row,
                                                 struct fault *ret_fault),
                             struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < kafka->delivery->epoch_count; index++) {
        kafka->epoch = kafka->delivery->epochs[index];
        struct span left = {kafka->epoch->rows.at, kafka->epoch->rows.size};
        struct row row;
        while (outcome == DONE && left.size > 0) {
            size_t size = row_read(left, &row);
            if (size == 0) {
                return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                                "epoch %llu has bytes that are no row",
                                (unsigned long long)kafka->epoch->number);
            }
            outcome = use(kafka, &row, ret_fault);
            left = (struct span){(const uint8_t *)left.at + size, left.size - size};
        }
    }
    return outcome;
}

enum outcome rows_write(struct kafka_sink *kafka, const struct delivery *delivery,
                        struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    values_begin(kafka, delivery);
    memcpy(kafka->seq_next, kafka->mark.seq_next, sizeof(kafka->seq_next));
    if (kafka->sink.settings.kafka->topics[TABLE_METRICS] != NULL) {
        windows_clear(&kafka->windows);
        outcome = each_row(kafka, note_window, ret_fault);
    }
    return outcome == DONE ? each_row(kafka, send, ret_fault) : outcome;
}
