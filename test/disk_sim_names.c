#include "test/disk_sim_parts.h"

#include <string.h>

struct disk_sim_name *sim_find(struct disk_sim_name *names, const char *text)
{
    for (size_t index = 0; index < DISK_SIM_FILES; index++) {
        if (strcmp(names[index].text, text) == 0) {
            return &names[index];
        }
    }
    return NULL;
}

static void name_set(struct disk_sim_name *name, const char *text)
{
    must(strlen(text) < DISK_NAME_MAX);
    strcpy(name->text, text);
}

static void names_change(struct disk_sim_name *names, const struct disk_sim_change *change)
{
    struct disk_sim_name *from = change->from[0] == '\0' ? NULL : sim_find(names, change->from);
    struct disk_sim_name *to = change->to[0] == '\0' ? NULL : sim_find(names, change->to);

    if (change->from[0] != '\0' && from == NULL) {
        return; /* What it was made from was lost. */
    }
    if (from != NULL) {
        from->text[0] = '\0';
    }
    if (change->to[0] != '\0') {
        to = to != NULL ? to : sim_find(names, "");
        must(to != NULL);
        name_set(to, change->to);
        to->file = change->file;
    }
}

static bool file_wanted(const struct disk_sim *sim, int file)
{
    for (size_t index = 0; index < DISK_SIM_FILES; index++) {
        if ((sim->names[index].text[0] != '\0' && sim->names[index].file == file) ||
            (sim->durable_names[index].text[0] != '\0' && sim->durable_names[index].file == file) ||
            sim->handles[index] == file + 1) {
            return true;
        }
    }
    return false;
}

static bool file_in_changes(const struct disk_sim *sim, int file)
{
    for (size_t index = 0; index < sim->change_count; index++) {
        if (sim->changes[index].file == file) {
            return true;
        }
    }
    return false;
}

/* Files that no name, handle or pending change leads to any more. */
void sim_collect(struct disk_sim *sim)
{
    for (int file = 0; file < DISK_SIM_FILES; file++) {
        if (sim->files[file].used && !file_wanted(sim, file) && !file_in_changes(sim, file)) {
            sim_file_clear(&sim->files[file]);
        }
    }
}

void sim_change_names(struct disk_sim *sim, const char *from, const char *to, int file)
{
    must(sim->change_count < DISK_SIM_CHANGES);
    struct disk_sim_change *change = &sim->changes[sim->change_count++];
    *change = (struct disk_sim_change){.file = file};
    strcpy(change->from, from);
    strcpy(change->to, to);
    names_change(sim->names, change);
}

void sim_names_power_cut(struct disk_sim *sim, uint64_t damage)
{
    for (size_t index = 0; index < sim->change_count; index++) {
        if (damage == DISK_SIM_ALL_KEPT || (damage >= DISK_SIM_DICE && sim_roll(sim) % 2 == 0)) {
            names_change(sim->durable_names, &sim->changes[index]);
        }
    }
    sim->change_count = 0;
    memcpy(sim->names, sim->durable_names, sizeof(sim->names));
}

static struct disk_sim_file *file_named(struct disk_sim *sim, const char *name)
{
    const struct disk_sim_name *found = sim_find(sim->names, name);

    must(found != NULL);
    return &sim->files[found->file];
}

void disk_sim_poke(struct disk_sim *sim, const char *name, uint64_t offset, struct span bytes)
{
    sim_file_poke(file_named(sim, name), offset, bytes);
}

void disk_sim_flip(struct disk_sim *sim, const char *name, uint64_t bit)
{
    const struct disk_sim_file *file = file_named(sim, name);
    uint8_t byte = bit / 8 < file->reach ? file->bytes[bit / 8] : 0;

    byte ^= (uint8_t)(1U << bit % 8);
    disk_sim_poke(sim, name, bit / 8, (struct span){&byte, 1});
}

size_t disk_sim_peek(const struct disk_sim *sim, const char *name, uint8_t *to, size_t size_max)
{
    const struct disk_sim_name *found = NULL;

    for (size_t index = 0; found == NULL && index < DISK_SIM_FILES; index++) {
        found = strcmp(sim->names[index].text, name) == 0 ? &sim->names[index] : NULL;
    }
    must(found != NULL);
    const struct disk_sim_file *file = &sim->files[found->file];
    size_t size = file->size < size_max ? (size_t)file->size : size_max;
    size_t there = file->reach < size ? file->reach : size;
    if (there > 0) {
        memcpy(to, file->bytes, there);
    }
    memset(to + there, 0, size - there);
    return (size_t)file->size;
}
