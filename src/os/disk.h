/*
 * disk: one directory of files, and the few promises we take from it.
 *
 * disk_posix.c is the real one. test/disk_sim.c forgets whatever was not synced,
 * which is what a power cut does. Offsets and sizes in bytes; names without a slash.
 *
 *   - What disk_sync has returned DONE for survives a power cut; nothing else does.
 *   - A file's name (create, rename, unlink) survives only after disk_sync_directory.
 *   - BROKEN from a write or sync is final: never retried, nothing more is written (the pages
 *     may be marked clean and lost). No space is LATER with FAULT_DISK_SPACE.
 *   - Writes whose place, size and memory are multiples of DISK_BLOCK may bypass the page
 *     cache; all others work, too, and are slower.
 *   - Calls for different files may come from different threads.
 */
#ifndef OS_DISK_H
#define OS_DISK_H

#include "base/fault.h"

enum { DISK_BLOCK = 4096, DISK_NAME_MAX = 64 };

struct disk;

/* An open file; which one is the disk's business. Negative: none. */
typedef int disk_file;

struct disk_type {
    enum outcome (*list)(struct disk *disk, size_t index, char ret_name[DISK_NAME_MAX],
                         struct fault *ret_fault); /* LATER: no more. */
    enum outcome (*open)(struct disk *disk, const char *name, bool create, disk_file *ret_file,
                         struct fault *ret_fault); /* LATER: not there. */
    void (*close)(struct disk *disk, disk_file file);
    enum outcome (*size)(struct disk *disk, disk_file file, uint64_t *ret_size,
                         struct fault *ret_fault);
    enum outcome (*read)(struct disk *disk, disk_file file, uint64_t offset, void *into,
                         size_t size, size_t *ret_size, struct fault *ret_fault);
    enum outcome (*write)(struct disk *disk, disk_file file, uint64_t offset, struct span bytes,
                          struct fault *ret_fault);
    enum outcome (*sync)(struct disk *disk, disk_file file, struct fault *ret_fault);
    enum outcome (*allocate)(struct disk *disk, disk_file file, uint64_t size,
                             struct fault *ret_fault);
    enum outcome (*cut)(struct disk *disk, disk_file file, uint64_t size, struct fault *ret_fault);
    enum outcome (*rename)(struct disk *disk, const char *from, const char *to,
                           struct fault *ret_fault);
    enum outcome (*unlink)(struct disk *disk, const char *name, struct fault *ret_fault);
    enum outcome (*sync_directory)(struct disk *disk, struct fault *ret_fault);
    enum outcome (*free_bytes)(struct disk *disk, uint64_t *ret_bytes, struct fault *ret_fault);
    void (*forget)(struct disk *disk, disk_file file);
};

struct disk {
    const struct disk_type *type;
};

MUST_USE enum outcome disk_list(struct disk *disk, size_t index, char ret_name[DISK_NAME_MAX],
                                struct fault *ret_fault);
MUST_USE enum outcome disk_open(struct disk *disk, const char *name, bool create,
                                disk_file *ret_file, struct fault *ret_fault);
void disk_close(struct disk *disk, disk_file file);
MUST_USE enum outcome disk_size(struct disk *disk, disk_file file, uint64_t *ret_size,
                                struct fault *ret_fault);

/* Read up to size bytes; fewer come back only at the end of the file. */
MUST_USE enum outcome disk_read(struct disk *disk, disk_file file, uint64_t offset, void *into,
                                size_t size, size_t *ret_size, struct fault *ret_fault);
MUST_USE enum outcome disk_write(struct disk *disk, disk_file file, uint64_t offset,
                                 struct span bytes, struct fault *ret_fault);
MUST_USE enum outcome disk_sync(struct disk *disk, disk_file file, struct fault *ret_fault);

/* Make room for size bytes ahead of need; what was not written reads as zeros. */
MUST_USE enum outcome disk_allocate(struct disk *disk, disk_file file, uint64_t size,
                                    struct fault *ret_fault);
MUST_USE enum outcome disk_cut(struct disk *disk, disk_file file, uint64_t size,
                               struct fault *ret_fault);
MUST_USE enum outcome disk_rename(struct disk *disk, const char *from, const char *to,
                                  struct fault *ret_fault);
MUST_USE enum outcome disk_unlink(struct disk *disk, const char *name, struct fault *ret_fault);
MUST_USE enum outcome disk_sync_directory(struct disk *disk, struct fault *ret_fault);
MUST_USE enum outcome disk_free_bytes(struct disk *disk, uint64_t *ret_bytes,
                                      struct fault *ret_fault);

/*
 * All of a small file at once. read_whole: at most size bytes of it; LATER: it is not there.
 * replace: after DONE these bytes are the file, durably; else it is the old one or, where only the
 * last sync failed, perhaps the new one: whole either way. They go into the file `beside` first,
 * which then takes its name.
 */
MUST_USE enum outcome disk_read_whole(struct disk *disk, const char *name, void *into, size_t size,
                                      size_t *ret_size, struct fault *ret_fault);
MUST_USE enum outcome disk_replace(struct disk *disk, const char *name, const char *beside,
                                   struct span bytes, struct fault *ret_fault);

/* What is read from this file next comes from the medium, not from a cache of it. */
void disk_forget(struct disk *disk, disk_file file);

/* The real one: the files of this directory, which must exist. Memory is the caller's. */
struct disk_posix {
    struct disk disk;
    int directory;
    void *list; /* An open listing, which stands at entry list_next. NULL: none. */
    size_t list_next;
};

MUST_USE enum outcome disk_posix_open(struct disk_posix *posix, const char *path,
                                      struct fault *ret_fault);
void disk_posix_close(struct disk_posix *posix);

#endif
