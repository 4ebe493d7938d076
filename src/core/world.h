/*
 * world: a state with memory of its own, and messages made by hand. For tests only.
 */
#ifndef CORE_WORLD_H
#define CORE_WORLD_H

#include "core/state.h"

struct world {
    struct state state;
    void *block; /* What the state's memory stands in; zeroed, filled as it is touched. */
    size_t size;
};

/* Different keys put every id into another slot. */
void world_begin(struct world *world, uint64_t key, const struct state_limits *limits);
void world_end(struct world *world);

/* One source joins, named by its number. */
void world_join(struct world *world, uint16_t source, uint64_t start);
void world_rules(struct world *world, const struct rules *rules);
void world_note(struct world *world, enum decision_kind kind, uint16_t source);

/* What a test says about a payment; texts are lent. */
struct told {
    uint16_t source;
    uint64_t offset;
    int64_t event_ms;
    int64_t arrival_ms; /* 0: the event time. */
    const char *id;
    const char *sender;   /* NULL: "payer". */
    const char *receiver; /* NULL: "shop". */
    const char *currency; /* NULL: "USD". */
    const char *region;   /* NULL: absent. */
    int64_t units;        /* 0: 100 */
    int64_t scale;
    bool invalid;
};

/* The message, with what the key makes of it. */
struct message world_message(const struct world *world, const struct told *told);

/* Judge, decide, apply; every step must go well. */
struct judgement world_take(struct world *world, const struct told *told);

#endif
