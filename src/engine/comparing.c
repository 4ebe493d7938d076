/* Does the ledger say of its sources and totals what our history says of them? (I5) */
#include "engine/pipeline.h"

#include <string.h>

/* Our number of each source in the ledger's listing. */
struct listing {
    uint16_t numbers[SOURCES_MAX];
    size_t count;
};

static int source_number(const struct standing *standing, const struct origin *origin)
{
    for (size_t source = 0; source < standing->source_count; source++) {
        if (origin_same(&standing->origins[source], origin)) {
            return (int)source;
        }
    }
    return -1;
}

static enum outcome differs(const struct pipeline *pipeline, struct fault *ret_fault,
                            const char *what)
{
    return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                    "sink \"%s\" stands at our epoch %llu, but %s", pipeline->ledger->settings.name,
                    (unsigned long long)pipeline->standing.epoch, what);
}

static enum outcome compare_cursor(const struct pipeline *pipeline,
                                   const struct sink_cursor *cursor, struct listing *listing,
                                   struct fault *ret_fault)
{
    const struct standing *standing = &pipeline->standing;
    int number = source_number(standing, &cursor->origin);

    if (number < 0 || listing->count >= SOURCES_MAX) {
        return differs(pipeline, ret_fault, "has a cursor for a source that the journal lacks");
    }
    const struct epoch_range *range = &standing->ranges[number];
    if (range->next != cursor->range.next || range->newest_ms != cursor->range.newest_ms ||
        standing->starts[number] != cursor->start) {
        return differs(pipeline, ret_fault, "a cursor there is not where the journal has it");
    }
    listing->numbers[listing->count++] = (uint16_t)number;
    return DONE;
}

static enum outcome compare_cursors(struct pipeline *pipeline, struct listing *listing,
                                    struct fault *ret_fault)
{
    struct sink_cursor cursor;
    enum outcome outcome = DONE;

    while (outcome == DONE) {
        outcome = sink_read_cursor(pipeline->ledger, listing->count, &cursor, ret_fault);
        if (outcome == DONE) {
            outcome = compare_cursor(pipeline, &cursor, listing, ret_fault);
        }
    }
    if (outcome == LATER && listing->count != pipeline->standing.source_count) {
        return differs(pipeline, ret_fault, "lacks a cursor that the journal has");
    }
    return outcome == LATER ? DONE : outcome;
}

static enum outcome compare_total(const struct pipeline *pipeline, struct epoch_total *total,
                                  const struct listing *listing, struct fault *ret_fault)
{
    if (total->source >= listing->count) {
        return differs(pipeline, ret_fault, "has a total without a cursor");
    }
    total->source = listing->numbers[total->source];
    const struct epoch_total *ours = standing_total(&pipeline->standing, total);
    if (ours == NULL || memcmp(ours, total, sizeof(*total)) != 0) {
        return differs(pipeline, ret_fault, "its totals are not the journal's");
    }
    return DONE;
}

enum outcome pipeline_compare_ledger(struct pipeline *pipeline, struct fault *ret_fault)
{
    struct listing listing = {.count = 0};
    struct epoch_total total;
    size_t count = 0;
    enum outcome outcome = compare_cursors(pipeline, &listing, ret_fault);

    while (outcome == DONE) {
        outcome = sink_read_total(pipeline->ledger, count, &total, ret_fault);
        if (outcome == DONE) {
            count++;
            outcome = compare_total(pipeline, &total, &listing, ret_fault);
        }
    }
    if (outcome == LATER && count != pipeline->standing.total_count) {
        return differs(pipeline, ret_fault, "lacks totals that the journal has");
    }
    return outcome == LATER ? DONE : outcome;
}
