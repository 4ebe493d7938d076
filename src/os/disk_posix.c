#include "os/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct disk_posix *posix_of(struct disk *disk)
{
    return (struct disk_posix *)disk;
}

/* No space is for later; all else is final. */
static enum outcome failed(const char *what, const char *name, struct fault *ret_fault)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
        return fault_is(ret_fault, LATER, FAULT_DISK_SPACE, "%s %s: %s", what, name,
                        strerror(errno));
    }
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO, "%s %s: %s", what, name, strerror(errno));
}

/* A listing goes on where the last call stood; index 0 begins a new one. */
static enum outcome list_again(struct disk_posix *posix, struct fault *ret_fault)
{
    int copy = openat(posix->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (posix->list != NULL) {
        (void)closedir(posix->list);
    }
    posix->list_next = 0;
    posix->list = copy < 0 ? NULL : fdopendir(copy);
    if (posix->list == NULL) {
        enum outcome outcome = failed("list", ".", ret_fault);
        if (copy >= 0) {
            (void)close(copy);
        }
        return outcome;
    }
    return DONE;
}

static enum outcome posix_list(struct disk *disk, size_t index, char ret_name[DISK_NAME_MAX],
                               struct fault *ret_fault)
{
    struct disk_posix *posix = posix_of(disk);
    const struct dirent *entry;

    if (posix->list == NULL || index == 0 || index != posix->list_next) {
        enum outcome outcome = list_again(posix, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
    }
    while ((entry = readdir(posix->list)) != NULL) {
        size_t size = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || size >= DISK_NAME_MAX) {
            continue;
        }
        if (posix->list_next++ == index) {
            memcpy(ret_name, entry->d_name, size + 1);
            return DONE;
        }
    }
    (void)closedir(posix->list);
    posix->list = NULL;
    return LATER;
}

static enum outcome posix_open(struct disk *disk, const char *name, bool create,
                               disk_file *ret_file, struct fault *ret_fault)
{
    int flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0);
    int file = openat(posix_of(disk)->directory, name, flags, 0600);

    if (file < 0 && errno == ENOENT && !create) {
        return LATER;
    }
    if (file < 0) {
        return failed("open", name, ret_fault);
    }
    *ret_file = file;
    return DONE;
}

static void posix_close(struct disk *disk, disk_file file)
{
    (void)disk;
    (void)close(file);
}

static enum outcome posix_size(struct disk *disk, disk_file file, uint64_t *ret_size,
                               struct fault *ret_fault)
{
    struct stat status;

    (void)disk;
    if (fstat(file, &status) != 0) {
        return failed("look at", "a file", ret_fault);
    }
    *ret_size = (uint64_t)status.st_size;
    return DONE;
}

/*
 * Past the page cache, or through it? A file system that cannot go past it says so here, or at
 * the first write, and is then written through it.
 */
static bool set_direct(int file, bool direct)
{
    int flags = fcntl(file, F_GETFL);

    if (flags < 0 || ((flags & O_DIRECT) != 0) == direct) {
        return false;
    }
    return fcntl(file, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

static bool is_aligned(const void *memory, uint64_t offset, size_t size)
{
    return ((uintptr_t)memory | offset | size) % DISK_BLOCK == 0;
}

static enum outcome posix_read(struct disk *disk, disk_file file, uint64_t offset, void *into,
                               size_t size, size_t *ret_size, struct fault *ret_fault)
{
    uint8_t *to = into;

    (void)disk;
    *ret_size = 0;
    while (*ret_size < size) {
        ssize_t count = pread(file, to + *ret_size, size - *ret_size, (off_t)(offset + *ret_size));
        if (count < 0 && (errno == EINTR || (errno == EINVAL && set_direct(file, false)))) {
            continue;
        }
        if (count < 0) {
            return failed("read", "the journal", ret_fault);
        }
        if (count == 0) {
            break;
        }
        *ret_size += (size_t)count;
    }
    return DONE;
}

static enum outcome posix_write(struct disk *disk, disk_file file, uint64_t offset,
                                struct span bytes, struct fault *ret_fault)
{
    const uint8_t *from = bytes.at;
    size_t written = 0;

    (void)disk;
    (void)set_direct(file, is_aligned(from, offset, bytes.size));
    while (written < bytes.size) {
        ssize_t count =
            pwrite(file, from + written, bytes.size - written, (off_t)(offset + written));
        if (count < 0 && (errno == EINTR || (errno == EINVAL && set_direct(file, false)))) {
            continue;
        }
        if (count < 0) {
            return failed("write", "the journal", ret_fault);
        }
        written += (size_t)count;
    }
    return DONE;
}

static enum outcome posix_sync(struct disk *disk, disk_file file, struct fault *ret_fault)
{
    (void)disk;
    return fdatasync(file) == 0 ? DONE
                                : fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO,
                                           "fdatasync of the journal: %s", strerror(errno));
}

static enum outcome posix_allocate(struct disk *disk, disk_file file, uint64_t size,
                                   struct fault *ret_fault)
{
    (void)disk;
    if (fallocate(file, 0, 0, (off_t)size) == 0 || errno == EOPNOTSUPP) {
        return DONE; /* Where there is no such call, the file grows as it is written. */
    }
    return failed("allocate", "a segment", ret_fault);
}

static enum outcome posix_cut(struct disk *disk, disk_file file, uint64_t size,
                              struct fault *ret_fault)
{
    (void)disk;
    return ftruncate(file, (off_t)size) == 0 ? DONE : failed("cut", "a segment", ret_fault);
}

static enum outcome posix_rename(struct disk *disk, const char *from, const char *to,
                                 struct fault *ret_fault)
{
    int directory = posix_of(disk)->directory;

    return renameat(directory, from, directory, to) == 0 ? DONE : failed("rename", from, ret_fault);
}

static enum outcome posix_unlink(struct disk *disk, const char *name, struct fault *ret_fault)
{
    return unlinkat(posix_of(disk)->directory, name, 0) == 0 ? DONE
                                                             : failed("unlink", name, ret_fault);
}

static enum outcome posix_sync_directory(struct disk *disk, struct fault *ret_fault)
{
    return fsync(posix_of(disk)->directory) == 0
               ? DONE
               : fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO, "fsync of the directory: %s",
                          strerror(errno));
}

static enum outcome posix_free_bytes(struct disk *disk, uint64_t *ret_bytes,
                                     struct fault *ret_fault)
{
    struct statvfs status;

    if (fstatvfs(posix_of(disk)->directory, &status) != 0) {
        return failed("look at", "the volume", ret_fault);
    }
    *ret_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return DONE;
}

static void posix_forget(struct disk *disk, disk_file file)
{
    (void)disk;
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
}

static const struct disk_type disk_posix = {
    .list = posix_list,
    .open = posix_open,
    .close = posix_close,
    .size = posix_size,
    .read = posix_read,
    .write = posix_write,
    .sync = posix_sync,
    .allocate = posix_allocate,
    .cut = posix_cut,
    .rename = posix_rename,
    .unlink = posix_unlink,
    .sync_directory = posix_sync_directory,
    .free_bytes = posix_free_bytes,
    .forget = posix_forget,
};

enum outcome disk_posix_open(struct disk_posix *posix, const char *path, struct fault *ret_fault)
{
    *posix = (struct disk_posix){.disk = {&disk_posix}};
    posix->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (posix->directory < 0) {
        return fault_is(ret_fault, BROKEN, FAULT_DATA_DIR, "%s: %s", path, strerror(errno));
    }
    return DONE;
}

void disk_posix_close(struct disk_posix *posix)
{
    if (posix->list != NULL) {
        (void)closedir(posix->list);
        posix->list = NULL;
    }
    if (posix->directory >= 0) {
        (void)close(posix->directory);
        posix->directory = -1;
    }
}
