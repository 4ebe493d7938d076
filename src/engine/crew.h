/*
 * crew: threads that read the sources' blocks ahead and parse them.
 *
 * Each source has a lane of a few blocks. Its blocks are read in order, by one thread at a
 * time; they are parsed side by side. The deciding thread sees a lane's blocks in the order
 * of reading: the one in front, once it is ready, and gives it back. A lane without a free
 * block is not read: that is the back-pressure, and the limit on memory. The lane of a live
 * source that had nothing rests until the source calls, so few threads serve many of them.
 *
 * Memory: CREW_BYTES of messages in flight, shared out among the sources, but two blocks of
 * at least CREW_TARGET_MIN each; and for each as much as parsing can make of it. It is reserved
 * once; what no message needs is never touched.
 */
#ifndef ENGINE_CREW_H
#define ENGINE_CREW_H

#include "os/clock.h"
#include "parse/parse.h"
#include "source/source.h"

#include <pthread.h>

enum {
    CREW_THREADS_MAX = 16,
    CREW_BYTES = 8 * 1024 * 1024,
    CREW_TARGET_MAX = 256 * 1024,
    CREW_TARGET_MIN = 16 * 1024,
    CREW_BLOCKS_MIN = 2, /* One is taken from, one is read. */
    CREW_BLOCKS_MAX = 8,
    CREW_LINE_SIZE = 128, /* Of lines shorter than this a block holds less than its target. */
    CREW_CALL_SHARE = 8,  /* A resting thread is called when a lane in so many can be read. */
};

struct crew_block {
    struct source_block block;
    struct message *messages; /* One for each line. */
    struct parse_scratch scratch;
    enum outcome outcome; /* DONE, or BROKEN: the lane's fault says what. */
    bool ready;           /* Atomic: set by the crew, taken back by the deciding thread. */
};

struct crew_lane {
    struct source *source;
    uint16_t number;           /* The state's of this source. */
    struct crew_block *blocks; /* block_count of them, used in turn. */
    uint64_t read;             /* Counts blocks, as does given_back. */
    uint64_t given_back;
    bool queued;  /* It waits for a thread that reads. */
    bool reading; /* A thread does. */
    bool resting; /* Live: nothing was there; its source will call. */
    bool called;  /* It called while it was read. */
    bool done;    /* Nothing more is read: ended, or broken. */
    struct crew *crew;
    struct fault fault;
};

struct crew {
    const struct parser *parser; /* Borrowed, as is the clock. */
    struct clock *clock;
    struct crew_lane *lanes;
    size_t lane_count;
    size_t block_count; /* Of each lane. */
    size_t target;      /* Bytes read at once. */

    pthread_mutex_t mutex;
    pthread_cond_t work;    /* A lane waits to be read. */
    pthread_cond_t arrived; /* The awaited lane's front block is ready. */
    bool stopping;
    const struct crew_lane *awaited;
    bool any_awaited;         /* Any lane's is awaited. */
    uint64_t arrivals;        /* Blocks made ready so far. Atomic. */
    unsigned resting;         /* Threads that wait for work. */
    struct crew_lane **queue; /* Lanes that wait to be read; a ring of lane_count. */
    size_t queue_head;        /* Counts, as does the tail. */
    size_t queue_tail;
    pthread_t threads[CREW_THREADS_MAX];
    unsigned thread_count;
};

/* How much memory the crew needs for so many sources, from an address aligned to 4096. */
size_t crew_memory_size(size_t lane_count);

/* Lay the crew out in that (zeroed) memory: lanes without their sources yet. */
void crew_init(struct crew *crew, size_t lane_count, void *memory);

/* BROKEN: no thread runs. */
MUST_USE enum outcome crew_start(struct crew *crew, unsigned thread_count, struct fault *ret_fault);

/* Waits for what is being read or parsed just now, at most a block a thread. */
void crew_stop(struct crew *crew);

/* The lane's front block, and the one behind it; NULL: not ready yet. */
static inline struct crew_block *crew_front(const struct crew *crew, const struct crew_lane *lane,
                                            uint64_t behind)
{
    struct crew_block *block = &lane->blocks[(lane->given_back + behind) % crew->block_count];

    return __atomic_load_n(&block->ready, __ATOMIC_ACQUIRE) ? block : NULL;
}

/* The front block has been taken from to its end: it may be read into again. */
void crew_give_back(struct crew *crew, struct crew_lane *lane);

/* A front block was missed: whatever can be read is read now. */
void crew_hurry(struct crew *crew);

/* Sleep until the lane's front block is ready, or for this long. */
void crew_await(struct crew *crew, const struct crew_lane *lane, int64_t timeout_ns);

/* How many blocks have been made ready; sleep until there are more than that, or for this long. */
uint64_t crew_arrivals(const struct crew *crew);
void crew_await_any(struct crew *crew, uint64_t arrivals, int64_t timeout_ns);

/* Live: nothing of the lane is on its way: its source had nothing, and has not called since. */
bool crew_rests(struct crew *crew, const struct crew_lane *lane);

#endif
