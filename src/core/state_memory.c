/* Memory shared out, standings taken over, and what is told of the whole. */
#include "core/state_parts.h"

#include <string.h>

enum {
    STEP = 2 * 1024 * 1024, /* Large pages begin at multiples of it. */
    LINE = 64,
    SENDERS_SHARE = 4,           /* At most a quarter of the memory, */
    WINDOWS_SHARE = 16,          /* and a sixteenth. */
    WINDOW_GROUPS_MAX = 1 << 20, /* Open at once; each makes a row when it is closed. */
    GROUPS_A_WINDOW = 2,         /* At least, on average: what windows are reckoned with. */
    TEXT_A_SENDER = 64,
    AHEAD_SIZE = 2 * STEP,
};

/* Where the next part goes. */
struct place {
    uint8_t *at; /* NULL: only counting. */
    size_t used;
};

static void *take(struct place *place, size_t size)
{
    uint8_t *part = place->at == NULL ? NULL : place->at + place->used;

    place->used += (size + LINE - 1) / LINE * LINE;
    return part;
}

static void lay_fixed(struct place *place, struct state_memory *memory)
{
    memory->watermark.sources = take(place, SOURCES_MAX * sizeof(struct watermark_source));
    memory->watermark.nodes = take(place, WATERMARK_NODES * sizeof(int64_t));
    memory->tallies.totals = take(place, TALLIES_MAX * sizeof(struct epoch_total));
    memory->tallies.touched = take(place, TALLIES_MAX * sizeof(uint32_t));
    memory->tallies.marks = take(place, TALLIES_MAX);
    memory->tallies.cells = take(place, index_cell_count(TALLIES_MAX) * sizeof(uint64_t));
    memory->origins = take(place, SOURCES_MAX * sizeof(struct origin));
}

/* The most numbers for which so many bytes each, and their index, fit. */
static size_t count_for(uint64_t bytes, size_t size, uint64_t most)
{
    size_t count = (size_t)(bytes / (size + 2 * sizeof(uint64_t)));

    if (count > most) {
        count = (size_t)most;
    }
    while (count > 1 && count * size + index_cell_count(count) * sizeof(uint64_t) > bytes) {
        count -= count / 64 + 1;
    }
    return count > 0 ? count : 1;
}

static void lay_velocity(struct place *place, const struct state_limits *limits,
                         struct velocity_memory *velocity)
{
    velocity->sender_count =
        count_for(limits->bytes / SENDERS_SHARE, sizeof(struct velocity_sender) + TEXT_A_SENDER,
                  (uint64_t)limits->senders_max);
    velocity->cell_count = index_cell_count(velocity->sender_count);
    velocity->text_size = velocity->sender_count * TEXT_A_SENDER + IDENT_TEXT_MAX;
    velocity->senders = take(place, velocity->sender_count * sizeof(struct velocity_sender));
    velocity->cells = take(place, velocity->cell_count * sizeof(uint64_t));
    velocity->texts = take(place, velocity->text_size);
}

static void lay_windows(struct place *place, const struct state_limits *limits,
                        struct window_memory *windows)
{
    size_t group_size = sizeof(struct window_group) + sizeof(uint32_t);
    size_t window_size =
        (sizeof(struct window) + 4 * sizeof(uint64_t) + GROUPS_A_WINDOW - 1) / GROUPS_A_WINDOW;

    windows->group_count =
        count_for(limits->bytes / WINDOWS_SHARE, group_size + window_size, WINDOW_GROUPS_MAX);
    windows->window_count = windows->group_count / GROUPS_A_WINDOW + 1;
    windows->groups = take(place, windows->group_count * sizeof(struct window_group));
    windows->listed = take(place, windows->group_count * sizeof(uint32_t));
    windows->windows = take(place, windows->window_count * sizeof(struct window));
    windows->group_cells = take(place, index_cell_count(windows->group_count) * sizeof(uint64_t));
    windows->window_cells = take(place, index_cell_count(windows->window_count) * sizeof(uint64_t));
}

static size_t lay(const struct state_limits *limits, void *at, struct state_memory *memory)
{
    struct place place = {.at = at};

    must(limits->bytes >= STATE_BYTES_MIN);
    must(limits->senders_max >= 1);
    lay_fixed(&place, memory);
    size_t fixed = place.used;
    lay_velocity(&place, limits, &memory->velocity);
    lay_windows(&place, limits, &memory->windows);
    size_t units = (size_t)(limits->bytes - (place.used - fixed)) / DEDUP_UNIT_SIZE;
    if (units >= UINT32_MAX / 2) {
        units = UINT32_MAX / 2 - 1;
    }
    place.used = (place.used + STEP - 1) / STEP * STEP;
    memory->dedup.unit_count = units;
    memory->dedup.units = take(&place, units * DEDUP_UNIT_SIZE);
    return place.used;
}

size_t state_memory_size(const struct state_limits *limits)
{
    struct state_memory memory;

    return lay(limits, NULL, &memory);
}

void state_memory_lay(const struct state_limits *limits, void *memory,
                      struct state_memory *ret_memory)
{
    (void)lay(limits, memory, ret_memory);
}

void state_restore_range(struct state *state, const struct epoch_range *range)
{
    watermark_restore(&state->watermark, (uint16_t)range->source, range->next, range->newest_ms,
                      range->standing);
}

bool state_restore_total(struct state *state, const struct epoch_total *total)
{
    return tallies_restore(&state->tallies, total);
}

void state_restore_watermark(struct state *state, int64_t watermark_ms)
{
    state->watermark.all_ms = watermark_ms;
}

struct span state_expect(struct state *state, uint64_t ids)
{
    return dedup_expect(&state->dedup, ids);
}

int64_t state_settled_ms(const struct state *state)
{
    return windows_settled_ms(&state->windows);
}

size_t state_metric_count(const struct state *state)
{
    return state->windows.listed_count;
}

void state_metric_row(const struct state *state, size_t index, struct row *ret_row)
{
    windows_row(&state->windows, index, state->watermark.all_ms, ret_row);
}

size_t state_total_count(const struct state *state)
{
    return state->tallies.touched_count;
}

void state_total(const struct state *state, size_t index, struct epoch_total *ret_total)
{
    must(index < state->tallies.touched_count);
    *ret_total = state->tallies.totals[state->tallies.touched[index]];
}

size_t state_total_all_count(const struct state *state)
{
    return state->tallies.count;
}

void state_total_any(const struct state *state, size_t index, struct epoch_total *ret_total)
{
    must(index < state->tallies.count);
    *ret_total = state->tallies.totals[index];
}

void state_epoch_end(struct state *state)
{
    watermark_epoch_end(&state->watermark);
    tallies_epoch_end(&state->tallies);
    windows_epoch_end(&state->windows);
}

void state_use(const struct state *state, struct state_use *ret_use)
{
    ret_use->entries = state->dedup.entry_count;
    ret_use->bytes = dedup_bytes_touched(&state->dedup) + velocity_bytes_touched(&state->velocity) +
                     windows_bytes_touched(&state->windows);
    ret_use->limit_bytes = (uint64_t)state->dedup.unit_count * DEDUP_UNIT_SIZE +
                           state->velocity.sender_capacity * sizeof(struct velocity_sender) +
                           state->velocity.text_size +
                           state->windows.group_capacity * sizeof(struct window_group) +
                           state->windows.window_capacity * sizeof(struct window);
    ret_use->ahead = state_ahead(state);
}

struct span state_ahead(const struct state *state)
{
    return dedup_ahead(&state->dedup, AHEAD_SIZE);
}

static uint64_t sources_sum(const struct state *state)
{
    static const struct siphash_key key = {UINT64_C(0x7061796f6e6365), 5};
    uint64_t sum = 0;

    for (size_t number = 0; number < state->source_count; number++) {
        const struct watermark_source *source = &state->watermark.sources[number];
        const struct origin *origin = &state->origins[number];
        uint64_t told[] = {
            number,           siphash(&key, (struct span){origin, sizeof(*origin)}),
            source->start,    source->next,
            source->standing, (uint64_t)source->newest_ms,
        };
        sum += siphash(&key, (struct span){told, sizeof(told)});
    }
    return sum;
}

uint64_t state_hash(const struct state *state)
{
    static const struct siphash_key key = {UINT64_C(0x7061796f6e6365), 6};
    struct dedup_now now = state_now(state);
    uint64_t told[] = {
        (uint64_t)now.watermark_ms,
        state->rules_known ? siphash(&key, (struct span){&state->rules, sizeof(state->rules)}) : 0,
        sources_sum(state),
        tallies_hash(&state->tallies),
        dedup_hash(&state->dedup, &now),
        velocity_hash(&state->velocity, now.watermark_ms),
        windows_hash(&state->windows, now.watermark_ms),
    };

    return siphash(&key, (struct span){told, sizeof(told)});
}
