#include "sink/sink.h"

#include <string.h>

extern const struct sink_type sink_kafka;
extern const struct sink_type sink_sqlite;

static const struct sink_type *const types[] = {
    &sink_sqlite,
    &sink_kafka,
};

const struct sink_type *sink_type_named(const char *name)
{
    for (size_t index = 0; index < sizeof(types) / sizeof(types[0]); index++) {
        if (strcmp(types[index]->name, name) == 0) {
            return types[index];
        }
    }
    return NULL;
}

enum outcome sink_open(struct sink *sink, const struct sink_type *type,
                       const struct sink_settings *settings, struct fault *ret_fault)
{
    must(settings->part_rows > 0);
    must(settings->carry_count <= PAYMENT_CARRY_MAX);

    sink->type = type;
    sink->settings = *settings;
    sink->transactions = 0;
    sink->rows = 0;
    return type->open(sink, ret_fault);
}

void sink_close(struct sink *sink)
{
    sink->type->close(sink);
}

enum outcome sink_read_head(struct sink *sink, struct sink_head *ret_head, struct fault *ret_fault)
{
    memset(ret_head, 0, sizeof(*ret_head));
    return sink->type->read_head(sink, ret_head, ret_fault);
}

enum outcome sink_take(struct sink *sink, struct fault *ret_fault)
{
    must(!sink->settings.read_only);

    return sink->type->take == NULL ? DONE : sink->type->take(sink, ret_fault);
}

enum outcome sink_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                        struct fault *ret_fault)
{
    must(!sink->settings.read_only);

    return sink->type->begin(sink, journal_id, rules, ret_fault);
}

/* What the epoch's numbers stand for must be known before anything is written. */
static enum outcome check_sources(const struct delivery *delivery, const struct epoch *epoch,
                                  struct fault *ret_fault)
{
    for (size_t index = 0; index < epoch->range_count; index++) {
        if (epoch->ranges[index].source >= delivery->source_count) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu has a range of source %u, but %zu sources are known",
                            (unsigned long long)epoch->number, epoch->ranges[index].source,
                            delivery->source_count);
        }
    }
    for (size_t index = 0; index < epoch->total_count; index++) {
        if (epoch->totals[index].source >= delivery->source_count) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu has a total of source %u, but %zu sources are known",
                            (unsigned long long)epoch->number, epoch->totals[index].source,
                            delivery->source_count);
        }
    }
    return DONE;
}

/* Each epoch begins where the one before it ended. */
static enum outcome check_delivery(const struct delivery *delivery, struct fault *ret_fault)
{
    const struct epoch *before = NULL;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < delivery->epoch_count; index++) {
        const struct epoch *epoch = delivery->epochs[index];
        must(epoch->kind == EPOCH_DECIDED);
        if (before != NULL && (epoch->number != before->number + 1 ||
                               !chain_same(&epoch->prev_chain, &before->chain))) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu does not follow on epoch %llu",
                            (unsigned long long)epoch->number, (unsigned long long)before->number);
        }
        outcome = check_sources(delivery, epoch, ret_fault);
        before = epoch;
    }
    return outcome;
}

enum outcome sink_deliver(struct sink *sink, const struct delivery *delivery,
                          struct fault *ret_fault)
{
    must(!sink->settings.read_only);
    must(delivery->epoch_count > 0);
    must(delivery->source_count <= SOURCES_MAX);

    enum outcome outcome = check_delivery(delivery, ret_fault);
    if (outcome == DONE && delivery->standing != NULL) {
        must(delivery->refill);
        outcome = check_sources(delivery, delivery->standing, ret_fault);
    }
    return outcome == DONE ? sink->type->deliver(sink, delivery, ret_fault) : outcome;
}

enum outcome sink_find_chain(struct sink *sink, const struct chain *chain, uint64_t *ret_epoch,
                             struct fault *ret_fault)
{
    return sink->type->find_chain(sink, chain, ret_epoch, ret_fault);
}

enum outcome sink_audit(struct sink *sink, struct fault *ret_fault)
{
    return sink->type->audit(sink, ret_fault);
}

enum outcome sink_read_cursor(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                              struct fault *ret_fault)
{
    return sink->type->read_cursor(sink, index, ret_cursor, ret_fault);
}

enum outcome sink_read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                             struct fault *ret_fault)
{
    return sink->type->read_total(sink, index, ret_total, ret_fault);
}

enum outcome sink_read_rules(struct sink *sink, uint64_t epoch, struct sink_rules *ret_rules,
                             struct fault *ret_fault)
{
    return sink->type->read_rules(sink, epoch, ret_rules, ret_fault);
}

enum outcome sink_read_decision(struct sink *sink, uint64_t epoch, uint64_t after,
                                struct sink_decision *ret_decision, struct fault *ret_fault)
{
    return sink->type->read_decision(sink, epoch, after, ret_decision, ret_fault);
}

enum outcome sink_read_row(struct sink *sink, enum table table, uint64_t seq, struct row *ret_row,
                           uint64_t *ret_epoch, int64_t *ret_decided_ms, struct fault *ret_fault)
{
    must(table < TABLE_COUNT);

    return sink->type->read_row(sink, table, seq, ret_row, ret_epoch, ret_decided_ms, ret_fault);
}

enum outcome sink_read_epoch(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                             struct fault *ret_fault)
{
    return sink->type->read_epoch(sink, number, ret_epoch, ret_fault);
}

enum outcome sink_find_payment(struct sink *sink, struct span transaction_id,
                               const struct origin *origin, uint64_t offset, struct row *ret_row,
                               struct fault *ret_fault)
{
    return sink->type->find_payment(sink, transaction_id, origin, offset, ret_row, ret_fault);
}

enum outcome sink_tend(struct sink *sink, struct fault *ret_fault)
{
    return sink->settings.read_only ? LATER : sink->type->tend(sink, ret_fault);
}

bool sink_line(struct sink *sink, char ret_text[SINK_LINE_SIZE])
{
    return sink->type->line != NULL && sink->type->line(sink, ret_text);
}
