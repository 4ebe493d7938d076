/*
 * memory: one reservation at the start, backed as it is touched.
 *
 * Address space is reserved without being filled, so a large limit costs nothing until it is
 * used. Everything is zero at first. memory_back touches pages ahead of need, so that whoever
 * needs them later does not wait for the kernel.
 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include "base/fault.h"

enum { MEMORY_STEP = 2 * 1024 * 1024 };

/* Aligned to MEMORY_STEP. BROKEN: the system will not give that much. */
MUST_USE enum outcome memory_reserve(size_t size, void **ret_memory, struct fault *ret_fault);
void memory_release(void *memory, size_t size);

/*
 * It will be looked into at random: have it backed in steps of MEMORY_STEP where the system can,
 * for a look then costs one miss and not two. It takes memory in these steps, too.
 */
void memory_large_pages(void *at, size_t size);

/* Have [at, at + size) backed by pages now; contents stay as they are. */
void memory_back(void *at, size_t size);

#endif
