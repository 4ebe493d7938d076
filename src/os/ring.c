#include "os/ring.h"

#include <string.h>
#include <time.h>

void ring_init(struct ring *ring, size_t capacity)
{
    pthread_condattr_t monotonic;

    must(capacity >= 1);
    must(capacity <= RING_CAPACITY_MAX);
    memset(ring, 0, sizeof(*ring));
    ring->capacity = capacity;
    (void)pthread_mutex_init(&ring->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&ring->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void ring_close(struct ring *ring)
{
    (void)pthread_mutex_lock(&ring->mutex);
    ring->closed = true;
    (void)pthread_cond_broadcast(&ring->changed);
    (void)pthread_mutex_unlock(&ring->mutex);
}

void ring_destroy(struct ring *ring)
{
    (void)pthread_cond_destroy(&ring->changed);
    (void)pthread_mutex_destroy(&ring->mutex);
}

bool ring_put(struct ring *ring, void *item)
{
    must(item != NULL);
    (void)pthread_mutex_lock(&ring->mutex);
    while (!ring->closed && ring->tail - ring->head == ring->capacity) {
        (void)pthread_cond_wait(&ring->changed, &ring->mutex);
    }
    bool taken_over = !ring->closed;
    if (taken_over) {
        ring->items[ring->tail++ % ring->capacity] = item;
        (void)pthread_cond_broadcast(&ring->changed);
    }
    (void)pthread_mutex_unlock(&ring->mutex);
    return taken_over;
}

static bool wait_until(struct ring *ring, const struct timespec *moment)
{
    return pthread_cond_timedwait(&ring->changed, &ring->mutex, moment) == 0;
}

static struct timespec moment_after(int64_t timeout_ns)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    int64_t nanoseconds = moment.tv_nsec + timeout_ns % 1000000000;
    moment.tv_sec += timeout_ns / 1000000000 + nanoseconds / 1000000000;
    moment.tv_nsec = nanoseconds % 1000000000;
    return moment;
}

void *ring_take(struct ring *ring, int64_t timeout_ns)
{
    struct timespec moment = moment_after(timeout_ns > 0 ? timeout_ns : 0);
    bool time_left = timeout_ns != 0;
    void *item = NULL;

    (void)pthread_mutex_lock(&ring->mutex);
    while (ring->head == ring->tail && !ring->closed && time_left) {
        if (timeout_ns < 0) {
            (void)pthread_cond_wait(&ring->changed, &ring->mutex);
        } else {
            time_left = wait_until(ring, &moment);
        }
    }
    if (ring->head != ring->tail) {
        item = ring->items[ring->head++ % ring->capacity];
        (void)pthread_cond_broadcast(&ring->changed);
    }
    (void)pthread_mutex_unlock(&ring->mutex);
    return item;
}

bool ring_closed(struct ring *ring)
{
    (void)pthread_mutex_lock(&ring->mutex);
    bool closed = ring->closed;
    (void)pthread_mutex_unlock(&ring->mutex);
    return closed;
}
