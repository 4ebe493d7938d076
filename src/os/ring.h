/*
 * ring: a bounded queue of pointers between two threads, in order.
 *
 * One puts, one takes. A full ring makes the putter wait: that is the back-pressure. Closing
 * wakes everybody; what is in it can still be taken.
 */
#ifndef OS_RING_H
#define OS_RING_H

#include "base/base.h"

#include <pthread.h>

enum { RING_CAPACITY_MAX = 256 };

struct ring {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t capacity;
    size_t head; /* Counts takes and puts. */
    size_t tail;
    bool closed;
    void *items[RING_CAPACITY_MAX];
};

void ring_init(struct ring *ring, size_t capacity);
void ring_close(struct ring *ring);
void ring_destroy(struct ring *ring);

/* False: closed; the item was not taken over. */
MUST_USE bool ring_put(struct ring *ring, void *item);

/* NULL: nothing there within the time (0: do not wait, negative: for ever), or closed and empty. */
void *ring_take(struct ring *ring, int64_t timeout_ns);

bool ring_closed(struct ring *ring);

#endif
