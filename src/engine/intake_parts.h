/*
 * intake_parts: what the two ways of taking share: files merged exactly (intake.c), and live
 * sources in turns (intake_live.c). For these two alone.
 */
#ifndef ENGINE_INTAKE_PARTS_H
#define ENGINE_INTAKE_PARTS_H

#include "engine/crew.h"
#include "engine/intake.h"
#include "engine/merge.h"

/* Where the deciding thread stands in one source. */
struct place {
    struct message *next;           /* To take; */
    struct message *end;            /* behind its block's last one. */
    const struct crew_block *block; /* NULL: the next one is not known yet. */
    uint16_t number;                /* The state's. */
    struct fingerprint fingerprint; /* Of the last message of the blocks given back. */
    bool taken;                     /* There is one. */
};

struct intake_live;

struct intake {
    struct crew crew;
    struct merge merge;
    struct intake_live *live;     /* NULL: files or a pipe. */
    struct place *places;         /* One for each lane. */
    size_t met;                   /* Lanes of which it is known whether they have a message. */
    struct place *last;           /* Taken from last; it may have ended since. */
    const struct crew_lane *held; /* What nothing has arrived from yet. */
    size_t memory_size;
    uint16_t lane_of[SOURCES_MAX]; /* By the state's number; the count of lanes: none. */
};

static inline int64_t intake_newest(const struct state *state, const struct place *place)
{
    return state->watermark.sources[place->number].newest_ms;
}

/* All its messages have been taken: keep the last one's fingerprint, and let the crew have it. */
void intake_leave(struct intake *intake, struct place *place);

/* Into the source's next block. INTAKE_MESSAGE: it is there; else INTAKE_NOTHING, INTAKE_BROKEN. */
enum intake_kind intake_enter(struct intake *intake, struct place *place, struct fault *ret_fault);

/* Live sources; memory: live_memory_size, zeroed. */
size_t live_memory_size(const struct intake_settings *settings);
void live_init(struct intake *intake, const struct intake_settings *settings, void *memory);
void live_next(struct intake *intake, const struct state *state, struct intake_item *ret_item,
               struct fault *ret_fault);
void live_wait(struct intake *intake, int64_t timeout_ns);

#endif
