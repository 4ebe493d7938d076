/* The one thread that writes the journal. */
#include "engine/engine_parts.h"

#include "journal/frame.h"
#include "os/crash.h"

#include <stdio.h>

#define FULL_RETRY_NS INT64_C(500000000) /* A full disk is asked again this often. */
#define TRIM_EVERY_NS INT64_C(1000000000)

enum { CONFLICTS_TOLD_MAX = 5 /* A minute, in full; the rest is counted in the summary. */ };

struct sealing {
    struct engine *engine;
    bool full_told;
    uint64_t trimmed_for; /* What all sinks had when it was last trimmed. */
    int64_t trimmed_ns;
};

static void tell_conflict(struct engine *engine, const struct row *row)
{
    const struct standing *standing = &engine->pipeline.standing;
    struct span field = row->texts[DEAD_FIELD];
    struct engine_event event;
    char place[64];

    event_begin(&event, "payment_conflict", ENGINE_ERROR);
    event_word(&event, "code", "P301");
    event_text(&event, "transaction_id", row->texts[DEAD_ID]);
    event_text(&event, "field", field);
    event_text(&event, "now", row->texts[DEAD_AMOUNT]);
    event_text(&event, "currency", row->texts[DEAD_CURRENCY]);
    event_account(&event, "sender", row->texts[DEAD_SENDER]);
    event_account(&event, "receiver", row->texts[DEAD_RECEIVER]);
    event_word(&event, "first_topic", standing->origins[row->numbers[DEAD_FIRST_SOURCE]].topic);
    (void)snprintf(place, sizeof(place), "%lld", (long long)row->numbers[DEAD_FIRST_OFFSET]);
    event_word(&event, "first_at", place);
    event_word(&event, "now_topic", standing->origins[row->numbers[DEAD_SOURCE]].topic);
    (void)snprintf(place, sizeof(place), "%lld", (long long)row->numbers[DEAD_OFFSET]);
    event_word(&event, "now_at", place);
    event_word(&event, "kept_in", table_name(TABLE_DEAD_LETTERS));
    events_put(&engine->events, &event);
}

static bool has_conflicts(const struct epoch *epoch)
{
    for (size_t index = 0; index < epoch->total_count; index++) {
        if (epoch->totals[index].tally == CONFLICT) {
            return true;
        }
    }
    return false;
}

/* The epoch is sealed: now its conflicts may be told, the first few of them. */
static void tell_conflicts(struct engine *engine, const struct epoch *epoch)
{
    struct span left = {epoch->rows.at, epoch->rows.size};
    struct row row;
    size_t size;

    if (!has_conflicts(epoch)) {
        return;
    }
    while (left.size > 0 && (size = row_read(left, &row)) > 0) {
        if (row.table == TABLE_DEAD_LETTERS && row.numbers[DEAD_VERDICT] == CONFLICT) {
            if (atomic_fetch_add(&engine->conflicts_told, 1) >= CONFLICTS_TOLD_MAX) {
                return;
            }
            tell_conflict(engine, &row);
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
}

static void tell_full(struct sealing *sealing, bool full, const struct fault *fault)
{
    struct engine *engine = sealing->engine;
    struct engine_event event;

    if (full == sealing->full_told) {
        return;
    }
    sealing->full_told = full;
    event_begin(&event, full ? "disk_full" : "disk_has_room", full ? ENGINE_WARN : ENGINE_INFO);
    if (full) {
        event_word(&event, "error", fault->text);
        event_word(&event, "note", "reading waits; nothing is lost; it goes on by itself");
    }
    events_put(&engine->events, &event);
}

/* False: nothing more can be written. */
static bool seal(struct sealing *sealing, struct epoch *epoch)
{
    struct engine *engine = sealing->engine;
    struct fault fault;
    enum outcome outcome;

    while ((outcome = pipeline_seal(&engine->pipeline, epoch, &fault)) == LATER) {
        tell_full(sealing, true, &fault);
        engine_sleep(engine, FULL_RETRY_NS);
        if (atomic_load(&engine->home) || engine_out_of_time(engine)) {
            return false;
        }
    }
    if (outcome != DONE) {
        engine_break(engine, &fault);
        return false;
    }
    if (epoch->message_count > 0 && !engine_survived(engine)) {
        return false;
    }
    tell_full(sealing, false, NULL);
    atomic_fetch_add(&engine->sealed_bytes, frame_size(epoch));
    tell_conflicts(engine, epoch);
    shelf_sealed(&engine->pipeline.shelf, epoch);
    return true;
}

/* Between two seals, when the sinks have come further. */
static bool trim(struct sealing *sealing)
{
    struct engine *engine = sealing->engine;
    uint64_t had = shelf_had_upto(&engine->pipeline.shelf);
    int64_t now_ns = clock_steady_ns(engine->clock);
    struct fault fault;

    if (had == sealing->trimmed_for || now_ns - sealing->trimmed_ns < TRIM_EVERY_NS) {
        return true;
    }
    sealing->trimmed_for = had;
    sealing->trimmed_ns = now_ns;
    if (pipeline_trim(&engine->pipeline, &fault) == BROKEN) {
        engine_break(engine, &fault);
        return false;
    }
    return true;
}

static bool step(struct sealing *sealing)
{
    struct engine *engine = sealing->engine;
    bool last = atomic_load(&engine->decided_all); /* Asked before the shelf is. */
    struct epoch *epoch = shelf_take_closed(&engine->pipeline.shelf, last ? 0 : LOOK_NS);

    if (epoch == NULL && last) {
        return false;
    }
    return (epoch == NULL || seal(sealing, epoch)) && trim(sealing);
}

void *sealing_run(void *argument)
{
    struct engine *engine = argument;
    struct sealing sealing = {.engine = engine};

    while (!atomic_load(&engine->home) && step(&sealing)) {
    }
    crash_point("stop_sealed");
    atomic_store(&engine->sealed_all, true);
    shelf_wake(&engine->pipeline.shelf);
    return NULL;
}
