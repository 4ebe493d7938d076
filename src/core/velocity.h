/*
 * velocity: how often has this payer paid lately, and this very payment under another id?
 *
 * Of each sender the VELOCITY_PAYMENTS_MAX latest accepted payments, by order of acceptance, the
 * one that asks among them: counts go no further.
 * At most so many senders as the rules say (and the lent memory holds); the one who paid
 * longest ago leaves first. So what is remembered depends on the latest payments only, and a
 * fold that starts late remembers the same of them.
 *
 * A sender is known by its ident: exact for short texts and UUIDs, 128 keyed bits for longer
 * ones. Two payments look alike if the keyed 64 bits of sender, receiver, amount, currency are
 * equal: evidence for a score, never a verdict.
 */
#ifndef CORE_VELOCITY_H
#define CORE_VELOCITY_H

#include "base/instant.h"
#include "core/index.h"
#include "pay/ident.h"

enum { VELOCITY_PAYMENTS_MAX = 32 };

/* When, and the pair's hash; first in the record, for they are what is walked over. */
struct velocity_payment {
    int64_t event_ms;
    uint64_t pair_hash;
};

struct velocity_sender {
    struct ident ident;
    uint32_t older; /* In the order of the latest payment; sender's number, or INDEX_NONE. */
    uint32_t newer;
    uint8_t kind;
    uint8_t count; /* Payments held. */
    uint8_t next;  /* Where the next one goes: a ring. */
    uint8_t unused[5];
    uint64_t id_kinds; /* Two bits a payment. */
    uint8_t more[24];  /* To a multiple of a cache line. */
    struct velocity_payment payments[VELOCITY_PAYMENTS_MAX];
    struct ident ids[VELOCITY_PAYMENTS_MAX]; /* A long id: where its text stands, its length. */
};

_Static_assert(sizeof(struct velocity_sender) == 64 + 32 * VELOCITY_PAYMENTS_MAX, "whole lines");

/* Lent, zeroed. */
struct velocity_memory {
    struct velocity_sender *senders;
    size_t sender_count;
    uint64_t *cells; /* index_cell_count(sender_count) of them. */
    size_t cell_count;
    uint8_t *texts; /* Of long ids; the latest stay. */
    size_t text_size;
};

struct velocity {
    struct siphash_key key;
    struct velocity_sender *senders;
    size_t sender_capacity;
    size_t sender_limit; /* By the rules; at most the capacity. */
    size_t sender_count; /* Remembered now. */
    size_t sender_used;  /* Records ever used; those that left are on the free list. */
    uint32_t free_sender;
    uint32_t oldest;
    uint32_t newest;
    struct index index;
    uint8_t *texts;
    uint64_t text_size;
    uint64_t text_next; /* Bytes ever written; a text stays until text_size more were. */
};

/* A payment as velocity looks at it. */
struct velocity_ask {
    enum ident_kind sender_kind;
    struct ident sender;
    uint64_t sender_hash; /* ident_sender_hash of it. */
    enum ident_kind id_kind;
    struct ident id;
    struct span long_id;
    uint64_t pair_hash;
    int64_t event_ms;
};

struct velocity_answer {
    int32_t in_short; /* Event time in (t - VELOCITY_SHORT_MS, t], this one counted. */
    int32_t in_long;  /* The same with VELOCITY_LONG_MS. */
    uint8_t look_alike_size;
    char look_alike[IDENT_TEXT_MAX]; /* Id of the latest accepted look-alike; size 0: none. */
};

void velocity_init(struct velocity *velocity, const struct siphash_key *key,
                   const struct velocity_memory *memory);

/* Senders beyond this leave at once, the one who paid longest ago first. */
void velocity_limit(struct velocity *velocity, int64_t senders_max);

/*
 * Draw near where the sender's number stands; a little later, the sender (to be asked about: with
 * his payments); later still, what adding a payment of his touches.
 */
void velocity_prefetch(const struct velocity *velocity, uint64_t sender_hash);
void velocity_prefetch_sender(const struct velocity *velocity, uint64_t sender_hash,
                              bool with_payments);
void velocity_prefetch_next(const struct velocity *velocity, uint64_t sender_hash);

void velocity_find(const struct velocity *velocity, const struct velocity_ask *ask,
                   struct velocity_answer *ret_answer);

/* An accepted payment. Never without room: somebody leaves. */
void velocity_add(struct velocity *velocity, const struct velocity_ask *payment);

/* A sum over the payments that can still count, in their order; see dedup_hash. */
uint64_t velocity_hash(const struct velocity *velocity, int64_t watermark_ms);

uint64_t velocity_bytes_touched(const struct velocity *velocity);

#endif
