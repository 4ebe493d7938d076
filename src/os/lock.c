#include "os/lock.h"

#include "base/instant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void read_holder(int file, char ret_holder[LOCK_HOLDER_SIZE])
{
    ssize_t size = pread(file, ret_holder, LOCK_HOLDER_SIZE - 1, 0);

    ret_holder[size > 0 ? (size_t)size : 0] = '\0';
    ret_holder[strcspn(ret_holder, "\n")] = '\0';
}

static enum outcome held(int file, const char *path, struct fault *ret_fault)
{
    char holder[LOCK_HOLDER_SIZE];

    read_holder(file, holder);
    return fault_is(ret_fault, BROKEN, FAULT_DATA_DIR_IN_USE, "%s is held by %s", path,
                    holder[0] == '\0' ? "another process" : holder);
}

enum outcome lock_take(struct lock *lock, const char *path, struct fault *ret_fault)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char holder[LOCK_HOLDER_SIZE];
    char since[INSTANT_TEXT_SIZE];
    struct timespec now;

    lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock->file < 0) {
        return fault_is(ret_fault, BROKEN, FAULT_DATA_DIR, "%s: %s", path, strerror(errno));
    }
    if (fcntl(lock->file, F_OFD_SETLK, &whole) != 0) {
        enum outcome outcome = held(lock->file, path, ret_fault);
        lock_release(lock);
        return outcome;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    instant_write((int64_t)now.tv_sec * 1000, since);
    int size = snprintf(holder, sizeof(holder), "process %ld since %s\n", (long)getpid(), since);
    if (ftruncate(lock->file, 0) != 0 || pwrite(lock->file, holder, (size_t)size, 0) != size) {
        enum outcome outcome =
            fault_is(ret_fault, BROKEN, FAULT_DATA_DIR, "%s: %s", path, strerror(errno));
        lock_release(lock);
        return outcome;
    }
    return DONE;
}

void lock_release(struct lock *lock)
{
    if (lock->file >= 0) {
        (void)close(lock->file);
        lock->file = -1;
    }
}

bool lock_holder(const char *path, char ret_holder[LOCK_HOLDER_SIZE])
{
    struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        return false;
    }
    bool is_held = fcntl(file, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (is_held) {
        read_holder(file, ret_holder);
    }
    (void)close(file);
    return is_held;
}
