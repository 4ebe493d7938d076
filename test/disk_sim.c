#include "test/disk_sim.h"

#include "base/checksum.h"
#include "test/disk_sim_parts.h"

#include <string.h>

static struct disk_sim *sim_of(struct disk *disk)
{
    return (struct disk_sim *)disk;
}

/* Operations: each burns the fuse, and may fail. */

enum fate { GOES_WELL, IS_CUT, IS_HALF_DONE, HAS_FAILED, HAS_NO_SPACE, IS_SHORT };

static enum fate next_fate(struct disk_sim *sim, bool takes_room)
{
    if (sim->dead) {
        return IS_CUT;
    }
    sim->operations++;
    if (sim->operations == sim->fuse) {
        sim->dead = true;
        return sim->moment == DISK_SIM_BEFORE ? IS_CUT : IS_HALF_DONE;
    }
    bool hit = sim->operations == sim->failure_at ||
               (sim->failure_for_ever && sim->operations > sim->failure_at);
    if (sim->failure == DISK_SIM_GOOD || !hit) {
        return GOES_WELL;
    }
    if (sim->failure == DISK_SIM_EIO) {
        return HAS_FAILED;
    }
    if (!takes_room) {
        return GOES_WELL;
    }
    return sim->failure == DISK_SIM_SHORT ? IS_SHORT : HAS_NO_SPACE;
}

static enum outcome answer(enum fate fate, struct fault *ret_fault)
{
    switch (fate) {
    case GOES_WELL:
        return DONE;
    case IS_CUT:
    case IS_HALF_DONE:
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO, "the power is gone");
    case HAS_FAILED:
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO, "input/output error");
    case HAS_NO_SPACE:
    case IS_SHORT:
        break;
    }
    return fault_is(ret_fault, LATER, FAULT_DISK_SPACE, "no space left on device");
}

static enum outcome no_power(const struct disk_sim *sim, struct fault *ret_fault)
{
    return answer(sim->dead ? IS_CUT : GOES_WELL, ret_fault);
}

static struct disk_sim_file *file_of(struct disk_sim *sim, disk_file handle)
{
    must(handle >= 0 && handle < DISK_SIM_FILES && sim->handles[handle] > 0);
    return &sim->files[sim->handles[handle] - 1];
}

/* The calls of a struct disk. */

static enum outcome sim_list(struct disk *disk, size_t index, char ret_name[DISK_NAME_MAX],
                             struct fault *ret_fault)
{
    struct disk_sim *sim = sim_of(disk);
    size_t seen = 0;

    for (size_t at = 0; !sim->dead && at < DISK_SIM_FILES; at++) {
        if (sim->names[at].text[0] != '\0' && seen++ == index) {
            strcpy(ret_name, sim->names[at].text);
            return DONE;
        }
    }
    return sim->dead ? no_power(sim, ret_fault) : LATER;
}

static enum outcome sim_create(struct disk_sim *sim, const char *name, int *ret_file,
                               struct fault *ret_fault)
{
    enum fate fate = next_fate(sim, true);

    if (fate != GOES_WELL && fate != IS_HALF_DONE) {
        return answer(fate, ret_fault);
    }
    int file = 0;
    while (file < DISK_SIM_FILES && sim->files[file].used) {
        file++;
    }
    must(file < DISK_SIM_FILES);
    sim->files[file].used = true;
    sim_change_names(sim, "", name, file);
    *ret_file = file;
    return answer(fate, ret_fault);
}

static enum outcome sim_open(struct disk *disk, const char *name, bool create, disk_file *ret_file,
                             struct fault *ret_fault)
{
    struct disk_sim *sim = sim_of(disk);
    const struct disk_sim_name *known = sim_find(sim->names, name);
    enum outcome outcome = no_power(sim, ret_fault);
    int file = known == NULL ? -1 : known->file;

    if (outcome == DONE && known == NULL) {
        outcome = create ? sim_create(sim, name, &file, ret_fault) : LATER;
    }
    if (outcome != DONE) {
        return outcome;
    }
    int handle = 0;
    while (handle < DISK_SIM_FILES && sim->handles[handle] != 0) {
        handle++;
    }
    must(handle < DISK_SIM_FILES);
    sim->handles[handle] = file + 1;
    *ret_file = handle;
    return DONE;
}

static void sim_close(struct disk *disk, disk_file file)
{
    struct disk_sim *sim = sim_of(disk);

    must(file < DISK_SIM_FILES && sim->handles[file] > 0);
    sim->handles[file] = 0;
    sim_collect(sim);
}

static enum outcome sim_size(struct disk *disk, disk_file file, uint64_t *ret_size,
                             struct fault *ret_fault)
{
    *ret_size = file_of(sim_of(disk), file)->size;
    return no_power(sim_of(disk), ret_fault);
}

static enum outcome sim_read(struct disk *disk, disk_file handle, uint64_t offset, void *into,
                             size_t size, size_t *ret_size, struct fault *ret_fault)
{
    const struct disk_sim_file *file = file_of(sim_of(disk), handle);
    uint64_t left = offset < file->size ? file->size - offset : 0;
    size_t count = size < left ? size : (size_t)left;
    size_t there = offset < file->reach ? file->reach - (size_t)offset : 0;

    there = there < count ? there : count;
    if (there > 0) {
        memcpy(into, file->bytes + offset, there);
    }
    memset((uint8_t *)into + there, 0, count - there);
    *ret_size = count;
    return no_power(sim_of(disk), ret_fault);
}

static enum outcome sim_write(struct disk *disk, disk_file handle, uint64_t offset,
                              struct span bytes, struct fault *ret_fault)
{
    struct disk_sim *sim = sim_of(disk);
    enum fate fate = next_fate(sim, true);
    struct disk_sim_file *file = file_of(sim, handle);

    if (fate == GOES_WELL) {
        sim_file_write(file, offset, bytes.at, bytes.size);
    } else if (fate == IS_HALF_DONE || fate == HAS_FAILED || fate == IS_SHORT) {
        sim_file_write(file, offset, bytes.at, bytes.size / 2);
    }
    return answer(fate, ret_fault);
}

static enum outcome sim_sync(struct disk *disk, disk_file handle, struct fault *ret_fault)
{
    struct disk_sim *sim = sim_of(disk);
    enum fate fate = next_fate(sim, false);
    struct disk_sim_file *file = file_of(sim, handle);

    if (fate == GOES_WELL) {
        sim_file_sync(file);
    } else if (fate == IS_HALF_DONE) {
        sim_file_sync_half(sim, file);
    } else if (fate == HAS_FAILED) {
        sim_file_sync_fails(file);
    }
    return answer(fate, ret_fault);
}

static enum outcome sim_allocate(struct disk *disk, disk_file handle, uint64_t size,
                                 struct fault *ret_fault)
{
    enum fate fate = next_fate(sim_of(disk), true);
    struct disk_sim_file *file = file_of(sim_of(disk), handle);

    if ((fate == GOES_WELL || fate == IS_HALF_DONE) && size > file->size) {
        file->size = size;
    }
    return answer(fate, ret_fault);
}

static enum outcome sim_cut(struct disk *disk, disk_file handle, uint64_t size,
                            struct fault *ret_fault)
{
    enum fate fate = next_fate(sim_of(disk), false);

    if (fate == GOES_WELL || fate == IS_HALF_DONE) {
        sim_file_cut(file_of(sim_of(disk), handle), size);
    }
    return answer(fate, ret_fault);
}

static enum outcome change(struct disk_sim *sim, const char *from, const char *to,
                           struct fault *ret_fault)
{
    enum fate fate = next_fate(sim, to[0] != '\0');
    const struct disk_sim_name *name = sim_find(sim->names, from);

    if (fate == GOES_WELL || fate == IS_HALF_DONE) {
        must(name != NULL);
        sim_change_names(sim, from, to, name->file);
        sim_collect(sim);
    }
    return answer(fate, ret_fault);
}

static enum outcome sim_rename(struct disk *disk, const char *from, const char *to,
                               struct fault *ret_fault)
{
    return change(sim_of(disk), from, to, ret_fault);
}

static enum outcome sim_unlink(struct disk *disk, const char *name, struct fault *ret_fault)
{
    return change(sim_of(disk), name, "", ret_fault);
}

static enum outcome sim_sync_directory(struct disk *disk, struct fault *ret_fault)
{
    struct disk_sim *sim = sim_of(disk);
    enum fate fate = next_fate(sim, false);

    if (fate == IS_HALF_DONE) {
        sim_names_power_cut(sim, DISK_SIM_DICE);
    } else if (fate == GOES_WELL) {
        memcpy(sim->durable_names, sim->names, sizeof(sim->names));
        sim->change_count = 0;
        sim_collect(sim);
    }
    return answer(fate, ret_fault);
}

static enum outcome sim_free_bytes(struct disk *disk, uint64_t *ret_bytes, struct fault *ret_fault)
{
    *ret_bytes = sim_of(disk)->free_bytes;
    return no_power(sim_of(disk), ret_fault);
}

static void sim_forget(struct disk *disk, disk_file handle)
{
    sim_file_forget(file_of(sim_of(disk), handle));
}

static const struct disk_type disk_sim = {
    .list = sim_list,
    .open = sim_open,
    .close = sim_close,
    .size = sim_size,
    .read = sim_read,
    .write = sim_write,
    .sync = sim_sync,
    .allocate = sim_allocate,
    .cut = sim_cut,
    .rename = sim_rename,
    .unlink = sim_unlink,
    .sync_directory = sim_sync_directory,
    .free_bytes = sim_free_bytes,
    .forget = sim_forget,
};

void disk_sim_init(struct disk_sim *sim)
{
    sim->disk.type = &disk_sim;
    sim->free_bytes = UINT64_C(1) << 40;
}

void disk_sim_free(struct disk_sim *sim)
{
    for (size_t file = 0; file < DISK_SIM_FILES; file++) {
        sim_file_free(&sim->files[file]);
    }
    memset(sim, 0, sizeof(*sim));
}

static void without_process(struct disk_sim *sim)
{
    memset(sim->handles, 0, sizeof(sim->handles));
    sim->dead = false;
    sim->operations = 0;
    sim->fuse = 0;
    sim->failure = DISK_SIM_GOOD;
    sim->failure_at = 0;
    sim->failure_for_ever = false;
}

void disk_sim_copy(struct disk_sim *to, const struct disk_sim *from)
{
    to->disk = from->disk;
    to->free_bytes = from->free_bytes;
    to->dice = from->dice;
    for (size_t file = 0; file < DISK_SIM_FILES; file++) {
        if (from->files[file].used || to->files[file].used) {
            sim_file_copy(&to->files[file], &from->files[file]);
        }
    }
    memcpy(to->names, from->names, sizeof(to->names));
    memcpy(to->durable_names, from->durable_names, sizeof(to->durable_names));
    memcpy(to->changes, from->changes, from->change_count * sizeof(to->changes[0]));
    to->change_count = from->change_count;
    without_process(to);
}

void disk_sim_cut_at(struct disk_sim *sim, uint64_t operation, enum disk_sim_moment moment)
{
    sim->operations = 0;
    sim->fuse = operation;
    sim->moment = moment;
}

void disk_sim_fail_at(struct disk_sim *sim, uint64_t operation, enum disk_sim_failure failure,
                      bool for_ever)
{
    sim->operations = 0;
    sim->failure = failure;
    sim->failure_at = operation;
    sim->failure_for_ever = for_ever;
}

void disk_sim_restart(struct disk_sim *sim, uint64_t damage)
{
    sim->dice = damage;
    for (size_t file = 0; file < DISK_SIM_FILES; file++) {
        if (sim->files[file].used) {
            sim_file_power_cut(sim, &sim->files[file], damage);
        }
    }
    sim_names_power_cut(sim, damage);
    without_process(sim);
    sim_collect(sim);
}

void disk_sim_reopen(struct disk_sim *sim)
{
    without_process(sim);
    sim_collect(sim);
}

uint64_t disk_sim_hash(const struct disk_sim *sim)
{
    uint32_t crc = checksum(0, (struct span){sim->names, sizeof(sim->names)});
    uint64_t sum = 0;

    for (size_t index = 0; index < DISK_SIM_FILES; index++) {
        const struct disk_sim_file *file = &sim->files[index];
        crc = checksum(crc, (struct span){&file->size, sizeof(file->size)});
        crc = checksum(crc, (struct span){file->bytes, file->reach});
        sum += file->changed_count + file->durable_size;
    }
    return sum << 32 | crc;
}
