/*
 * lock: one owner a volume.
 *
 * An OFD lock on a file, held until closed or the process is gone. It stops a second
 * process, not a second volume. The file says who holds it (pid, since when).
 */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include "base/fault.h"

struct lock {
    int file;
};

/* BROKEN with FAULT_DATA_DIR_IN_USE: names the holder. */
MUST_USE enum outcome lock_take(struct lock *lock, const char *path, struct fault *ret_fault);
void lock_release(struct lock *lock);

/* Does somebody hold it, and who? Takes nothing, changes nothing. */
enum { LOCK_HOLDER_SIZE = 100 };
bool lock_holder(const char *path, char ret_holder[LOCK_HOLDER_SIZE]);

#endif
