/* Windows at their end, and at an epoch's end. */
#include "core/window_parts.h"

#include <string.h>

void windows_close(struct windows *windows, int64_t watermark_ms)
{
    if (watermark_ms == INSTANT_NONE) {
        return;
    }
    while (windows->oldest_open != INDEX_NONE &&
           windows->windows[windows->oldest_open].end_ms <= watermark_ms) {
        const struct window *window = &windows->windows[windows->oldest_open];
        for (uint32_t number = window->first_group; number != INDEX_NONE;
             number = windows->groups[number].next) {
            window_list(windows, number);
        }
        windows->oldest_open = window->newer;
    }
}

void windows_row(const struct windows *windows, size_t index, int64_t watermark_ms,
                 struct row *ret_row)
{
    must(index < windows->listed_count);
    const struct window_group *group = &windows->groups[windows->listed[index]];
    const struct window *window = &windows->windows[group->window];
    uint64_t halves[2];

    _Static_assert(sizeof(halves) == sizeof(group->total.billionths), "128 bits");
    memcpy(halves, &group->total.billionths, sizeof(halves));
    *ret_row = (struct row){
        .table = TABLE_METRICS,
        .number_count = METRIC_NUMBERS,
        .text_count = METRIC_TEXTS,
    };
    ret_row->numbers[METRIC_START_MS] = window->start_ms;
    ret_row->numbers[METRIC_COUNT] = (int64_t)group->count;
    ret_row->numbers[METRIC_TOTAL_LOW] = (int64_t)halves[0];
    ret_row->numbers[METRIC_TOTAL_HIGH] = (int64_t)halves[1];
    ret_row->numbers[METRIC_PLACES] = group->places;
    ret_row->numbers[METRIC_MIN_UNITS] = group->min_units;
    ret_row->numbers[METRIC_MIN_SCALE] = group->min_scale;
    ret_row->numbers[METRIC_MAX_UNITS] = group->max_units;
    ret_row->numbers[METRIC_MAX_SCALE] = group->max_scale;
    ret_row->numbers[METRIC_CLOSED] =
        watermark_ms != INSTANT_NONE && window->end_ms <= watermark_ms;
    ret_row->texts[METRIC_REGION] = (struct span){group->region, group->region_size};
    ret_row->texts[METRIC_CURRENCY] = (struct span){group->currency, CURRENCY_SIZE};
}

static void drop_window(struct windows *windows, uint32_t number)
{
    struct window *window = &windows->windows[number];
    uint32_t group = window->first_group;

    while (group != INDEX_NONE) {
        uint32_t next = windows->groups[group].next;
        index_remove(&windows->group_index, windows->groups[group].hash, group);
        windows->groups[group].next = windows->free_group;
        windows->free_group = group;
        windows->group_count--;
        group = next;
    }
    index_remove(&windows->window_index, window_start_hash(window->start_ms), number);
    windows->oldest = window->newer;
    if (window->newer == INDEX_NONE) {
        windows->newest = INDEX_NONE;
    } else {
        windows->windows[window->newer].older = INDEX_NONE;
    }
    window->newer = windows->free_window;
    windows->free_window = number;
    windows->window_count--;
}

void windows_epoch_end(struct windows *windows)
{
    for (size_t index = 0; index < windows->listed_count; index++) {
        windows->groups[windows->listed[index]].listed = false;
    }
    windows->listed_count = 0;
    while (windows->oldest != windows->oldest_open) {
        drop_window(windows, windows->oldest);
    }
}

static uint64_t group_sum(const struct window *window, const struct window_group *group)
{
    static const struct siphash_key key = {UINT64_C(0x7061796f6e6365), 3};
    struct {
        int64_t bounds[2];
        struct money_sum total;
        uint64_t count;
        int64_t least[2];
        int64_t most[2];
        uint8_t places[8];
        char currency[8];
        char region[GROUP_TEXT_MAX];
    } told = {
        .bounds = {window->start_ms, window->end_ms},
        .total = group->total,
        .count = group->count,
        .least = {group->min_units, group->min_scale},
        .most = {group->max_units, group->max_scale},
        .places = {group->places, group->region_size},
    };

    memcpy(told.currency, group->currency, CURRENCY_SIZE);
    memcpy(told.region, group->region, sizeof(told.region));
    _Static_assert(sizeof(told) == 16 + 16 + 8 + 32 + 16 + GROUP_TEXT_MAX + 8, "hashed as it is");
    return siphash(&key, (struct span){&told, sizeof(told) - 8});
}

static uint64_t lengths_sum(const struct windows *windows, int64_t watermark_ms)
{
    static const struct siphash_key key = {UINT64_C(0x7061796f6e6365), 4};
    uint64_t sum = 0;

    for (size_t index = 0; index < windows->length_count; index++) {
        const struct window_length *length = &windows->lengths[index];
        if (length->from_ms > watermark_ms) {
            sum += siphash(&key, (struct span){length, sizeof(*length)});
        }
    }
    return sum;
}

uint64_t windows_hash(const struct windows *windows, int64_t watermark_ms)
{
    uint64_t sum = lengths_sum(windows, watermark_ms);

    for (uint32_t number = windows->oldest_open; number != INDEX_NONE;
         number = windows->windows[number].newer) {
        const struct window *window = &windows->windows[number];
        for (uint32_t group = window->first_group; group != INDEX_NONE;
             group = windows->groups[group].next) {
            sum += group_sum(window, &windows->groups[group]);
        }
    }
    return sum;
}

uint64_t windows_bytes_touched(const struct windows *windows)
{
    return windows->group_used * sizeof(struct window_group) +
           windows->window_used * sizeof(struct window);
}
