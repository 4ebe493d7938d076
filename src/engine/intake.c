#include "engine/intake.h"

#include "engine/crew.h"
#include "engine/merge.h"
#include "os/memory.h"

#include <string.h>

_Static_assert((int)INTAKE_THREADS_MAX == (int)CREW_THREADS_MAX, "the crew keeps the threads");

/* Where the deciding thread stands in one source. */
struct place {
    const struct crew_block *block; /* Taken from just now; NULL: its next one is not known yet. */
    size_t at;                      /* The message to take next. */
    size_t count;
    struct fingerprint fingerprint; /* Of the last message of the blocks given back. */
    bool taken;                     /* There is one. */
};

struct intake {
    struct crew crew;
    struct merge merge;
    struct place *places;         /* One for each lane. */
    size_t met;                   /* Lanes of which it is known whether they have a message. */
    struct place *last;           /* Taken from last; it may have ended since. */
    const struct crew_lane *held; /* What nothing has arrived from yet. */
    size_t memory_size;
    uint16_t lane_of[SOURCES_MAX]; /* By the state's number; the count of lanes: none. */
};

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
        intake->crew.lanes[lane].source = settings->sources[lane];
        intake->crew.lanes[lane].number = number;
    }
}

struct intake *intake_start(const struct intake_settings *settings, struct fault *ret_fault)
{
    size_t count = settings->source_count;
    size_t own =
        pages(sizeof(struct intake) + count * (sizeof(struct place) + sizeof(struct merge_entry)));
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
    merge_init(&intake->merge, (struct merge_entry *)(intake->places + count));
    crew_init(&intake->crew, count, (uint8_t *)memory + own);
    intake->crew.parser = settings->parser;
    intake->crew.clock = settings->clock;
    assign_lanes(intake, settings);
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

static void note_fingerprint(const struct intake *intake, size_t lane,
                             struct fingerprint *ret_fingerprint)
{
    const struct place *place = &intake->places[lane];
    const struct source_block *block = &place->block->block;

    source_fingerprint(intake->crew.lanes[lane].source, &block->lines[place->at - 1], block->bytes,
                       ret_fingerprint);
}

/* All its messages have been taken: keep the last one's fingerprint, and let the crew have it. */
static void leave_block(struct intake *intake, size_t lane)
{
    struct place *place = &intake->places[lane];

    if (place->at > 0) {
        note_fingerprint(intake, lane, &place->fingerprint);
        place->taken = true;
    }
    place->block = NULL;
    place->at = 0;
    place->count = 0;
    crew_give_back(&intake->crew, &intake->crew.lanes[lane]);
}

/*
 * Does this lane have a message to take? INTAKE_MESSAGE: yes. Else what there is to say
 * instead: it has ended, nothing has arrived yet, or it is broken.
 */
static enum intake_kind look(struct intake *intake, size_t lane, struct fault *ret_fault)
{
    struct crew_lane *crew_lane = &intake->crew.lanes[lane];
    struct place *place = &intake->places[lane];

    while (place->at == place->count) {
        bool ended = place->block != NULL && place->block->block.ended;
        if (place->block != NULL) {
            leave_block(intake, lane);
        }
        if (ended) {
            return INTAKE_ENDED;
        }
        const struct crew_block *block = crew_front(&intake->crew, crew_lane, 0);
        if (block == NULL) {
            intake->held = crew_lane;
            return INTAKE_NOTHING;
        }
        if (block->outcome != DONE) {
            *ret_fault = crew_lane->fault;
            return INTAKE_BROKEN;
        }
        place->block = block;
        place->count = block->block.line_count;
    }
    return INTAKE_MESSAGE;
}

static int64_t newest_of(const struct state *state, const struct crew_lane *lane)
{
    return state->watermark.sources[lane->number].newest_ms;
}

/* At the start: of each source, in configured order, whether it has anything to take. */
static enum intake_kind meet(struct intake *intake, const struct state *state, size_t *ret_lane,
                             struct fault *ret_fault)
{
    while (intake->met < intake->crew.lane_count) {
        size_t lane = intake->met;
        enum intake_kind kind = look(intake, lane, ret_fault);
        *ret_lane = lane;
        if (kind == INTAKE_MESSAGE) {
            merge_add(&intake->merge, lane, newest_of(state, &intake->crew.lanes[lane]));
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

/* The source taken from last: has it ended, and how new is its newest event now? */
static enum intake_kind settle(struct intake *intake, const struct state *state, size_t *ret_lane,
                               struct fault *ret_fault)
{
    size_t lane = intake->merge.entries[0].lane;
    enum intake_kind kind = look(intake, lane, ret_fault);

    *ret_lane = lane;
    if (kind == INTAKE_MESSAGE) {
        merge_move(&intake->merge, newest_of(state, &intake->crew.lanes[lane]));
    } else if (kind == INTAKE_ENDED) {
        merge_leave(&intake->merge);
        intake->last = NULL;
    }
    return kind;
}

void intake_next(struct intake *intake, const struct state *state, struct intake_item *ret_item,
                 struct fault *ret_fault)
{
    enum intake_kind kind = INTAKE_MESSAGE;
    size_t lane = 0;

    if (intake->last != NULL) {
        kind = settle(intake, state, &lane, ret_fault);
    } else if (intake->met < intake->crew.lane_count) {
        kind = meet(intake, state, &lane, ret_fault);
    }
    if (kind == INTAKE_MESSAGE && intake->merge.count == 0) {
        kind = INTAKE_FINISHED;
    }
    ret_item->kind = kind;
    ret_item->message = NULL;
    if (kind == INTAKE_MESSAGE) {
        lane = intake->merge.entries[0].lane;
        intake->last = &intake->places[lane];
        ret_item->message = &intake->last->block->messages[intake->last->at++];
    }
    ret_item->source = intake->crew.lanes[lane].number;
}

const struct message *intake_ahead(const struct intake *intake, size_t distance)
{
    const struct place *place = intake->last;
    size_t step = intake->merge.count > 1 ? distance / intake->merge.count : distance;

    if (place == NULL) {
        return NULL;
    }
    size_t index = place->at + (step > 0 ? step - 1 : 0);
    if (index < place->count) {
        return &place->block->messages[index];
    }
    const struct crew_lane *lane = &intake->crew.lanes[place - intake->places];
    const struct crew_block *next = crew_front(&intake->crew, lane, place->block == NULL ? 0 : 1);
    index -= place->count;
    return next != NULL && index < next->block.line_count ? &next->messages[index] : NULL;
}

void intake_wait(struct intake *intake, int64_t timeout_ns)
{
    if (intake->held != NULL && timeout_ns > 0) {
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
    if (place->at > 0) {
        note_fingerprint(intake, lane, ret_fingerprint);
        return true;
    }
    if (place->taken) {
        *ret_fingerprint = place->fingerprint;
    }
    return place->taken;
}
