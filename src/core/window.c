#include "core/window_parts.h"

#include <string.h>

static const struct span other_region = {"~other", 6};

void windows_init(struct windows *windows, const struct siphash_key *key,
                  const struct window_memory *memory)
{
    *windows = (struct windows){
        .groups = memory->groups,
        .listed = memory->listed,
        .group_capacity = memory->group_count,
        .free_group = INDEX_NONE,
        .windows = memory->windows,
        .window_capacity = memory->window_count,
        .free_window = INDEX_NONE,
        .oldest = INDEX_NONE,
        .oldest_open = INDEX_NONE,
        .newest = INDEX_NONE,
        .other_hash = siphash(key, other_region),
    };
    index_init(&windows->group_index, memory->group_cells, index_cell_count(memory->group_count));
    index_init(&windows->window_index, memory->window_cells,
               index_cell_count(memory->window_count));
}

uint32_t window_start_hash(int64_t start_ms)
{
    return (uint32_t)(((uint64_t)start_ms * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static uint32_t find_window(const struct windows *windows, int64_t start_ms)
{
    uint32_t cell;
    uint32_t number = index_first(&windows->window_index, window_start_hash(start_ms), &cell);

    while (number != INDEX_NONE && windows->windows[number].start_ms != start_ms) {
        number = index_next(&windows->window_index, window_start_hash(start_ms), &cell);
    }
    return number;
}

/* Which group of a window: a region (perhaps ~other) and a currency. */
struct group_key {
    uint32_t window;
    uint32_t hash;
    struct span region;
    const char *currency;
};

static struct group_key key_of(uint32_t window, struct span region, uint64_t region_hash,
                               const char *currency)
{
    uint64_t hash = region_hash;

    for (int letter = 0; letter < CURRENCY_SIZE; letter++) {
        hash = hash * 31 + (uint8_t)currency[letter];
    }
    hash = (hash ^ window) * UINT64_C(0x9e3779b97f4a7c15);
    return (struct group_key){window, (uint32_t)(hash >> 32), region, currency};
}

static bool group_is(const struct window_group *group, const struct group_key *key)
{
    return group->window == key->window && group->region_size == key->region.size &&
           memcmp(group->currency, key->currency, CURRENCY_SIZE) == 0 &&
           (key->region.size == 0 || memcmp(group->region, key->region.at, key->region.size) == 0);
}

static uint32_t find_group(const struct windows *windows, const struct group_key *key)
{
    uint32_t cell;
    uint32_t number = index_first(&windows->group_index, key->hash, &cell);

    while (number != INDEX_NONE && !group_is(&windows->groups[number], key)) {
        number = index_next(&windows->group_index, key->hash, &cell);
    }
    return number;
}

static bool is_other(struct span region)
{
    return region.size == other_region.size && memcmp(region.at, other_region.at, region.size) == 0;
}

/* The group that this payment counts under, and its number if it is there already. */
static struct group_key place_group(const struct windows *windows, uint32_t window,
                                    const struct window_payment *payment, uint32_t *ret_number)
{
    bool own = payment->region.size <= GROUP_TEXT_MAX;
    struct group_key key;

    *ret_number = INDEX_NONE;
    if (own) {
        key = key_of(window, payment->region, payment->region_hash, payment->currency);
        *ret_number = window == INDEX_NONE ? INDEX_NONE : find_group(windows, &key);
        own = *ret_number != INDEX_NONE || window == INDEX_NONE || is_other(key.region) ||
              windows->windows[window].own_count < windows->groups_max;
    }
    if (!own) {
        key = key_of(window, other_region, windows->other_hash, payment->currency);
        *ret_number = window == INDEX_NONE ? INDEX_NONE : find_group(windows, &key);
    }
    return key;
}

/* Does this moment fall into the newest window, as most do? Told where one length is in force. */
static bool in_newest(const struct windows *windows, int64_t event_ms)
{
    if (windows->length_count != 1 || windows->newest == INDEX_NONE) {
        return false;
    }
    const struct window *newest = &windows->windows[windows->newest];
    return event_ms >= newest->start_ms && event_ms < newest->end_ms;
}

static void place_window(const struct windows *windows, int64_t event_ms,
                         struct window_place *ret_place)
{
    if (in_newest(windows, event_ms)) {
        ret_place->window = windows->newest;
        ret_place->start_ms = windows->windows[windows->newest].start_ms;
        ret_place->end_ms = windows->windows[windows->newest].end_ms;
        return;
    }
    window_bounds(windows, event_ms, &ret_place->start_ms, &ret_place->end_ms);
    ret_place->window = find_window(windows, ret_place->start_ms);
}

bool windows_fit(const struct windows *windows, const struct window_payment *payment,
                 struct window_place *ret_place)
{
    place_window(windows, payment->event_ms, ret_place);
    if (ret_place->window == INDEX_NONE && windows->window_count >= windows->window_capacity) {
        return false;
    }
    (void)place_group(windows, ret_place->window, payment, &ret_place->group);
    if (ret_place->group == INDEX_NONE) {
        return windows->group_count < windows->group_capacity;
    }
    struct money_sum total = windows->groups[ret_place->group].total;
    return money_add(&total, payment->amount);
}

/* Between its neighbours in time; most are the newest. */
static void link_window(struct windows *windows, uint32_t number)
{
    struct window *window = &windows->windows[number];
    uint32_t older = windows->newest;
    uint32_t newer = INDEX_NONE;

    while (older != INDEX_NONE && windows->windows[older].start_ms > window->start_ms) {
        newer = older;
        older = windows->windows[older].older;
    }
    window->older = older;
    window->newer = newer;
    if (older == INDEX_NONE) {
        windows->oldest = number;
    } else {
        windows->windows[older].newer = number;
    }
    if (newer == INDEX_NONE) {
        windows->newest = number;
    } else {
        windows->windows[newer].older = number;
    }
    if (newer == windows->oldest_open) {
        windows->oldest_open = number; /* Nothing opens before what is closed. */
    }
}

static uint32_t open_window(struct windows *windows, int64_t start_ms, int64_t end_ms)
{
    uint32_t number = windows->free_window;

    if (number == INDEX_NONE) {
        must(windows->window_used < windows->window_capacity);
        number = (uint32_t)windows->window_used++;
    } else {
        windows->free_window = windows->windows[number].newer;
    }
    windows->windows[number] = (struct window){
        .start_ms = start_ms,
        .end_ms = end_ms,
        .first_group = INDEX_NONE,
        .last_group = INDEX_NONE,
    };
    windows->window_count++;
    index_add(&windows->window_index, window_start_hash(start_ms), number);
    link_window(windows, number);
    return number;
}

static uint32_t open_group(struct windows *windows, const struct group_key *key)
{
    struct window *window = &windows->windows[key->window];
    uint32_t number = windows->free_group;

    if (number == INDEX_NONE) {
        must(windows->group_used < windows->group_capacity);
        number = (uint32_t)windows->group_used++;
    } else {
        windows->free_group = windows->groups[number].next;
    }
    struct window_group *group = &windows->groups[number];
    *group = (struct window_group){
        .region_size = (uint8_t)key->region.size,
        .window = key->window,
        .next = INDEX_NONE,
        .hash = key->hash,
    };
    memcpy(group->currency, key->currency, CURRENCY_SIZE);
    if (key->region.size > 0) {
        memcpy(group->region, key->region.at, key->region.size);
    }
    if (window->first_group == INDEX_NONE) {
        window->first_group = number;
    } else {
        windows->groups[window->last_group].next = number;
    }
    window->last_group = number;
    window->own_count += !is_other(key->region);
    windows->group_count++;
    index_add(&windows->group_index, key->hash, number);
    return number;
}

void window_list(struct windows *windows, uint32_t number)
{
    if (!windows->groups[number].listed) {
        windows->groups[number].listed = true;
        windows->listed[windows->listed_count++] = number;
    }
}

static void count_payment(struct window_group *group, struct money amount)
{
    struct money least = {group->min_units, group->min_scale};
    struct money most = {group->max_units, group->max_scale};
    bool fits = money_add(&group->total, amount);

    must(fits);
    if (group->count == 0 || money_compare(amount, least) < 0) {
        group->min_units = amount.units;
        group->min_scale = (uint8_t)amount.scale;
    }
    if (group->count == 0 || money_compare(amount, most) > 0) {
        group->max_units = amount.units;
        group->max_scale = (uint8_t)amount.scale;
    }
    if (amount.scale > group->places) {
        group->places = (uint8_t)amount.scale;
    }
    group->count++;
}

void windows_add(struct windows *windows, const struct window_payment *payment,
                 const struct window_place *place)
{
    uint32_t window = place->window;
    uint32_t group = place->group;

    if (window == INDEX_NONE) {
        window = open_window(windows, place->start_ms, place->end_ms);
    }
    if (group == INDEX_NONE) {
        struct group_key key = place_group(windows, window, payment, &group);
        must(group == INDEX_NONE);
        group = open_group(windows, &key);
    }
    count_payment(&windows->groups[group], payment->amount);
    window_list(windows, group);
}
