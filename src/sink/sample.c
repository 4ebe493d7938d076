#include "sink/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sample_init(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    sample->journal_id = 4711;
    sample->source_count = SAMPLE_SOURCES;
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        sample->seq_next[table] = 1;
    }
    for (size_t source = 0; source < SAMPLE_SOURCES; source++) {
        (void)snprintf(sample->origins[source].topic, sizeof(sample->origins[source].topic),
                       "input-%zu.jsonl", source);
        sample->starts[source] = 1;
        sample->next[source] = 1;
        sample->newest_ms[source] = INT64_MIN;
    }
    rules_default(&sample->rules);
}

void sample_settings(struct sink_settings *settings, const char *path)
{
    static const char *const names[SAMPLE_CARRY] = {"region", "payment_method", "status",
                                                    "device_id", "ip_address"};

    memset(settings, 0, sizeof(*settings));
    (void)snprintf(settings->name, sizeof(settings->name), "local");
    (void)snprintf(settings->pipeline, sizeof(settings->pipeline), "payments");
    (void)snprintf(settings->path, sizeof(settings->path), "%s", path);
    settings->carry_count = SAMPLE_CARRY;
    for (size_t index = 0; index < SAMPLE_CARRY; index++) {
        (void)snprintf(settings->carry[index], sizeof(settings->carry[index]), "%s", names[index]);
    }
    settings->part_rows = 500000;
    settings->busy_timeout_ms = 20;
}

static void buffer_init(struct epoch_bytes *bytes, size_t capacity)
{
    bytes->at = malloc(capacity);
    must(bytes->at != NULL);
    bytes->size = 0;
    bytes->capacity = capacity;
}

void sample_epoch_init(struct sample_epoch *epoch, size_t row_count)
{
    memset(epoch, 0, sizeof(*epoch));
    buffer_init(&epoch->epoch.decisions, 64 * row_count + (size_t)DECISION_SIZE_MAX * 4);
    buffer_init(&epoch->epoch.rows, 512 * row_count + (size_t)ROW_SIZE_MAX);
    epoch->epoch.ranges = epoch->ranges;
    epoch->epoch.totals = epoch->totals;
}

void sample_epoch_free(struct sample_epoch *epoch)
{
    free(epoch->epoch.decisions.at);
    free(epoch->epoch.rows.at);
}

void sample_begin(struct sample *sample, struct sample_epoch *epoch)
{
    epoch_clear(&epoch->epoch);
    epoch->epoch.number = ++sample->number;
    epoch->epoch.journal_id = sample->journal_id;
    epoch->epoch.prev_chain = sample->chain;
    epoch->epoch.decided_ms = SAMPLE_START_MS + (int64_t)sample->number * 10;
    epoch->epoch.sealed_ms = epoch->epoch.decided_ms + 5;
    epoch->epoch.watermark_ms = SAMPLE_START_MS - 1000;
    epoch->epoch.seed_epoch = 1;
    for (uint32_t source = 0; source < sample->source_count; source++) {
        epoch->ranges[source] = (struct epoch_range){.source = source,
                                                     .first = sample->next[source],
                                                     .next = sample->next[source],
                                                     .newest_ms = sample->newest_ms[source]};
    }
}

static void count(struct sample *sample, size_t source, uint8_t tally, struct money amount)
{
    size_t index = 0;

    while (index < sample->total_count &&
           (sample->totals[index].source != source || sample->totals[index].tally != tally)) {
        index++;
    }
    struct epoch_total *total = &sample->totals[index];
    if (index == sample->total_count) {
        must(sample->total_count < SAMPLE_TOTALS);
        sample->total_count++;
        *total = (struct epoch_total){.source = (uint32_t)source, .tally = tally};
        memcpy(total->currency, amount.units == 0 ? "\0\0\0" : "USD", 3);
    }
    __extension__ unsigned __int128 wide =
        (unsigned __int128)total->sum_high << 64 | total->sum_low;
    struct money_sum sum = {(money_wide)wide};
    must(amount.units == 0 || money_add(&sum, amount));
    total->count++;
    total->sum_low = (uint64_t)sum.billionths;
    total->sum_high = (uint64_t)(sum.billionths >> 64);
}

static struct span text_of(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

static uint64_t take(struct sample *sample, struct sample_epoch *epoch, size_t source,
                     int64_t *ret_event_ms)
{
    uint64_t offset = sample->next[source]++;

    *ret_event_ms = SAMPLE_START_MS + (int64_t)offset;
    sample->newest_ms[source] = *ret_event_ms;
    epoch->ranges[source].next = sample->next[source];
    epoch->ranges[source].newest_ms = *ret_event_ms;
    epoch->epoch.message_count++;
    return offset;
}

void sample_accept(struct sample *sample, struct sample_epoch *epoch, size_t source,
                   const char *transaction_id, const char *amount)
{
    struct row row = {.table = TABLE_TRANSACTIONS,
                      .number_count = TRANSACTION_NUMBERS,
                      .text_count = TRANSACTION_CARRY + SAMPLE_CARRY};
    struct money money;
    int64_t event_ms;
    uint64_t offset = take(sample, epoch, source, &event_ms);

    must(money_read(text_of(amount), &money));
    row.numbers[TRANSACTION_SEQ] = (int64_t)sample->seq_next[TABLE_TRANSACTIONS]++;
    row.numbers[TRANSACTION_SOURCE] = (int64_t)source;
    row.numbers[TRANSACTION_OFFSET] = (int64_t)offset;
    row.numbers[TRANSACTION_EVENT_MS] = event_ms;
    row.numbers[TRANSACTION_UNITS] = money.units;
    row.numbers[TRANSACTION_SCALE] = money.scale;
    row.numbers[TRANSACTION_FRAUD_SCORE] = (int64_t)(offset % 100);
    row.numbers[TRANSACTION_HIGH_RISK] = offset % 100 > 60;
    row.numbers[TRANSACTION_VELOCITY_60S] = (int64_t)(offset % 7);
    row.numbers[TRANSACTION_COUNT_5M] = (int64_t)(offset % 13);
    row.numbers[TRANSACTION_ARRIVAL_MS] = event_ms + 3;
    row.texts[TRANSACTION_ID] = text_of(transaction_id);
    row.texts[TRANSACTION_SENDER] = text_of("ACC_0001234567");
    row.texts[TRANSACTION_RECEIVER] = text_of("ACC_0007654321");
    row.texts[TRANSACTION_AMOUNT] = text_of(amount);
    row.texts[TRANSACTION_CURRENCY] = text_of("USD");
    row.texts[TRANSACTION_CARRY] = text_of("EU");
    row.texts[TRANSACTION_CARRY + 1] = text_of("card");
    row.texts[TRANSACTION_CARRY + 2] = text_of(""); /* Empty is not absent. */
    row.texts[TRANSACTION_CARRY + 3] = text_of("device-4711");
    epoch_add_row(&epoch->epoch, &row);
    count(sample, source, ACCEPTED, money);
    if (event_ms > epoch->epoch.newest_accepted_ms) {
        epoch->epoch.newest_accepted_ms = event_ms;
    }
}

void sample_repeat(struct sample *sample, struct sample_epoch *epoch, size_t source,
                   const char *transaction_id, uint64_t first_offset)
{
    struct row row = {.table = TABLE_DUPLICATES,
                      .number_count = DUPLICATE_NUMBERS,
                      .text_count = DUPLICATE_TEXTS};
    int64_t event_ms;
    uint64_t offset = take(sample, epoch, source, &event_ms);

    row.numbers[DUPLICATE_SEQ] = (int64_t)sample->seq_next[TABLE_DUPLICATES]++;
    row.numbers[DUPLICATE_SOURCE] = (int64_t)source;
    row.numbers[DUPLICATE_OFFSET] = (int64_t)offset;
    row.numbers[DUPLICATE_EVENT_MS] = event_ms;
    row.numbers[DUPLICATE_FIRST_SOURCE] = 0;
    row.numbers[DUPLICATE_FIRST_OFFSET] = (int64_t)first_offset;
    row.numbers[DUPLICATE_FIRST_EVENT_MS] = SAMPLE_START_MS + (int64_t)first_offset;
    row.numbers[DUPLICATE_EARLIER] = 0;
    row.numbers[DUPLICATE_UNITS] = 100;
    row.numbers[DUPLICATE_SCALE] = 2;
    row.numbers[DUPLICATE_ARRIVAL_MS] = event_ms + 3;
    row.texts[DUPLICATE_ID] = text_of(transaction_id);
    row.texts[DUPLICATE_AMOUNT] = text_of("1.00");
    row.texts[DUPLICATE_CURRENCY] = text_of("USD");
    epoch_add_row(&epoch->epoch, &row);
    count(sample, source, DUPLICATE, (struct money){100, 2});
}

void sample_set_aside(struct sample *sample, struct sample_epoch *epoch, size_t source,
                      enum verdict verdict, const char *excerpt)
{
    struct row row = {.table = TABLE_DEAD_LETTERS,
                      .number_count = DEAD_NUMBERS,
                      .text_count = DEAD_CARRY + SAMPLE_CARRY};
    int64_t event_ms;
    uint64_t offset = take(sample, epoch, source, &event_ms);

    for (size_t index = 0; index < DEAD_NUMBERS; index++) {
        row.numbers[index] = NUMBER_NULL;
    }
    row.numbers[DEAD_SEQ] = (int64_t)sample->seq_next[TABLE_DEAD_LETTERS]++;
    row.numbers[DEAD_SOURCE] = (int64_t)source;
    row.numbers[DEAD_OFFSET] = (int64_t)offset;
    row.numbers[DEAD_VERDICT] = verdict;
    row.numbers[DEAD_SIZE] = (int64_t)strlen(excerpt);
    row.numbers[DEAD_ARRIVAL_MS] = event_ms + 3;
    row.texts[DEAD_REASON] = text_of(verdict == INVALID ? "P120" : "P201");
    row.texts[DEAD_SENTENCE] = text_of("set aside");
    row.texts[DEAD_EXCERPT] = text_of(excerpt);
    epoch_add_row(&epoch->epoch, &row);
    count(sample, source, (uint8_t)verdict, (struct money){0, 0});
}

void sample_metric(struct sample *sample, struct sample_epoch *epoch, int64_t start_ms,
                   const char *region, int64_t payments, int64_t total_cents)
{
    struct row row = {
        .table = TABLE_METRICS, .number_count = METRIC_NUMBERS, .text_count = METRIC_TEXTS};

    row.numbers[METRIC_SEQ] = (int64_t)sample->seq_next[TABLE_METRICS]++;
    row.numbers[METRIC_START_MS] = start_ms;
    row.numbers[METRIC_COUNT] = payments;
    row.numbers[METRIC_TOTAL_LOW] = total_cents * 10000000;
    row.numbers[METRIC_TOTAL_HIGH] = 0;
    row.numbers[METRIC_PLACES] = 2;
    row.numbers[METRIC_MIN_UNITS] = 1;
    row.numbers[METRIC_MIN_SCALE] = 2;
    row.numbers[METRIC_MAX_UNITS] = total_cents;
    row.numbers[METRIC_MAX_SCALE] = 2;
    row.texts[METRIC_REGION] = text_of(region);
    row.texts[METRIC_CURRENCY] = text_of("USD");
    epoch_add_row(&epoch->epoch, &row);
}

void sample_end(struct sample *sample, struct sample_epoch *epoch)
{
    size_t kept = 0;

    for (size_t source = 0; source < sample->source_count; source++) {
        if (epoch->ranges[source].next != epoch->ranges[source].first || sample->number == 1) {
            epoch->ranges[kept++] = epoch->ranges[source];
        }
    }
    epoch->epoch.range_count = kept;
    memcpy(epoch->totals, sample->totals, sample->total_count * sizeof(sample->totals[0]));
    epoch->epoch.total_count = sample->total_count;
    memcpy(epoch->epoch.seq_next, sample->seq_next, sizeof(sample->seq_next));
    memcpy(sample->chain.bytes, &sample->number, sizeof(sample->number));
    sample->chain.bytes[8] = sample->future;
    sample->chain.bytes[15] = 1;
    epoch->epoch.chain = sample->chain;
}

void sample_fill(struct sample *sample, struct sample_epoch *epoch, size_t messages)
{
    sample_begin(sample, epoch);
    for (size_t index = 0; index < messages; index++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "t%llu", (unsigned long long)sample->next[0]);
        sample_accept(sample, epoch, 0, id, "1.00");
    }
    sample_end(sample, epoch);
}

enum outcome sample_deliver(struct sample *sample, struct sink *sink,
                            const struct epoch *const *epochs, size_t epoch_count,
                            struct fault *ret_fault)
{
    struct delivery delivery = {.epochs = epochs,
                                .epoch_count = epoch_count,
                                .origins = sample->origins,
                                .starts = sample->starts,
                                .source_count = sample->source_count,
                                .rules = &sample->rules};

    return sink_deliver(sink, &delivery, ret_fault);
}
