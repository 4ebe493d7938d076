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
    int64_t slowest_newest_ms;        /* Kept up to date: smallest M_p of the active ones. */
};

/* Is this moment at or before that watermark? Inclusive; no watermark has passed nothing. */
static inline bool watermark_passed(int64_t watermark_ms, int64_t moment_ms)
{
    return watermark_ms != INSTANT_NONE && moment_ms <= watermark_ms;
}

/* max(W_p, G): what lateness looks at. */
int64_t watermark_of(const struct watermark *mark, uint16_t source);

/*
 * May this source be taken from, or is it more than align_ms ahead of the slowest source
 * that has a backlog? Sources out of reach hold G, not the others: has_backlog says no.
 */
bool watermark_aligned(const struct watermark *mark, uint16_t source, int64_t align_ms,
                       const bool *has_backlog);

#endif
