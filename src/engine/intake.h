/*
 * intake: parsers side by side, results back in the order of taking, sources merged.
 *
 * A crew of threads (crew.h) reads blocks ahead of each source and parses them; the deciding
 * thread takes messages one by one, and never waits here but in intake_wait. Files are merged
 * exactly (merge.h): always from the source with the smallest newest event time (as the state
 * has it; none yet is smallest), ties in configured order; a source that has come to its end
 * leaves at once. So the order depends on the input alone, never on the threads:
 *
 *   - First each source that has nothing to give is reported ended, in configured order.
 *   - After a source's last message the next thing is that it has ended.
 *   - While it is not known yet whether the source taken from last has more, or what the next
 *     one has, nothing else is taken in its place: INTAKE_NOTHING.
 *   - What breaks in a source is reported when all that was read before it has been taken.
 *
 * Live sources have no end, and what they give next nobody knows. They are taken from in turns,
 * some messages each, so their order depends on the moment, and what is decided is recorded. Of
 * each the messages come by offset. While sources have a backlog, one whose newest event is more
 * than align ahead of the slowest such source is not taken from: its blocks fill up, and it is
 * read no further. A source in silence becomes idle by a fresh witness alone: within idle_after
 * it has seen its end, and that is where we stand; nothing is on its way, and nothing came for
 * idle_after. When the witness lapses, it is active again. So no outage makes a payment late.
 *
 * A message's arrival is the clock just after its block was read, one look a block; or its own
 * stamp, if that is earlier.
 */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include "core/state.h"
#include "os/clock.h"
#include "parse/parse.h"
#include "source/source.h"

enum { INTAKE_SOURCES_MAX = 1024, INTAKE_THREADS_MAX = 16 };

enum intake_kind {
    INTAKE_MESSAGE,  /* ret_item->message, to be judged and applied before the next call. */
    INTAKE_ENDED,    /* ret_item->source came to its end: apply NOTE_ENDED before the next call. */
    INTAKE_IDLE,     /* ret_item->source is silent at its end: NOTE_IDLE, before the next call. */
    INTAKE_ACTIVE,   /* It is no longer known to be: NOTE_ACTIVE. */
    INTAKE_SKIPPED,  /* Up to ret_item->offset there are no messages: decide it as skipped. */
    INTAKE_NOTHING,  /* Nothing has arrived yet; ask again (intake_wait). */
    INTAKE_FINISHED, /* All sources ended; live: have come to where they were to come to. */
    INTAKE_BROKEN,   /* The fault says what, from now on. */
};

struct intake_item {
    enum intake_kind kind;
    uint16_t source; /* Its number in the state. */
    uint64_t offset;
    struct message *message; /* Lent until the next call. */
};

struct intake;

struct intake_settings {
    unsigned thread_count;       /* Parsers: 1 .. INTAKE_THREADS_MAX. */
    const struct parser *parser; /* Borrowed, as are the others. */
    struct clock *clock;
    struct source **sources; /* Opened and assigned; intake's until it has stopped. */
    const uint16_t *numbers; /* The state's number of each, all different. */
    size_t source_count;
    bool live;             /* The sources are; all or none. What follows is for them. */
    bool to_the_end;       /* Finish where the sources' ends were when they were first seen. */
    int64_t align_ms;      /* watermark.align */
    int64_t idle_after_ms; /* watermark.idle_after */
};

/* NULL and a fault: no memory or no threads. The one place here that allocates: at start. */
struct intake *intake_start(const struct intake_settings *settings, struct fault *ret_fault);

/* In any state; joins the threads (some ten milliseconds) and frees all. NULL: nothing to do. */
void intake_stop(struct intake *intake);

void intake_next(struct intake *intake, const struct state *state, struct intake_item *ret_item,
                 struct fault *ret_fault);

/* What was given last could not be applied: it was not taken. Nothing more is asked for then. */
void intake_untake(struct intake *intake);

/*
 * A message that will probably come `distance` takes from now (1: the next), or NULL: for
 * prefetching. Of several sources it is one of that taken from last: asked after each take,
 * each message is shown about once, ahead of its turn.
 */
const struct message *intake_ahead(const struct intake *intake, size_t distance);

/* After INTAKE_NOTHING: sleep until something has arrived or this much time has passed. */
void intake_wait(struct intake *intake, int64_t timeout_ns);

/* Live: of how many sources has nothing been heard for a while (some seconds, as of lately)? */
size_t intake_unreachable(const struct intake *intake);

/* Live: how many offsets are there beyond what has been decided (as of lately)? */
uint64_t intake_lag(const struct intake *intake);

/* The fingerprint of what has been taken from this source (state's number) so far. False: nothing.
 */
bool intake_fingerprint(const struct intake *intake, uint16_t source,
                        struct fingerprint *ret_fingerprint);

#endif
