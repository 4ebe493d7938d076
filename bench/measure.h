/*
 * measure: time, processor time and medians, for the programs in bench/.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "base/base.h"

enum { MEASURE_RUNS_MAX = 32 };

/* A steady clock, and the processor time of all threads so far, in nanoseconds. */
int64_t measure_wall_ns(void);
int64_t measure_cpu_ns(void);

/* The middle one; sorts them. */
double measure_median(double *figures, size_t count);

/* A directory of its own for this run, under TMPDIR; removed with all in it by measure_remove. */
void measure_directory(char *ret_path, size_t size);
void measure_remove(const char *path);

#endif
