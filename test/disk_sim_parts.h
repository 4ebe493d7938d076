/*
 * disk_sim_parts: the simulated disk's files with their sectors, its names, its dice. For disk_sim
 * only.
 */
#ifndef TEST_DISK_SIM_PARTS_H
#define TEST_DISK_SIM_PARTS_H

#include "test/disk_sim.h"

uint64_t sim_roll(struct disk_sim *sim);

void sim_file_write(struct disk_sim_file *file, uint64_t offset, const void *from, size_t size);
void sim_file_cut(struct disk_sim_file *file, uint64_t size);
void sim_file_sync(struct disk_sim_file *file);
void sim_file_sync_half(struct disk_sim *sim, struct disk_sim_file *file);
void sim_file_sync_fails(struct disk_sim_file *file);
void sim_file_power_cut(struct disk_sim *sim, struct disk_sim_file *file, uint64_t damage);
void sim_file_forget(struct disk_sim_file *file);
void sim_file_poke(struct disk_sim_file *file, uint64_t offset, struct span bytes);
void sim_file_copy(struct disk_sim_file *to, const struct disk_sim_file *from);
void sim_file_clear(struct disk_sim_file *file);
void sim_file_free(struct disk_sim_file *file);

struct disk_sim_name *sim_find(struct disk_sim_name *names, const char *text);
void sim_change_names(struct disk_sim *sim, const char *from, const char *to, int file);
void sim_names_power_cut(struct disk_sim *sim, uint64_t damage);

/* Free the files that no name, handle or pending change leads to. */
void sim_collect(struct disk_sim *sim);

#endif
