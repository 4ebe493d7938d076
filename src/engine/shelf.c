#include "engine/shelf.h"

#include "base/base.h"

#include <string.h>
#include <time.h>

static size_t slot_memory_size(const struct shelf_sizes *sizes)
{
    return SOURCES_MAX * sizeof(struct epoch_range) +
           EPOCH_TOTALS_MAX * sizeof(struct epoch_total) + sizes->decisions + sizes->rows;
}

size_t shelf_memory_size(const struct shelf_sizes *sizes, size_t slot_count)
{
    return slot_memory_size(sizes) * slot_count;
}

static void slot_init(struct shelf_slot *slot, const struct shelf_sizes *sizes, uint8_t *at)
{
    slot->epoch.ranges = (struct epoch_range *)at;
    at += SOURCES_MAX * sizeof(struct epoch_range);
    slot->epoch.totals = (struct epoch_total *)at;
    at += EPOCH_TOTALS_MAX * sizeof(struct epoch_total);
    slot->epoch.decisions = (struct epoch_bytes){.at = at, .capacity = sizes->decisions};
    at += sizes->decisions;
    slot->epoch.rows = (struct epoch_bytes){.at = at, .capacity = sizes->rows};
}

void shelf_init(struct shelf *shelf, const struct shelf_sizes *sizes, size_t slot_count,
                void *memory)
{
    pthread_condattr_t monotonic;

    must(slot_count >= 2);
    must(slot_count <= SHELF_EPOCHS_MAX);
    memset(shelf, 0, sizeof(*shelf));
    memset(shelf->had, 0xff, sizeof(shelf->had));
    shelf->slot_count = slot_count;
    for (size_t index = 0; index < slot_count; index++) {
        slot_init(&shelf->slots[index], sizes, (uint8_t *)memory + index * slot_memory_size(sizes));
    }
    (void)pthread_mutex_init(&shelf->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&shelf->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void shelf_start(struct shelf *shelf, uint64_t sealed, uint64_t confirmed)
{
    must(confirmed <= sealed);
    shelf->sealed = sealed;
    shelf->confirmed = confirmed;
}

void shelf_destroy(struct shelf *shelf)
{
    (void)pthread_cond_destroy(&shelf->changed);
    (void)pthread_mutex_destroy(&shelf->mutex);
}

static struct timespec moment_after(int64_t timeout_ns)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += timeout_ns / 1000000000;
    moment.tv_nsec += timeout_ns % 1000000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

/* Sleep until something changes; false: the moment has come, or somebody woke all who wait. */
static bool wait_for_change(struct shelf *shelf, const struct timespec *moment)
{
    uint64_t wakes = shelf->wakes;

    return pthread_cond_timedwait(&shelf->changed, &shelf->mutex, moment) == 0 &&
           shelf->wakes == wakes;
}

static void changed(struct shelf *shelf)
{
    (void)pthread_cond_broadcast(&shelf->changed);
}

/* An empty slot, or else the oldest sealed one that may leave. */
static struct shelf_slot *slot_to_open(struct shelf *shelf)
{
    struct shelf_slot *oldest = NULL;

    for (size_t index = 0; index < shelf->slot_count; index++) {
        struct shelf_slot *slot = &shelf->slots[index];
        if (slot->place == SHELF_EMPTY) {
            return slot;
        }
        if (slot->place == SHELF_SEALED && slot->pins == 0 &&
            (shelf->ledger_down || slot->epoch.number <= shelf->confirmed) &&
            (oldest == NULL || slot->epoch.number < oldest->epoch.number)) {
            oldest = slot;
        }
    }
    return oldest;
}

struct epoch *shelf_open(struct shelf *shelf, int64_t timeout_ns)
{
    struct timespec moment = moment_after(timeout_ns);
    struct shelf_slot *slot;
    bool time_left = timeout_ns > 0;

    (void)pthread_mutex_lock(&shelf->mutex);
    while ((slot = slot_to_open(shelf)) == NULL && time_left && !shelf->stopped) {
        if (!shelf->wanted) {
            shelf->wanted = true;
            changed(shelf);
        }
        time_left = wait_for_change(shelf, &moment);
    }
    shelf->wanted = false;
    if (slot != NULL) {
        slot->place = SHELF_OPEN;
        epoch_clear(&slot->epoch);
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return slot == NULL ? NULL : &slot->epoch;
}

static struct shelf_slot *slot_of(struct shelf *shelf, const struct epoch *epoch)
{
    for (size_t index = 0; index < shelf->slot_count; index++) {
        if (&shelf->slots[index].epoch == epoch) {
            return &shelf->slots[index];
        }
    }
    must_failed("the epoch is one of the shelf's", __FILE__, __LINE__);
}

static void slot_move(struct shelf *shelf, const struct epoch *epoch, enum shelf_place from,
                      enum shelf_place to)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    struct shelf_slot *slot = slot_of(shelf, epoch);
    must(slot->place == from);
    slot->place = to;
    if (to == SHELF_SEALED) {
        shelf->sealed = epoch->number;
    }
    changed(shelf);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

const struct epoch *shelf_find(struct shelf *shelf, uint64_t number)
{
    const struct epoch *found = NULL;

    (void)pthread_mutex_lock(&shelf->mutex);
    for (size_t index = 0; index < shelf->slot_count; index++) {
        const struct shelf_slot *slot = &shelf->slots[index];
        if ((slot->place == SHELF_CLOSED || slot->place == SHELF_SEALED) &&
            slot->epoch.number == number) {
            found = &slot->epoch;
        }
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return found;
}

static bool epoch_holds(const struct epoch *epoch, uint16_t source, uint64_t offset)
{
    for (size_t index = 0; index < epoch->range_count; index++) {
        const struct epoch_range *range = &epoch->ranges[index];
        if (range->source == source) {
            return offset >= range->first && offset < range->next;
        }
    }
    return false;
}

const struct epoch *shelf_holding(struct shelf *shelf, uint16_t source, uint64_t offset)
{
    const struct epoch *found = NULL;

    (void)pthread_mutex_lock(&shelf->mutex);
    for (size_t index = 0; index < shelf->slot_count; index++) {
        const struct shelf_slot *slot = &shelf->slots[index];
        if ((slot->place == SHELF_CLOSED || slot->place == SHELF_SEALED) &&
            epoch_holds(&slot->epoch, source, offset)) {
            found = &slot->epoch;
        }
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return found;
}

bool shelf_has_room(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    bool room = slot_to_open(shelf) != NULL;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return room;
}

bool shelf_wanted(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    bool wanted = shelf->wanted;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return wanted;
}

void shelf_close(struct shelf *shelf, struct epoch *epoch)
{
    slot_move(shelf, epoch, SHELF_OPEN, SHELF_CLOSED);
}

void shelf_return(struct shelf *shelf, struct epoch *epoch)
{
    slot_move(shelf, epoch, SHELF_OPEN, SHELF_EMPTY);
}

void shelf_sealed(struct shelf *shelf, struct epoch *epoch)
{
    slot_move(shelf, epoch, SHELF_CLOSED, SHELF_SEALED);
}

static struct shelf_slot *slot_closed(struct shelf *shelf)
{
    struct shelf_slot *oldest = NULL;

    for (size_t index = 0; index < shelf->slot_count; index++) {
        struct shelf_slot *slot = &shelf->slots[index];
        if (slot->place == SHELF_CLOSED &&
            (oldest == NULL || slot->epoch.number < oldest->epoch.number)) {
            oldest = slot;
        }
    }
    return oldest;
}

struct epoch *shelf_take_closed(struct shelf *shelf, int64_t timeout_ns)
{
    struct timespec moment = moment_after(timeout_ns);
    struct shelf_slot *slot;
    bool time_left = timeout_ns > 0;

    (void)pthread_mutex_lock(&shelf->mutex);
    while ((slot = slot_closed(shelf)) == NULL && time_left && !shelf->stopped) {
        time_left = wait_for_change(shelf, &moment);
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return slot == NULL ? NULL : &slot->epoch;
}

bool shelf_sealer_idle(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    bool idle = slot_closed(shelf) == NULL;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return idle;
}

const struct epoch *shelf_pin(struct shelf *shelf, uint64_t number)
{
    const struct epoch *found = NULL;

    (void)pthread_mutex_lock(&shelf->mutex);
    for (size_t index = 0; index < shelf->slot_count; index++) {
        struct shelf_slot *slot = &shelf->slots[index];
        if (slot->place == SHELF_SEALED && slot->epoch.number == number) {
            slot->pins++;
            found = &slot->epoch;
        }
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return found;
}

void shelf_unpin(struct shelf *shelf, const struct epoch *epoch)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    struct shelf_slot *slot = slot_of(shelf, epoch);
    must(slot->pins > 0);
    slot->pins--;
    changed(shelf);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

/* Until one of the shelf's own counts is there. */
static bool wait_for_count(struct shelf *shelf, const uint64_t *count, uint64_t number,
                           int64_t timeout_ns)
{
    struct timespec moment = moment_after(timeout_ns);
    bool time_left = timeout_ns > 0;

    (void)pthread_mutex_lock(&shelf->mutex);
    while (*count < number && time_left && !shelf->stopped) {
        time_left = wait_for_change(shelf, &moment);
    }
    bool there = *count >= number;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return there;
}

bool shelf_wait_sealed(struct shelf *shelf, uint64_t number, int64_t timeout_ns)
{
    return wait_for_count(shelf, &shelf->sealed, number, timeout_ns);
}

bool shelf_wait_confirmed(struct shelf *shelf, uint64_t number, int64_t timeout_ns)
{
    return wait_for_count(shelf, &shelf->confirmed, number, timeout_ns);
}

void shelf_hold(struct shelf *shelf, size_t follower, uint64_t number)
{
    must(follower < SHELF_FOLLOWERS_MAX);
    (void)pthread_mutex_lock(&shelf->mutex);
    shelf->had[follower] = number;
    (void)pthread_mutex_unlock(&shelf->mutex);
}

uint64_t shelf_had_upto(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    uint64_t upto = shelf->confirmed;
    for (size_t follower = 0; follower < SHELF_FOLLOWERS_MAX; follower++) {
        upto = shelf->had[follower] < upto ? shelf->had[follower] : upto;
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return upto;
}

void shelf_confirm(struct shelf *shelf, uint64_t number)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    shelf->confirmed = number;
    changed(shelf);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

void shelf_ledger_down(struct shelf *shelf, bool down)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    shelf->ledger_down = down;
    changed(shelf);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

void shelf_wake(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    shelf->wakes++;
    changed(shelf);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

void shelf_stop(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    shelf->stopped = true;
    changed(shelf);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

uint64_t shelf_sealed_upto(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    uint64_t sealed = shelf->sealed;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return sealed;
}

uint64_t shelf_confirmed_upto(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    uint64_t confirmed = shelf->confirmed;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return confirmed;
}
