/* Which window a moment falls into, when lengths may change. */
#include "core/window_parts.h"

#include <string.h>

static int64_t later_of(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

/* The end of the last open window, or where the watermark stands if none is. */
static int64_t taken_until(const struct windows *windows, int64_t watermark_ms)
{
    if (windows->oldest_open == INDEX_NONE) {
        return watermark_ms;
    }
    return later_of(windows->windows[windows->newest].end_ms, watermark_ms);
}

static int64_t boundary_from(int64_t moment_ms, int64_t length_ms)
{
    return (moment_ms + length_ms - 1) / length_ms * length_ms;
}

int64_t windows_from_ms(const struct windows *windows, int64_t length_ms, int64_t watermark_ms)
{
    int64_t until_ms = taken_until(windows, watermark_ms);

    return until_ms == INSTANT_NONE ? INSTANT_NONE : boundary_from(until_ms, length_ms);
}

bool windows_set(struct windows *windows, const struct window_length *length, int64_t groups_max,
                 int64_t watermark_ms)
{
    struct window_length *lengths = windows->lengths;
    size_t kept = windows->length_count;
    size_t past = 0;

    while (kept > 0 && lengths[kept - 1].from_ms >= length->from_ms) {
        kept--;
    }
    while (past + 1 < kept && lengths[past + 1].from_ms <= watermark_ms) {
        past++;
    }
    bool same = kept > 0 && lengths[kept - 1].length_ms == length->length_ms;
    if (!same && kept - past >= WINDOW_LENGTHS_MAX) {
        return false;
    }
    memmove(lengths, lengths + past, (kept - past) * sizeof(lengths[0]));
    windows->length_count = kept - past;
    if (!same) {
        lengths[windows->length_count++] = *length;
    }
    windows->groups_max = groups_max;
    return true;
}

int64_t windows_settled_ms(const struct windows *windows)
{
    return windows->length_count == 0 ? INSTANT_NONE
                                      : windows->lengths[windows->length_count - 1].from_ms;
}

void window_bounds(const struct windows *windows, int64_t event_ms, int64_t *ret_start_ms,
                   int64_t *ret_end_ms)
{
    const struct window_length *lengths = windows->lengths;
    size_t last = windows->length_count - 1;
    int64_t next_from_ms = INT64_MAX;

    must(windows->length_count > 0);
    while (last > 0 && lengths[last].from_ms > event_ms) {
        next_from_ms = lengths[last].from_ms;
        last--;
    }
    int64_t length_ms = lengths[last].length_ms;
    *ret_start_ms = event_ms / length_ms * length_ms;
    *ret_end_ms = *ret_start_ms + length_ms;
    if (*ret_end_ms > next_from_ms) {
        *ret_end_ms = next_from_ms;
    }
}

bool windows_count(const struct windows *windows, int64_t event_ms, int64_t watermark_ms)
{
    int64_t start_ms;
    int64_t end_ms;

    window_bounds(windows, event_ms, &start_ms, &end_ms);
    return watermark_ms == INSTANT_NONE || end_ms > watermark_ms;
}
