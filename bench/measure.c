#include "bench/measure.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t measure_wall_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t measure_cpu_ns(void)
{
    struct rusage use;

    (void)getrusage(RUSAGE_SELF, &use);
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * INT64_C(1000000000) +
           (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * INT64_C(1000);
}

static int figure_compare(const void *left, const void *right)
{
    double first = *(const double *)left;
    double second = *(const double *)right;

    return (first > second) - (first < second);
}

double measure_median(double *figures, size_t count)
{
    must(count > 0);
    qsort(figures, count, sizeof(figures[0]), figure_compare);
    return figures[count / 2];
}

void measure_directory(char *ret_path, size_t size)
{
    const char *under = getenv("TMPDIR");

    (void)snprintf(ret_path, size, "%s/payonce-bench-XXXXXX", under == NULL ? "/tmp" : under);
    if (mkdtemp(ret_path) == NULL) {
        perror(ret_path);
        exit(74);
    }
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void measure_remove(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
