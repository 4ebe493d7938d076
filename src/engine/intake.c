#include "engine/intake_parts.h"

#include "os/memory.h"

#include <string.h>

_Static_assert((int)INTAKE_THREADS_MAX == (int)CREW_THREADS_MAX, "the crew keeps the threads");

static size_t pages(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

static void assign_lanes(struct intake *intake, const struct intake_settings *settings)
{
    for (size_t number = 0; number < SOURCES_MAX; number++) {
        intake->lane_of[number] = (uint16_t)settings->source_count;
    }
    for (size_t lane = 0; lane < settings->source_count; lane++) {
        uint16_t number = settings->numbers[lane];
        must(number < SOURCES_MAX);
        must(intake->lane_of[number] == settings->source_count);
        intake->lane_of[number] = (uint16_t)lane;
        intake->places[lane].number = number;
        intake->crew.lanes[lane].source = settings->sources[lane];
        intake->crew.lanes[lane].number = number;
    }
}

struct intake *intake_start(const struct intake_settings *settings, struct fault *ret_fault)
{
    size_t count = settings->source_count;
    size_t own =
        pages(sizeof(struct intake) + count * (sizeof(struct place) + sizeof(struct merge_entry)) +
              live_memory_size(settings));
    void *memory = NULL;

    must(count >= 1);
    must(count <= INTAKE_SOURCES_MAX);
    must(settings->thread_count >= 1);
    must(settings->thread_count <= INTAKE_THREADS_MAX);
    size_t size = own + crew_memory_size(count);
    if (memory_reserve(size, &memory, ret_fault) != DONE) {
        return NULL;
    }
    struct intake *intake = memory;
    intake->memory_size = size;
    intake->places = (struct place *)(intake + 1);
    struct merge_entry *entries = (struct merge_entry *)(intake->places + count);
    merge_init(&intake->merge, entries);
    crew_init(&intake->crew, count, (uint8_t *)memory + own);
    intake->crew.parser = settings->parser;
    intake->crew.clock = settings->clock;
    assign_lanes(intake, settings);
    if (settings->live) {
        live_init(intake, settings, entries + count);
    }
    if (crew_start(&intake->crew, settings->thread_count, ret_fault) != DONE) {
        memory_release(memory, size);
        return NULL;
    }
    return intake;
}

void intake_stop(struct intake *intake)
{
    if (intake != NULL) {
        crew_stop(&intake->crew);
        memory_release(intake, intake->memory_size);
    }
}

/* Of the place's block, how many messages have been taken. */
static size_t taken_of(const struct place *place)
{
    return place->block == NULL ? 0 : (size_t)(place->next - place->block->messages);
}

static void note_fingerprint(const struct intake *intake, const struct place *place,
                             struct fingerprint *ret_fingerprint)
{
    const struct source *source = intake->crew.lanes[place - intake->places].source;
    const struct source_block *block = &place->block->block;

    source_fingerprint(source, &block->lines[taken_of(place) - 1], block->bytes, ret_fingerprint);
}

void intake_leave(struct intake *intake, struct place *place)
{
    if (taken_of(place) > 0) {
        note_fingerprint(intake, place, &place->fingerprint);
        place->taken = true;
    }
    place->block = NULL;
    place->next = NULL;
    place->end = NULL;
    crew_give_back(&intake->crew, &intake->crew.lanes[place - intake->places]);
}

enum intake_kind intake_enter(struct intake *intake, struct place *place, struct fault *ret_fault)
{
    const struct crew_lane *lane = &intake->crew.lanes[place - intake->places];
    const struct crew_block *block = crew_front(&intake->crew, lane, 0);

    if (block == NULL) {
        return INTAKE_NOTHING;
    }
    if (block->outcome != DONE) {
        *ret_fault = lane->fault;
        return INTAKE_BROKEN;
    }
    place->block = block;
    place->next = block->messages;
    place->end = block->messages + block->block.line_count;
    return INTAKE_MESSAGE;
}

/*
 * Is there a message to take at this place? INTAKE_MESSAGE: yes. Else what there is to say
 * instead: the source has ended, nothing has arrived yet, or it is broken.
 */
static enum intake_kind look(struct intake *intake, struct place *place, struct fault *ret_fault)
{
    while (place->next == place->end) {
        bool ended = place->block != NULL && place->block->block.ended;
        if (place->block != NULL) {
            intake_leave(intake, place);
        }
        if (ended) {
            return INTAKE_ENDED;
        }
        enum intake_kind kind = intake_enter(intake, place, ret_fault);
        if (kind == INTAKE_NOTHING) {
            intake->held = &intake->crew.lanes[place - intake->places];
            crew_hurry(&intake->crew);
        }
        if (kind != INTAKE_MESSAGE) {
            return kind;
        }
    }
    return INTAKE_MESSAGE;
}

/* At the start: of each source, in configured order, whether it has anything to take. */
static enum intake_kind meet(struct intake *intake, const struct state *state,
                             struct place **ret_place, struct fault *ret_fault)
{
    while (intake->met < intake->crew.lane_count) {
        struct place *place = &intake->places[intake->met];
        enum intake_kind kind = look(intake, place, ret_fault);
        *ret_place = place;
        if (kind == INTAKE_MESSAGE) {
            merge_add(&intake->merge, intake->met, intake_newest(state, place));
        }
        if (kind == INTAKE_MESSAGE || kind == INTAKE_ENDED) {
            intake->met++;
        }
        if (kind != INTAKE_MESSAGE) {
            return kind;
        }
    }
    return INTAKE_MESSAGE;
}

/* Nothing can be taken before something else is known or said. */
static enum intake_kind look_around(struct intake *intake, const struct state *state,
                                    struct place **ret_place, struct fault *ret_fault)
{
    enum intake_kind kind = INTAKE_MESSAGE;

    if (intake->last != NULL) {
        *ret_place = intake->last;
        kind = look(intake, intake->last, ret_fault);
        if (kind == INTAKE_ENDED) {
            merge_leave(&intake->merge);
            intake->last = NULL;
        }
    } else if (intake->met < intake->crew.lane_count) {
        kind = meet(intake, state, ret_place, ret_fault);
    }
    return kind == INTAKE_MESSAGE && intake->merge.count == 0 ? INTAKE_FINISHED : kind;
}

static void next_merged(struct intake *intake, const struct state *state,
                        struct intake_item *ret_item, struct fault *ret_fault)
{
    struct place *place = intake->last;
    enum intake_kind kind = INTAKE_MESSAGE;

    intake->held = NULL;
    if (place == NULL || place->next == place->end) {
        place = intake->places;
        kind = look_around(intake, state, &place, ret_fault);
    }
    if (kind == INTAKE_MESSAGE) {
        if (intake->last != NULL) {
            merge_move(&intake->merge, intake_newest(state, intake->last));
        }
        place = &intake->places[intake->merge.entries[0].lane];
        intake->last = place;
        ret_item->message = place->next++;
    }
    ret_item->kind = kind;
    ret_item->source = place->number;
}

void intake_next(struct intake *intake, const struct state *state, struct intake_item *ret_item,
                 struct fault *ret_fault)
{
    ret_item->message = NULL;
    if (intake->live != NULL) {
        live_next(intake, state, ret_item, ret_fault);
    } else {
        next_merged(intake, state, ret_item, ret_fault);
    }
}

void intake_untake(struct intake *intake)
{
    must(intake->last != NULL);
    must(taken_of(intake->last) > 0);
    intake->last->next--;
}

const struct message *intake_ahead(const struct intake *intake, size_t distance)
{
    const struct place *place = intake->last;
    size_t step =
        intake->live == NULL && intake->merge.count > 1 ? distance / intake->merge.count : distance;

    if (place == NULL || place->block == NULL) {
        return NULL;
    }
    size_t index = step > 0 ? step - 1 : 0;
    size_t left = (size_t)(place->end - place->next);
    if (index < left) {
        return place->next + index;
    }
    const struct crew_lane *lane = &intake->crew.lanes[place - intake->places];
    const struct crew_block *next = crew_front(&intake->crew, lane, 1);
    index -= left;
    return next != NULL && index < next->block.line_count ? &next->messages[index] : NULL;
}

void intake_wait(struct intake *intake, int64_t timeout_ns)
{
    if (intake->live != NULL) {
        live_wait(intake, timeout_ns);
    } else if (intake->held != NULL && timeout_ns > 0) {
        crew_await(&intake->crew, intake->held, timeout_ns);
    }
}

bool intake_fingerprint(const struct intake *intake, uint16_t source,
                        struct fingerprint *ret_fingerprint)
{
    must(source < SOURCES_MAX);
    size_t lane = intake->lane_of[source];

    if (lane == intake->crew.lane_count) {
        return false;
    }
    const struct place *place = &intake->places[lane];
    if (taken_of(place) > 0) {
        note_fingerprint(intake, place, ret_fingerprint);
        return true;
    }
    if (place->taken) {
        *ret_fingerprint = place->fingerprint;
    }
    return place->taken;
}
