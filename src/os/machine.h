/*
 * machine: how much may this process use of where it runs?
 */
#ifndef OS_MACHINE_H
#define OS_MACHINE_H

#include "base/base.h"

struct machine_memory {
    uint64_t bytes;
    const char *whose; /* "cgroup" or "machine"; static. */
};

/*
 * The smallest memory limit of our control groups (version 2 or 1), else what the machine has.
 * root: where /proc and /sys are found, "" but for tests. machine_bytes: 0 asks the system.
 */
struct machine_memory machine_memory(const char *root, uint64_t machine_bytes);

/* Processors this process may run on; at least 1. */
unsigned machine_processors(void);

#endif
