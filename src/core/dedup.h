/*
 * dedup: have we accepted this payment before, and where?
 *
 *   - It never guesses. A keyed hash only finds the bucket; the whole id decides, of long ids
 *     the whole text.
 *   - It forgets by the watermark alone: an id is remembered while watermark < first event time +
 *     retention, to the millisecond, whether or not it has been swept. So sweeping, table
 *     size and restarts change no answer.
 *   - It never lets go of a live id. No room is an answer (dedup_make_room), not an eviction.
 *   - It grows without a pause: linear hashing (Litwin 1980), one bucket split at a time.
 *
 * MEMORY is one lent run of units of 256 bytes. Buckets (two units: 15 slots) grow from its
 * front; what overflows them (one unit: 7 slots) and the texts of long ids (chunks of 16 units)
 * are taken from its back. It is full when the two meet. A slot is 32 bytes:
 *
 *      0  16  the id; of a long one: where its text stands (8), second half of its ident (8)
 *     16   8  place: source << 52 | offset << 8 | bits 32 to 39 of the time
 *     24   4  bits 0 to 31 of the time: event time in ms since INSTANT_MIN_MS, so it is exact
 *     28   4  keyed digest of the content
 *
 * and, in the head of its bucket, a tag of 8 bits of the hash, two bits of kind, and the two
 * highest bits of the time.
 */
#ifndef CORE_DEDUP_H
#define CORE_DEDUP_H

#include "core/watermark.h"
#include "pay/ident.h"

enum {
    DEDUP_UNIT_SIZE = 256,
    DEDUP_SWEEP_STEPS = 1, /* Buckets looked at for each message. */
    DEDUP_UNITS_MIN = 64,
};

/* Lent, zeroed, aligned to 64 bytes. */
struct dedup_memory {
    void *units;
    size_t unit_count;
};

/* An id to look for. Text: of a long one; not looked at for the others. */
struct dedup_id {
    enum ident_kind kind;
    struct ident ident;
    uint64_t hash; /* ident_hash of it. */
    struct span text;
};

/* What is remembered of the accepted payment. */
struct dedup_first {
    uint16_t source;
    uint64_t offset;
    int64_t event_ms;
    uint32_t digest;
};

/* What decides whether something is forgotten. */
struct dedup_now {
    int64_t watermark_ms; /* G; INSTANT_NONE: nothing is. */
    int64_t retention_ms;
};

struct dedup {
    struct siphash_key key;
    uint8_t *units; /* Lent. */
    uint32_t unit_count;
    uint32_t bucket_count;
    uint32_t level_mask;   /* Buckets at the last doubling, minus one. */
    uint32_t back_units;   /* Taken from the back, ever. */
    uint32_t free_node;    /* Unit number of the first free overflow node; 0: none. */
    uint32_t free_chunk;   /* The same for chunks of text. */
    uint32_t oldest_chunk; /* In use, in the order of taking. */
    uint32_t newest_chunk;
    uint32_t hand;        /* Bucket where sweeping goes on. */
    int64_t oldest_ms;    /* No id held is older; INT64_MAX: none is held. */
    int64_t circle_ms;    /* The same of what the hand has passed since it began a circle. */
    uint64_t entry_count; /* Ids held, swept ones not counted. */
};

static inline bool dedup_forgotten(const struct dedup_now *now, int64_t first_event_ms)
{
    return watermark_passed(now->watermark_ms, first_event_ms + now->retention_ms);
}

void dedup_init(struct dedup *dedup, const struct siphash_key *key,
                const struct dedup_memory *memory);

/*
 * So many ids are on their way: have the buckets for them from the beginning, instead of splitting
 * them one by one. The memory is empty. Of a guess that is too low the rest is split as ever, one
 * that is too high costs memory; of both only speed depends. Returns where they will go: to be
 * backed, for they will be looked into at random.
 */
struct span dedup_expect(struct dedup *dedup, uint64_t ids);

/*
 * Draw near what looking for this id, and adding it, will touch: first its bucket's head, and
 * some ids later, when that has come, the slot and the spill.
 */
void dedup_prefetch(const struct dedup *dedup, uint64_t hash);
void dedup_prefetch_slot(const struct dedup *dedup, uint64_t hash);

/* False: never accepted, or forgotten by now. */
MUST_USE bool dedup_find(const struct dedup *dedup, const struct dedup_id *id,
                         const struct dedup_now *now, struct dedup_first *ret_first);

/*
 * Have room for this id: sweep, grow. False: all the lent memory holds live ids; nothing that
 * any answer depends on has changed.
 */
MUST_USE bool dedup_make_room(struct dedup *dedup, const struct dedup_id *id,
                              const struct dedup_now *now);

/* Remember it; dedup_make_room has said yes, and dedup_find no. */
void dedup_add(struct dedup *dedup, const struct dedup_id *id, const struct dedup_first *first,
               const struct dedup_now *now);

/* Let go of an id that dedup_find knows: it was accepted again, so it had been forgotten once. */
void dedup_forget(struct dedup *dedup, const struct dedup_id *id, const struct dedup_now *now);

/* Sweep a little; sweep all that is forgotten now (before the retention changes). */
void dedup_sweep(struct dedup *dedup, const struct dedup_now *now);
void dedup_sweep_all(struct dedup *dedup, const struct dedup_now *now);

/*
 * A sum over all ids alive now, with what is remembered of each: equal for equal memories,
 * whatever their size, order, or what they have still to sweep. Walks the whole memory.
 */
uint64_t dedup_hash(const struct dedup *dedup, const struct dedup_now *now);

/*
 * How much lent memory the data would need, judged by the span of time the ids cover: up to
 * newest_ms, where lateness + retention is what has to be covered. Walks over the buckets.
 */
uint64_t dedup_bytes_wanted(const struct dedup *dedup, const struct dedup_now *now,
                            int64_t newest_ms, int64_t lateness_ms);

uint64_t dedup_bytes_touched(const struct dedup *dedup);

/* What buckets grow into next, at most `size` bytes. */
struct span dedup_ahead(const struct dedup *dedup, size_t size);

#endif
