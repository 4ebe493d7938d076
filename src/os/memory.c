#include "os/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_SIZE = 4096 };

enum outcome memory_reserve(size_t size, void **ret_memory, struct fault *ret_fault)
{
    size_t wanted = size + MEMORY_STEP;
    void *start = mmap(NULL, wanted, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "cannot reserve %zu bytes: %s", size,
                        strerror(errno));
    }
    size_t before = (MEMORY_STEP - (uintptr_t)start % MEMORY_STEP) % MEMORY_STEP;
    size_t behind = wanted - before - size;
    uint8_t *aligned = (uint8_t *)start + before;
    if (before > 0) {
        (void)munmap(start, before);
    }
    uintptr_t end = ((uintptr_t)aligned + size + 4095) & ~(uintptr_t)4095;
    size_t spare = (uintptr_t)aligned + size + behind - end;
    if (spare > 0) {
        (void)munmap((void *)end, spare);
    }
    *ret_memory = aligned;
    return DONE;
}

void memory_release(void *memory, size_t size)
{
    if (memory != NULL) {
        (void)munmap(memory, size);
    }
}

void memory_large_pages(void *at, size_t size)
{
    (void)madvise(at, size, MADV_HUGEPAGE); /* A hint; without it all works the same. */
}

void memory_back(void *at, size_t size)
{
    size_t before = (uintptr_t)at % PAGE_SIZE;
    void *page = (uint8_t *)at - before;

    (void)madvise(page, size + before, MADV_POPULATE_WRITE);
}
