/*
 * world: messages, a ledger, and up to two instances of the pipeline with a disk each.
 *
 * An instance runs the same functions as the engine, one by one and without a thread. When its
 * power goes, every call is BROKEN until it is started again. Messages have fixed arrival times,
 * and are taken in the order of the list, whatever happened before: so what the ledger ends up
 * with must always be the same.
 */
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "engine/courier.h"
#include "engine/pipeline.h"
#include "test/disk_sim.h"
#include "test/sim/ledger_sim.h"
#include "test/sim/messages.h"

enum {
    WORLD_INSTANCES = 2,
    WORLD_SAVED = 4,
    WORLD_EPOCHS_MAX = 96,
};

struct instance {
    struct disk_sim disk;
    struct engine_settings settings;
    struct ledger_sim ledger;
    struct ledger_sim reader;
    struct pipeline pipeline;
    struct courier courier;
    uint16_t numbers[LEDGER_SIM_SOURCES];
    int32_t arrival_s; /* Another clock than the world's; 0: the world's. */
    bool running;
    bool opened;              /* There is something to close. */
    struct sink *real_ledger; /* In place of the simulated ones; NULL: these. Borrowed. */
    struct sink *real_reader;
    bool real_open;
    struct ledger_sim copy; /* The follower's sink, */
    struct ledger_sim view; /* and what it is filled through. */
    struct courier follower;
    struct refill refill;
    void *follower_memory; /* Kept from start to start. */
    size_t follower_memory_size;
    bool follows; /* There is a follower at the next start. */
    bool following;
};

/* A clock that stands still unless told. */
struct clock_sim {
    struct clock clock;
    int64_t now_ms;
};

struct world {
    struct world_setting setting;
    struct clock_sim clock;
    struct ledger_store ledger;
    struct ledger_store saved[WORLD_SAVED];
    struct ledger_store copy; /* The follower's. */
    struct ledger_store copy_saved;
    struct instance instances[WORLD_INSTANCES];
    size_t partition_count;
    bool hashes_kept;
    uint64_t state_hashes[WORLD_EPOCHS_MAX]; /* Live, after the epoch of this number; 0: none. */
    struct chain hash_chains[WORLD_EPOCHS_MAX];
    uint64_t fuse;             /* A's power goes at its disk operation of this number. 0: never. */
    struct ledger_death death; /* A dies at its delivery of this number. */
    uint64_t spent;            /* Operations of A on disks that it no longer has. */
};

/* The disk as it is has no future (lost, or its power is back): what it counted is kept, */
void world_leave_disk(struct world *world, const struct instance *instance);

/* and the fuse burns on with what stands in its place. */
void world_burn_on(struct world *world, struct instance *instance);

/* The world begins: empty disks, an empty ledger. The struct is zeroed, or was a world before. */
void world_init(struct world *world, const struct world_setting *setting);
void world_free(struct world *world);

/* Start it: recover, join, first notes. Its disk has power. */
MUST_USE enum outcome instance_start(struct world *world, struct instance *instance,
                                     struct fault *ret_fault);

/* The first epoch of a start: its notes, the sources, those that have nothing more. */
MUST_USE enum outcome instance_begin(struct world *world, struct instance *instance,
                                     struct fault *ret_fault);

/* So many messages into the open epoch; fewer if there are no more. */
MUST_USE enum outcome instance_take(struct world *world, struct instance *instance, size_t count,
                                    struct fault *ret_fault);

/* The same from one partition only. */
MUST_USE enum outcome instance_take_from(struct world *world, struct instance *instance,
                                         uint16_t partition, size_t count, struct fault *ret_fault);

/* Close the open epoch and seal all that is closed. */
MUST_USE enum outcome instance_seal(struct world *world, struct instance *instance,
                                    struct fault *ret_fault);

/* One transaction of at most so many epochs. A refused one is looked into, as the engine does. */
MUST_USE enum outcome instance_deliver(struct instance *instance, size_t epochs_max,
                                       struct fault *ret_fault);
MUST_USE enum outcome instance_audit(struct instance *instance, struct fault *ret_fault);

/* The same with the follower: its sink found on the history, a transaction, all there is. */
MUST_USE enum outcome follower_start(struct world *world, struct instance *instance,
                                     struct fault *ret_fault);
MUST_USE enum outcome follower_deliver(struct instance *instance, size_t epochs_max,
                                       struct fault *ret_fault);
MUST_USE enum outcome follower_audit(struct instance *instance, struct fault *ret_fault);
MUST_USE enum outcome follower_finish(struct instance *instance, struct fault *ret_fault);
void follower_kill(struct instance *instance);

/* The process is gone; what it wrote is in the cache. */
void instance_kill(struct world *world, struct instance *instance);

/* Take, seal and deliver all there is. */
MUST_USE enum outcome instance_finish(struct world *world, struct instance *instance,
                                      struct fault *ret_fault);
bool instance_has_more(const struct world *world, const struct instance *instance);

#endif
