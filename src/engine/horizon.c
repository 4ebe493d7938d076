#include "engine/horizon.h"

#include <string.h>

void horizon_init(struct horizon *horizon, struct horizon_entry *entries)
{
    *horizon = (struct horizon){.entries = entries, .stride = 1, .held_ms = INT64_MIN};
}

static int64_t later_of(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

/* Merge neighbours, two by two. */
static void halve(struct horizon *horizon)
{
    struct horizon_entry *entries = horizon->entries;
    size_t kept = 0;

    for (size_t index = horizon->first; index < horizon->first + horizon->count; index += 2) {
        entries[kept] = entries[index];
        if (index + 1 < horizon->first + horizon->count) {
            entries[kept].newest_ms =
                later_of(entries[index].newest_ms, entries[index + 1].newest_ms);
        }
        kept++;
    }
    horizon->first = 0;
    horizon->count = kept;
    horizon->stride *= 2;
}

static void make_room(struct horizon *horizon)
{
    if (horizon->first + horizon->count < HORIZON_ENTRIES_MAX) {
        return;
    }
    if (horizon->count < HORIZON_ENTRIES_MAX / 2) {
        memmove(horizon->entries, horizon->entries + horizon->first,
                horizon->count * sizeof(horizon->entries[0]));
        horizon->first = 0;
        return;
    }
    halve(horizon);
}

void horizon_add(struct horizon *horizon, uint64_t epoch, int64_t newest_ms)
{
    if (horizon->count > 0) {
        struct horizon_entry *last = &horizon->entries[horizon->first + horizon->count - 1];
        if (epoch < last->epoch + horizon->stride) {
            last->newest_ms = later_of(last->newest_ms, newest_ms);
            return;
        }
    }
    make_room(horizon);
    horizon->entries[horizon->first + horizon->count++] = (struct horizon_entry){epoch, newest_ms};
}

void horizon_hold(struct horizon *horizon, int64_t until_ms)
{
    horizon->held_ms = later_of(horizon->held_ms, until_ms);
}

int64_t horizon_span_ms(const struct rules *rules)
{
    return later_of(later_of(rules->retention_ms, rules->window_ms),
                    later_of(VELOCITY_LONG_MS, LOOK_ALIKE_MS));
}

uint64_t horizon_seed_epoch(struct horizon *horizon, const struct rules *rules,
                            int64_t watermark_ms, uint64_t next_epoch)
{
    while (horizon->count > 0) {
        const struct horizon_entry *oldest = &horizon->entries[horizon->first];
        bool alive = oldest->newest_ms != INT64_MIN &&
                     (watermark_ms == INT64_MIN ||
                      oldest->newest_ms + horizon_span_ms(rules) > watermark_ms);
        if (alive || watermark_ms < horizon->held_ms) {
            return oldest->epoch;
        }
        horizon->first++;
        horizon->count--;
    }
    horizon->first = 0;
    return next_epoch;
}
