/*
 * journal: what a seal costs, beside a bare write and fdatasync of the same bytes.
 *
 * For epochs of 4 KiB, 256 KiB and 1 MiB: journal_seal (chain, checksums, one copy, O_DIRECT
 * append, fdatasync, now and then a new segment), and in turn with it a bare pwrite + fdatasync
 * of as many bytes into a preallocated file, once past the page cache (O_DIRECT) and once
 * through it. Then all of it read again: as a fold does, and with rows.
 *
 * usage: bench_journal [EPOCHS]     300 of each size by default; files under TMPDIR
 */
#include "bench/measure.h"
#include "journal/frame.h"
#include "journal/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZES = 3, EPOCHS_MAX = 10000, SEGMENT_SIZE = 64 << 20, FRAME_MAX = 2 << 20 };

enum way { SEAL, DIRECT, BUFFERED, WAYS };

static const char *const way_names[WAYS] = {"journal_seal", "bare O_DIRECT", "bare buffered"};
static const size_t sizes[SIZES] = {4 << 10, 256 << 10, 1 << 20};

struct bench {
    struct disk_posix posix;
    struct journal journal;
    struct journal_place place;
    struct epoch epoch;
    struct epoch snapshot;
    void *memory;   /* Lent to the journal. */
    uint8_t *bytes; /* FRAME_MAX, aligned. */
    int files[WAYS];
    off_t at[WAYS];
    double took[WAYS][EPOCHS_MAX]; /* Milliseconds. */
    double cpu[WAYS];              /* Seconds. */
};

static struct bench bench;

static void must_be(enum outcome outcome, const struct fault *fault)
{
    if (outcome != DONE) {
        (void)fprintf(stderr, "bench_journal: %s\n", fault->text);
        exit(74);
    }
}

static void open_all(const char *path, size_t frame_size, size_t count)
{
    struct journal_settings settings = {.segment_size = SEGMENT_SIZE};
    size_t memory_size = journal_memory_size(FRAME_MAX);
    struct fault fault;
    char name[200];

    bench.memory = malloc(memory_size);
    must(bench.memory != NULL);
    must_be(disk_posix_open(&bench.posix, path, &fault), &fault);
    must_be(journal_open(&bench.journal, &bench.posix.disk, &settings, bench.memory, memory_size,
                         &fault),
            &fault);
    must_be(journal_begin(&bench.journal, &bench.snapshot, false, &fault), &fault);
    for (enum way way = DIRECT; way < WAYS; way++) {
        (void)snprintf(name, sizeof(name), "%s/bare-%d", path, (int)way);
        bench.files[way] =
            open(name, O_RDWR | O_CREAT | O_CLOEXEC | (way == DIRECT ? O_DIRECT : 0), 0600);
        must(bench.files[way] >= 0);
        must(fallocate(bench.files[way], 0, 0, (off_t)(frame_size * count)) == 0);
        bench.at[way] = 0;
    }
}

static void close_all(void)
{
    journal_place_close(&bench.journal, &bench.place);
    journal_close(&bench.journal);
    disk_posix_close(&bench.posix);
    for (enum way way = DIRECT; way < WAYS; way++) {
        (void)close(bench.files[way]);
    }
    free(bench.memory);
}

/* A third of it decisions, the rest rows. */
static void make_epoch(size_t size)
{
    size_t parts = size - FRAME_HEADER_SIZE;

    bench.epoch.number = bench.journal.last_epoch + 1;
    bench.epoch.prev_chain = bench.journal.last_chain;
    bench.epoch.decisions.size = parts / 3 / 8 * 8;
    bench.epoch.decisions.at = bench.bytes;
    bench.epoch.rows.size = parts - bench.epoch.decisions.size;
    bench.epoch.rows.at = bench.bytes + bench.epoch.decisions.size;
    memcpy(bench.bytes, &bench.epoch.number, sizeof(bench.epoch.number));
}

static void seal(void)
{
    struct fault fault;

    bench.snapshot.number = bench.journal.last_epoch;
    bench.snapshot.chain = bench.journal.last_chain;
    must_be(journal_seal(&bench.journal, &bench.epoch, &bench.snapshot, &fault), &fault);
}

static void write_bare(enum way way, size_t size)
{
    must(pwrite(bench.files[way], bench.bytes, size, bench.at[way]) == (ssize_t)size);
    must(fdatasync(bench.files[way]) == 0);
    bench.at[way] += (off_t)size;
}

static void measure(enum way way, size_t size, size_t index)
{
    make_epoch(size);
    int64_t cpu = measure_cpu_ns();
    int64_t wall = measure_wall_ns();
    if (way == SEAL) {
        seal();
    } else {
        write_bare(way, size);
    }
    bench.took[way][index] = (double)(measure_wall_ns() - wall) / 1e6;
    bench.cpu[way] += (double)(measure_cpu_ns() - cpu) / 1e9;
}

static double total(const double *figures, size_t count)
{
    double sum = 0;

    for (size_t index = 0; index < count; index++) {
        sum += figures[index];
    }
    return sum;
}

static void print_writing(size_t size, size_t count)
{
    double mib = (double)(size * count) / (1 << 20);
    double reference = 0;

    for (enum way way = WAYS; way > SEAL; way--) {
        double seconds = total(bench.took[way - 1], count) / 1e3;
        double median = measure_median(bench.took[way - 1], count); /* Sorts them. */
        reference = way - 1 == DIRECT ? mib / seconds : reference;
        (void)printf("%5zu KiB  %-14s %7.0f MiB/s   p50 %6.3f ms  p99 %6.3f ms   %5.2f CPU s/GiB",
                     size >> 10, way_names[way - 1], mib / seconds, median,
                     bench.took[way - 1][count * 99 / 100], bench.cpu[way - 1] / mib * 1024);
        if (way - 1 == SEAL) {
            (void)printf("   %.2f of bare O_DIRECT", mib / seconds / reference);
        }
        (void)printf("\n");
    }
}

static void read_back(enum journal_parts parts, const char *what, size_t size, size_t count)
{
    struct fault fault;
    struct epoch epoch;
    int64_t wall = measure_wall_ns();

    bench.place.epoch = 1;
    for (size_t index = 0; index < count; index++) {
        must_be(journal_read(&bench.journal, &bench.place, parts, &epoch, &fault), &fault);
    }
    double seconds = (double)(measure_wall_ns() - wall) / 1e9;
    (void)printf("%5zu KiB  %-14s %7.0f epochs/s, %.0f MiB/s of frames\n", size >> 10, what,
                 (double)count / seconds, (double)(size * count) / (1 << 20) / seconds);
}

static void one_size(size_t size, size_t count)
{
    char path[100];

    memset(bench.cpu, 0, sizeof(bench.cpu));
    memset(&bench.snapshot, 0, sizeof(bench.snapshot));
    memset(&bench.epoch, 0, sizeof(bench.epoch));
    measure_directory(path, sizeof(path));
    open_all(path, size, count);
    for (size_t index = 0; index < count; index++) {
        for (enum way way = SEAL; way < WAYS; way++) {
            measure(way, size, index);
        }
    }
    print_writing(size, count);
    read_back(JOURNAL_DECISIONS, "read decisions", size, count);
    read_back(JOURNAL_DECISIONS_AND_ROWS, "read all", size, count);
    close_all();
    measure_remove(path);
}

int main(int argument_count, char **arguments)
{
    size_t count = argument_count > 1 ? strtoul(arguments[1], NULL, 10) : 300;

    must(count > 0 && count <= EPOCHS_MAX);
    bench.bytes = aligned_alloc(DISK_BLOCK, FRAME_MAX);
    bench.place = (struct journal_place){
        .file = -1, .buffer = aligned_alloc(DISK_BLOCK, FRAME_MAX), .buffer_size = FRAME_MAX};
    must(bench.bytes != NULL && bench.place.buffer != NULL);
    memset(bench.bytes, 7, FRAME_MAX);
    for (size_t index = 0; index < SIZES; index++) {
        one_size(sizes[index], count);
    }
    return 0;
}
