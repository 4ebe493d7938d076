#include "test/disk_sim_parts.h"

#include <stdlib.h>
#include <string.h>

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t sim_roll(struct disk_sim *sim)
{
    uint64_t word = sim->dice += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static void *grown(void *memory, size_t size)
{
    void *more = realloc(memory, size);

    must(more != NULL);
    return more;
}

static void file_reach(struct disk_sim_file *file, uint64_t end)
{
    size_t reach = (size_t)(end + DISK_SIM_SECTOR - 1) / DISK_SIM_SECTOR * DISK_SIM_SECTOR;

    if (reach <= file->reach) {
        return;
    }
    if (reach > file->capacity) {
        file->capacity = reach * 2;
        file->bytes = grown(file->bytes, file->capacity);
        file->slots = grown(file->slots, file->capacity / DISK_SIM_SECTOR * sizeof(uint32_t));
    }
    memset(file->bytes + file->reach, 0, reach - file->reach);
    memset(file->slots + file->reach / DISK_SIM_SECTOR, 0,
           (reach - file->reach) / DISK_SIM_SECTOR * sizeof(uint32_t));
    file->reach = reach;
}

/* Before a sector is changed: what the medium has of it is set aside. */
static void file_touch(struct disk_sim_file *file, size_t number)
{
    if (file->slots[number] != 0) {
        file->changed[file->slots[number] - 1].lost = false;
        return;
    }
    if (file->changed_count == file->changed_capacity) {
        file->changed_capacity = file->changed_capacity * 2 + 16;
        file->changed =
            grown(file->changed, file->changed_capacity * sizeof(struct disk_sim_sector));
    }
    struct disk_sim_sector *sector = &file->changed[file->changed_count++];
    sector->number = number;
    sector->lost = false;
    memcpy(sector->durable, file->bytes + number * DISK_SIM_SECTOR, DISK_SIM_SECTOR);
    file->slots[number] = (uint32_t)file->changed_count;
}

void sim_file_write(struct disk_sim_file *file, uint64_t offset, const void *from, size_t size)
{
    if (size == 0) {
        return;
    }
    file_reach(file, offset + size);
    for (size_t number = (size_t)offset / DISK_SIM_SECTOR;
         number <= (size_t)(offset + size - 1) / DISK_SIM_SECTOR; number++) {
        file_touch(file, number);
    }
    memcpy(file->bytes + offset, from, size);
    if (offset + size > file->size) {
        file->size = offset + size;
    }
}

void sim_file_cut(struct disk_sim_file *file, uint64_t size)
{
    if (size < file->reach) {
        for (size_t number = (size_t)size / DISK_SIM_SECTOR; number < file->reach / DISK_SIM_SECTOR;
             number++) {
            file_touch(file, number);
        }
        memset(file->bytes + size, 0, file->reach - (size_t)size);
    }
    file->size = size;
}

static void file_forget_changes(struct disk_sim_file *file)
{
    for (size_t index = 0; index < file->changed_count; index++) {
        file->slots[file->changed[index].number] = 0;
    }
    file->changed_count = 0;
}

/* All but what an earlier sync has lost becomes durable. */
void sim_file_sync(struct disk_sim_file *file)
{
    size_t kept = 0;

    for (size_t index = 0; index < file->changed_count; index++) {
        uint64_t number = file->changed[index].number;
        if (!file->changed[index].lost) {
            file->slots[number] = 0;
        } else {
            file->changed[kept] = file->changed[index];
            file->slots[number] = (uint32_t)++kept;
        }
    }
    file->changed_count = kept;
    file->durable_size = file->size;
}

/* The power went in the middle of a sync: some sectors had arrived. */
void sim_file_sync_half(struct disk_sim *sim, struct disk_sim_file *file)
{
    for (size_t index = 0; index < file->changed_count; index++) {
        struct disk_sim_sector *sector = &file->changed[index];
        if (!sector->lost && sim_roll(sim) % 2 == 0) {
            memcpy(sector->durable, file->bytes + sector->number * DISK_SIM_SECTOR,
                   DISK_SIM_SECTOR);
        }
    }
}

void sim_file_sync_fails(struct disk_sim_file *file)
{
    for (size_t index = 0; index < file->changed_count; index++) {
        file->changed[index].lost = true;
    }
}

/* How many bytes of a sector that was not synced have arrived; garbage is for the caller. */
static size_t luck(struct disk_sim *sim, uint64_t damage)
{
    uint64_t number = sim_roll(sim) % 100;

    if (damage == DISK_SIM_ALL_LOST) {
        return 0;
    }
    if (damage == DISK_SIM_ALL_KEPT || number < 33) {
        return DISK_SIM_SECTOR;
    }
    return number < 66 ? 0 : (size_t)(sim_roll(sim) % DISK_SIM_SECTOR);
}

void sim_file_power_cut(struct disk_sim *sim, struct disk_sim_file *file, uint64_t damage)
{
    for (size_t index = 0; index < file->changed_count; index++) {
        struct disk_sim_sector *sector = &file->changed[index];
        uint8_t *bytes = file->bytes + sector->number * DISK_SIM_SECTOR;
        size_t kept = sector->lost ? 0 : luck(sim, damage);
        memcpy(bytes + kept, sector->durable + kept, DISK_SIM_SECTOR - kept);
        if (damage >= DISK_SIM_DICE && !sector->lost && sim_roll(sim) % 100 == 0) {
            for (size_t at = 0; at < DISK_SIM_SECTOR; at++) {
                bytes[at] = (uint8_t)sim_roll(sim);
            }
        }
    }
    file_forget_changes(file);
    bool size_lost =
        damage == DISK_SIM_ALL_LOST || (damage >= DISK_SIM_DICE && sim_roll(sim) % 2 == 0);
    file->size = size_lost ? file->durable_size : file->size;
    if (file->size < file->reach) {
        memset(file->bytes + file->size, 0, file->reach - (size_t)file->size);
    }
    file->durable_size = file->size;
}

void sim_file_free(struct disk_sim_file *file)
{
    free(file->bytes);
    free(file->slots);
    free(file->changed);
    *file = (struct disk_sim_file){.used = false};
}

/* Emptied, its memory kept. */
void sim_file_clear(struct disk_sim_file *file)
{
    file->used = false;
    file->size = 0;
    file->durable_size = 0;
    file->reach = 0;
    file->changed_count = 0;
}

void sim_file_copy(struct disk_sim_file *to, const struct disk_sim_file *from)
{
    sim_file_clear(to);
    to->used = from->used;
    to->size = from->size;
    to->durable_size = from->durable_size;
    file_reach(to, from->reach);
    if (from->reach > 0) {
        memcpy(to->bytes, from->bytes, from->reach);
        memcpy(to->slots, from->slots, from->reach / DISK_SIM_SECTOR * sizeof(uint32_t));
    }
    if (to->changed_capacity < from->changed_count) {
        to->changed_capacity = from->changed_count;
        to->changed = grown(to->changed, to->changed_capacity * sizeof(struct disk_sim_sector));
    }
    to->changed_count = from->changed_count;
    if (from->changed_count > 0) {
        memcpy(to->changed, from->changed, from->changed_count * sizeof(struct disk_sim_sector));
    }
}

void sim_file_forget(struct disk_sim_file *file)
{
    size_t kept = 0;

    for (size_t index = 0; index < file->changed_count; index++) {
        uint64_t number = file->changed[index].number;
        if (file->changed[index].lost) {
            memcpy(file->bytes + number * DISK_SIM_SECTOR, file->changed[index].durable,
                   DISK_SIM_SECTOR);
            file->slots[number] = 0;
        } else {
            file->changed[kept] = file->changed[index];
            file->slots[number] = (uint32_t)++kept;
        }
    }
    file->changed_count = kept;
}

void sim_file_poke(struct disk_sim_file *file, uint64_t offset, struct span bytes)
{
    must(offset + bytes.size <= file->size);
    file_reach(file, offset + bytes.size);
    memcpy(file->bytes + offset, bytes.at, bytes.size);
    for (size_t index = 0; index < file->changed_count; index++) {
        uint64_t start = file->changed[index].number * DISK_SIM_SECTOR;
        for (size_t at = 0; at < DISK_SIM_SECTOR; at++) {
            if (start + at >= offset && start + at < offset + bytes.size) {
                file->changed[index].durable[at] = file->bytes[start + at];
            }
        }
    }
}
