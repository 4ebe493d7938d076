/*
 * window: count, sum, least and most of each minute, by region and currency.
 *
 * Only accepted payments count. A window [start, end) is closed when G >= end; an accepted
 * payment is after G, so none falls into a closed one. The first groups_max distinct pairs of
 * (region, currency) of a window, in order of acceptance, are counted by themselves, later ones
 * under ("~other", currency). What an epoch touched or closed is listed in that order.
 *
 * LENGTH. A new length counts from the first of its own boundaries at or after the end of the
 * last open window (and G); before it the old one goes on, and its last window ends there. So
 * windows never overlap and no two begin at the same moment.
 */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include "base/instant.h"
#include "core/index.h"
#include "pay/payment.h"
#include "pay/table.h"

enum { WINDOW_LENGTHS_MAX = 8 };

struct window_group {
    struct money_sum total;
    uint64_t count;
    int64_t min_units;
    int64_t max_units;
    uint8_t min_scale;
    uint8_t max_scale;
    uint8_t places;
    bool listed; /* In the list of what the epoch touched. */
    uint8_t region_size;
    char currency[CURRENCY_SIZE];
    uint32_t window;
    uint32_t next; /* Of the same window, or of the free ones; INDEX_NONE: none. */
    uint32_t hash;
    char region[GROUP_TEXT_MAX];
};

struct window {
    int64_t start_ms;
    int64_t end_ms;
    uint32_t older; /* By start; window numbers, or INDEX_NONE. */
    uint32_t newer; /* Of a free one: the next free. */
    uint32_t first_group;
    uint32_t last_group;
    uint32_t own_count; /* Groups that are not ~other. */
    uint32_t hash;
};

/* Lent, zeroed. */
struct window_memory {
    struct window_group *groups;
    uint32_t *listed; /* group_count */
    size_t group_count;
    struct window *windows;
    size_t window_count;
    uint64_t *group_cells; /* index_cell_count(group_count) */
    uint64_t *window_cells;
};

/* From this moment on windows have this length. */
struct window_length {
    int64_t from_ms;
    int64_t length_ms;
};

struct windows {
    uint64_t other_hash; /* Keyed, of the region ~other. */
    struct window_group *groups;
    uint32_t *listed;
    size_t group_capacity;
    size_t group_used;  /* Ever used; those given back are on the free list. */
    size_t group_count; /* In open windows now. */
    size_t listed_count;
    uint32_t free_group;
    struct window *windows;
    size_t window_capacity;
    size_t window_used;
    size_t window_count;
    uint32_t free_window;
    uint32_t oldest;      /* Open or closed in this epoch. */
    uint32_t oldest_open; /* The first that G has not passed. */
    uint32_t newest;
    struct index group_index;
    struct index window_index;
    struct window_length lengths[WINDOW_LENGTHS_MAX]; /* By from_ms. */
    size_t length_count;
    int64_t groups_max;
};

/* An accepted payment as windows look at it. */
struct window_payment {
    int64_t event_ms;
    struct span region;   /* size > GROUP_TEXT_MAX: counted under ~other. */
    uint64_t region_hash; /* Keyed, of its text, if it is not too long. */
    struct money amount;
    char currency[CURRENCY_SIZE];
};

void windows_init(struct windows *windows, const struct siphash_key *key,
                  const struct window_memory *memory);

/* From when on windows of a length that is new now will count. */
int64_t windows_from_ms(const struct windows *windows, int64_t length_ms, int64_t watermark_ms);

/* New rules. False: too many lengths at once; nothing changed. */
MUST_USE bool windows_set(struct windows *windows, const struct window_length *length,
                          int64_t groups_max, int64_t watermark_ms);

/* Has G not yet passed the window of this moment? */
bool windows_count(const struct windows *windows, int64_t event_ms, int64_t watermark_ms);

/* Where a payment counts; INDEX_NONE: not there yet. */
struct window_place {
    int64_t start_ms;
    int64_t end_ms;
    uint32_t window;
    uint32_t group;
};

/*
 * False: no room for one more window or group, or a sum beyond 128 bits. Nothing changes. The
 * place holds until the next change.
 */
MUST_USE bool windows_fit(const struct windows *windows, const struct window_payment *payment,
                          struct window_place *ret_place);

/* It fits there (a must). */
void windows_add(struct windows *windows, const struct window_payment *payment,
                 const struct window_place *place);

/* G has moved: list the groups of the windows it has passed, once more. */
void windows_close(struct windows *windows, int64_t watermark_ms);

/* The row of listed group `index`, without seq. Its texts are lent until the epoch's end. */
void windows_row(const struct windows *windows, size_t index, int64_t watermark_ms,
                 struct row *ret_row);

/* Forget the list, let go of closed windows. */
void windows_epoch_end(struct windows *windows);

/* From when on one length alone is in force: a fold must see the notes that are not yet past. */
int64_t windows_settled_ms(const struct windows *windows);

/* A sum over the open windows and the lengths to come; see dedup_hash. */
uint64_t windows_hash(const struct windows *windows, int64_t watermark_ms);

uint64_t windows_bytes_touched(const struct windows *windows);

#endif
