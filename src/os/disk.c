#include "os/disk.h"

enum outcome disk_list(struct disk *disk, size_t index, char ret_name[DISK_NAME_MAX],
                       struct fault *ret_fault)
{
    return disk->type->list(disk, index, ret_name, ret_fault);
}

enum outcome disk_open(struct disk *disk, const char *name, bool create, disk_file *ret_file,
                       struct fault *ret_fault)
{
    return disk->type->open(disk, name, create, ret_file, ret_fault);
}

void disk_close(struct disk *disk, disk_file file)
{
    if (file >= 0) {
        disk->type->close(disk, file);
    }
}

enum outcome disk_size(struct disk *disk, disk_file file, uint64_t *ret_size,
                       struct fault *ret_fault)
{
    return disk->type->size(disk, file, ret_size, ret_fault);
}

enum outcome disk_read(struct disk *disk, disk_file file, uint64_t offset, void *into, size_t size,
                       size_t *ret_size, struct fault *ret_fault)
{
    return disk->type->read(disk, file, offset, into, size, ret_size, ret_fault);
}

enum outcome disk_write(struct disk *disk, disk_file file, uint64_t offset, struct span bytes,
                        struct fault *ret_fault)
{
    return disk->type->write(disk, file, offset, bytes, ret_fault);
}

enum outcome disk_sync(struct disk *disk, disk_file file, struct fault *ret_fault)
{
    return disk->type->sync(disk, file, ret_fault);
}

enum outcome disk_allocate(struct disk *disk, disk_file file, uint64_t size,
                           struct fault *ret_fault)
{
    return disk->type->allocate(disk, file, size, ret_fault);
}

enum outcome disk_cut(struct disk *disk, disk_file file, uint64_t size, struct fault *ret_fault)
{
    return disk->type->cut(disk, file, size, ret_fault);
}

enum outcome disk_rename(struct disk *disk, const char *from, const char *to,
                         struct fault *ret_fault)
{
    return disk->type->rename(disk, from, to, ret_fault);
}

enum outcome disk_unlink(struct disk *disk, const char *name, struct fault *ret_fault)
{
    return disk->type->unlink(disk, name, ret_fault);
}

enum outcome disk_sync_directory(struct disk *disk, struct fault *ret_fault)
{
    return disk->type->sync_directory(disk, ret_fault);
}

enum outcome disk_free_bytes(struct disk *disk, uint64_t *ret_bytes, struct fault *ret_fault)
{
    return disk->type->free_bytes(disk, ret_bytes, ret_fault);
}

void disk_forget(struct disk *disk, disk_file file)
{
    disk->type->forget(disk, file);
}

enum outcome disk_read_whole(struct disk *disk, const char *name, void *into, size_t size,
                             size_t *ret_size, struct fault *ret_fault)
{
    disk_file file;
    enum outcome outcome = disk_open(disk, name, false, &file, ret_fault);

    if (outcome == DONE) {
        outcome = disk_read(disk, file, 0, into, size, ret_size, ret_fault);
        disk_close(disk, file);
    }
    return outcome;
}

static enum outcome write_whole(struct disk *disk, const char *name, struct span bytes,
                                struct fault *ret_fault)
{
    disk_file file;
    enum outcome outcome = disk_open(disk, name, true, &file, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    outcome = disk_write(disk, file, 0, bytes, ret_fault);
    if (outcome == DONE) {
        outcome = disk_cut(disk, file, bytes.size, ret_fault);
    }
    if (outcome == DONE) {
        outcome = disk_sync(disk, file, ret_fault);
    }
    disk_close(disk, file);
    return outcome;
}

enum outcome disk_replace(struct disk *disk, const char *name, const char *beside,
                          struct span bytes, struct fault *ret_fault)
{
    enum outcome outcome = write_whole(disk, beside, bytes, ret_fault);

    if (outcome == DONE) {
        outcome = disk_rename(disk, beside, name, ret_fault);
    }
    return outcome == DONE ? disk_sync_directory(disk, ret_fault) : outcome;
}
