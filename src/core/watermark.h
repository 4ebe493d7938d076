/*
 * watermark: which moments are over? For one source, and for all.
 *
 * Of each source the newest event time M_p; its watermark W_p = M_p - lateness. G is the
 * running, monotone maximum of the smallest W_p over the active sources; an active source
 * without a message holds it; none active: it stands still. Idle and ended sources do not
 * hold it. A boundary is written once: watermark_passed is asked for lateness and for
 * forgetting alike, so <= cannot become < in one of them.
 */
#ifndef CORE_WATERMARK_H
#define CORE_WATERMARK_H

#include "base/base.h"
#include "base/instant.h"
#include "pay/origin.h"

struct watermark_source {
    int64_t newest_ms; /* M_p; INSTANT_NONE: no message yet. */
    uint64_t start;    /* First offset ever asked for. */
    uint64_t next;     /* One past the last offset decided. */
    uint32_t standing; /* An enum source_standing. */
    bool touched;      /* Since the epoch began. */
    uint64_t first;    /* next when the epoch began. */
};

struct watermark {
    int64_t lateness_ms;
    int64_t all_ms; /* G; INSTANT_NONE: none yet. */
    size_t source_count;
    struct watermark_source *sources; /* Lent: SOURCES_MAX. */
    int64_t *slowest; /* Lent: WATERMARK_NODES. A tree of minima, M_p of active ones as leaves. */
    size_t leaves;    /* A power of two, at least source_count; slowest[1] is the root. */
};

enum { WATERMARK_NODES = 2 * SOURCES_MAX };

/* Lent, zeroed. */
struct watermark_memory {
    struct watermark_source *sources; /* SOURCES_MAX */
    int64_t *nodes;                   /* WATERMARK_NODES */
};

/* Is this moment at or before that watermark? Inclusive; no watermark has passed nothing. */
static inline bool watermark_passed(int64_t watermark_ms, int64_t moment_ms)
{
    return watermark_ms != INSTANT_NONE && moment_ms <= watermark_ms;
}

void watermark_init(struct watermark *mark, const struct watermark_memory *memory);

/* The next number's source joins, active, without a message; next is its first offset. */
void watermark_join(struct watermark *mark, uint64_t start);

/* Its offsets below next are decided. A position never goes back (a must). */
void watermark_take(struct watermark *mark, uint16_t source, uint64_t next);

/* A message that is neither invalid nor future nor skipped: M_p moves, the source is active. */
void watermark_see(struct watermark *mark, uint16_t source, int64_t event_ms);

/* An enum source_standing. */
void watermark_stand(struct watermark *mark, uint16_t source, uint32_t standing);

/* Move G where the active sources allow it to be. The work is O(log sources) in all of these. */
void watermark_advance(struct watermark *mark);

/* As it was recorded; does not move G. */
void watermark_restore(struct watermark *mark, uint16_t source, uint64_t next, int64_t newest_ms,
                       uint32_t standing);

void watermark_epoch_end(struct watermark *mark);

/* Smallest M_p of the active ones; INSTANT_NONE: one has none yet; INT64_MAX: none is active. */
int64_t watermark_slowest(const struct watermark *mark);

/* max(W_p, G): what lateness looks at. */
int64_t watermark_of(const struct watermark *mark, uint16_t source);

/*
 * May this source be taken from, or is it more than align_ms ahead of the slowest source
 * that has a backlog? Sources out of reach hold G, not the others: has_backlog says no.
 */
bool watermark_aligned(const struct watermark *mark, uint16_t source, int64_t align_ms,
                       const bool *has_backlog);

/*
 * The same for all sources at once: up to which newest event time may one be taken from? One
 * without a message always may. INT64_MAX: none has a backlog.
 */
int64_t watermark_align_limit(const struct watermark *mark, int64_t align_ms,
                              const bool *has_backlog);

#endif
