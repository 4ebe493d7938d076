/*
 * disk_sim: a disk that can lose its power, fail, fill up and rot; in memory, the same each time.
 *
 * It is a struct disk like any other, and it forgets like a real one:
 *
 *   - Each file has sectors of 512 bytes, each with what is durable and what the cache shows. At a
 *     power cut each sector that was not synced fares on its own: kept, lost, torn at a byte, or
 *     (1 in 100) garbage. The file's size fares apart from them: grown without data it reads zeros.
 *   - Names live apart from files: a create, rename or unlink that no directory sync followed may
 *     be there or not after a power cut, each on its own. Closing syncs nothing.
 *   - A sync that fails leaves the new bytes readable until the power cut, and then the old ones
 *     are back: no later sync saves them (unless they are written again).
 *   - An unlinked or renamed file stays readable through handles that are open.
 *
 * How to use it (a power cut at every operation, with every kind of damage):
 *
 *     struct disk_sim before, sim;             // zeroed; `before` holds what the story starts with
 *     for (uint64_t damage = 0; damage < 8; damage++) {
 *         for (uint64_t fuse = 1;; fuse++) {
 *             disk_sim_copy(&sim, &before);
 *             disk_sim_cut_at(&sim, fuse, DISK_SIM_HALF);
 *             run(&sim.disk);                  // sees BROKEN from the cut on
 *             if (!sim.dead) break;            // it ran through uncut
 *             disk_sim_restart(&sim, damage);  // power is back, no fuse any more
 *             recover(&sim.disk);
 *         }
 *     }
 *
 * What counts as an operation: create, write, sync, allocate, cut, rename, unlink, sync_directory.
 * sim.operations counts them since the last copy, cut_at or restart. Copying takes time in
 * proportion to the bytes ever written, not to the sizes of files. Not for several threads.
 */
#ifndef TEST_DISK_SIM_H
#define TEST_DISK_SIM_H

#include "os/disk.h"

enum {
    DISK_SIM_SECTOR = 512,
    DISK_SIM_FILES = 64, /* Also names, and open handles. */
    DISK_SIM_CHANGES = 256,
};

/* When the power goes: before operation number N, or in the middle of it. */
enum disk_sim_moment { DISK_SIM_BEFORE, DISK_SIM_HALF };

enum disk_sim_failure {
    DISK_SIM_GOOD,
    DISK_SIM_EIO,      /* BROKEN. A write did half; a sync has lost what it should have saved. */
    DISK_SIM_NO_SPACE, /* LATER, from what takes room: create, write, allocate, rename. */
    DISK_SIM_SHORT,    /* The same, but half of a write is there. */
};

/* The damages with a meaning; all larger numbers seed the dice. */
enum { DISK_SIM_ALL_LOST, DISK_SIM_ALL_KEPT, DISK_SIM_DICE };

struct disk_sim_sector {
    uint64_t number;
    bool lost; /* A sync failed: the old bytes come back. */
    uint8_t durable[DISK_SIM_SECTOR];
};

struct disk_sim_file {
    bool used;
    uint64_t size;
    uint64_t durable_size;
    uint8_t *bytes; /* What the cache shows, up to reach; behind it everything is zero. */
    size_t reach;
    size_t capacity;
    uint32_t *slots; /* By sector up to reach: index + 1 into changed; 0: as on the medium. */
    struct disk_sim_sector *changed;
    size_t changed_count;
    size_t changed_capacity;
};

struct disk_sim_name {
    char text[DISK_NAME_MAX]; /* Empty: free. */
    int file;
};

/* One change of names that no directory sync followed yet. from empty: a create. */
struct disk_sim_change {
    char from[DISK_NAME_MAX];
    char to[DISK_NAME_MAX]; /* Empty: an unlink. */
    int file;
};

struct disk_sim {
    struct disk disk;
    bool dead;           /* The power is gone: every call is BROKEN. */
    uint64_t operations; /* So far. */
    uint64_t fuse;       /* The operation at which the power goes. 0: none. */
    enum disk_sim_moment moment;
    enum disk_sim_failure failure;
    uint64_t failure_at; /* The operation that fails; with for_ever all from it on. */
    bool failure_for_ever;
    uint64_t free_bytes; /* What the volume says it has. */
    uint64_t dice;
    struct disk_sim_file files[DISK_SIM_FILES];
    struct disk_sim_name names[DISK_SIM_FILES];
    struct disk_sim_name durable_names[DISK_SIM_FILES];
    struct disk_sim_change changes[DISK_SIM_CHANGES];
    size_t change_count;
    int handles[DISK_SIM_FILES]; /* File + 1; 0: free. */
};

/* An empty disk. The struct must be zeroed, or one that was freed. */
void disk_sim_init(struct disk_sim *sim);
void disk_sim_free(struct disk_sim *sim);

/*
 * `to` becomes what `from` is, without its open handles, fuse and failure. `to` is zeroed or was
 * a disk before (its memory is used again).
 */
void disk_sim_copy(struct disk_sim *to, const struct disk_sim *from);

/* The power goes at the operation of this number, counted from now. */
void disk_sim_cut_at(struct disk_sim *sim, uint64_t operation, enum disk_sim_moment moment);

/* The operation of this number, counted from now, fails; or all from it on. */
void disk_sim_fail_at(struct disk_sim *sim, uint64_t operation, enum disk_sim_failure failure,
                      bool for_ever);

/* The power was cut, and is back. Handles are closed, fuse and failure gone. */
void disk_sim_restart(struct disk_sim *sim, uint64_t damage);

/* Only the process died: names, sizes and bytes are as the cache has them, still unsynced. */
void disk_sim_reopen(struct disk_sim *sim);

/* One bit of a file turns over, on the medium. The file must exist and be that long. */
void disk_sim_flip(struct disk_sim *sim, const char *name, uint64_t bit);

/* What the cache shows of a file: its bytes up to its size, into `to`. Returns the size. */
size_t disk_sim_peek(const struct disk_sim *sim, const char *name, uint8_t *to, size_t size_max);

/* Put these bytes into a file, durably, as if they had always been there. */
void disk_sim_poke(struct disk_sim *sim, const char *name, uint64_t offset, struct span bytes);

/* A number for everything on the medium and in the cache: has anything changed? */
uint64_t disk_sim_hash(const struct disk_sim *sim);

#endif
