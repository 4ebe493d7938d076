/*
 * feed: many live sources behind one client.
 *
 * A topic's partitions come through one client, and each is a source of its own. The engine
 * opens a feed, asks it for its partitions, attaches a source for each, assigns it at its
 * cursor (if what stands behind its name is what stood there before) and reads them side by side.
 * Trouble that a new client mends (a source's read is BROKEN with FAULT_SOURCE_STALE: partitions
 * were added, the topic was gone, an outage was long) has one way: close all sources, close the
 * feed, open it again, attach, assign. What was read and not taken is then read once more.
 *
 * Calls that ask the broker wait for it some seconds at most; LATER: it is out of reach. One
 * thread at a time may call a feed; its sources may be read by others meanwhile.
 */
#ifndef SOURCE_FEED_H
#define SOURCE_FEED_H

#include "source/source.h"

enum { FEED_PARTITIONS_MAX = 1024 };

struct feed;

/* How far a partition has come: the offset that is to be read next. */
struct feed_position {
    const struct origin *origin;
    uint64_t next;
};

/* What the client behind it has to say, control characters escaped. */
struct feed_line {
    bool warning;
    char text[320];
};

struct feed_type {
    const char *name; /* "kafka" */
    size_t size;
    const struct source_type *source_type; /* Its open is never called. */
    enum outcome (*open)(struct feed *feed, const void *settings, struct fault *ret_fault);
    enum outcome (*list)(struct feed *feed, struct origin *ret_origins, size_t *ret_count,
                         struct fault *ret_fault);
    enum outcome (*start)(struct feed *feed, const struct origin *origin, bool as_set,
                          uint64_t *ret_offset, struct fault *ret_fault);
    enum outcome (*facts)(struct feed *feed, const struct origin *origin,
                          struct source_facts *ret_facts, struct fault *ret_fault); /* Or NULL. */
    enum outcome (*attach)(struct feed *feed, struct source *source, struct fault *ret_fault);
    enum outcome (*begin)(struct feed *feed, struct fault *ret_fault);
    void (*commit)(struct feed *feed, const struct feed_position *positions, size_t count);
    bool (*grown)(struct feed *feed);
    bool (*line)(struct feed *feed, struct feed_line *ret_line);
    void (*close)(struct feed *feed);
};

struct feed {
    const struct feed_type *type;
};

/*
 * Memory for it, type->size bytes, is the caller's; the settings are the type's own, lent as
 * long as it is open. BROKEN, LATER: nothing is open.
 */
MUST_USE enum outcome feed_open(struct feed *feed, const struct feed_type *type,
                                const void *settings, struct fault *ret_fault);

/*
 * The partitions there are, by topic as configured and then by number; incarnation 0. At most
 * FEED_PARTITIONS_MAX of them. BROKEN: a topic is not there, not allowed, or not fit to be read.
 */
MUST_USE enum outcome feed_list(struct feed *feed, struct origin *ret_origins, size_t *ret_count,
                                struct fault *ret_fault);

/*
 * Where a partition that the history has not met begins. as_set: as the settings say (earliest,
 * latest, a time); else at the oldest message there is.
 */
MUST_USE enum outcome feed_start(struct feed *feed, const struct origin *origin, bool as_set,
                                 uint64_t *ret_offset, struct fault *ret_fault);

/* What stands behind its name now; zeros: the feed cannot tell. LATER. */
MUST_USE enum outcome feed_facts(struct feed *feed, const struct origin *origin,
                                 struct source_facts *ret_facts, struct fault *ret_fault);

/*
 * Make the source (feed->type->source_type->size bytes of memory) that of this partition. start:
 * the first offset that the history asked for. It is assigned before the feed begins, and closed
 * before the feed is.
 */
MUST_USE enum outcome feed_attach(struct feed *feed, struct source *source,
                                  const struct origin *origin, uint64_t start,
                                  struct fault *ret_fault);

/* All sources are attached and assigned: from now on they may be read. */
MUST_USE enum outcome feed_begin(struct feed *feed, struct fault *ret_fault);

/*
 * Tell the broker how far the ledger has come, for tools that show a lag. Nothing reads it back,
 * it never waits, and that it fails is told at most once.
 */
void feed_commit(struct feed *feed, const struct feed_position *positions, size_t count);

/*
 * Does the broker have more partitions for us than it listed, or another topic behind a name?
 * Asks it; false: not that we know.
 */
bool feed_grown(struct feed *feed);

/* The oldest line not taken yet. False: none. */
bool feed_line(struct feed *feed, struct feed_line *ret_line);

/* What was committed last may still be sent; that waits some seconds at most. */
void feed_close(struct feed *feed);

#endif
