/*
 * Reading, cutting into lines and parsing, as the deciding thread gets it, beside the raw read
 * of the same files in the same run. `taking` is the deciding thread's own part of it, the
 * first look at each message included.
 *
 * usage: bench_intake [MESSAGES] [RUNS]
 */
#include "bench/measure.h"
#include "cmd/simulator.h"
#include "engine/intake.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 64, READ_SIZE = 256 * 1024, AHEAD = 8 };

struct bench {
    char directory[200];
    char paths[FILES_MAX][256];
    size_t file_count;
    uint64_t messages;
    struct parser parser;
};

static void write_files(struct bench *bench, size_t file_count, uint64_t count)
{
    struct simulator_settings settings;
    struct simulator simulator;
    struct simulated simulated;
    void *memory = malloc(simulator_memory_size());
    char *line = malloc(SIMULATED_SIZE_MAX);
    FILE *files[FILES_MAX];

    must(memory != NULL);
    must(line != NULL);
    bench->file_count = file_count;
    for (size_t index = 0; index < file_count; index++) {
        (void)snprintf(bench->paths[index], sizeof(bench->paths[index]), "%s/%zu_%zu",
                       bench->directory, file_count, index);
        files[index] = fopen(bench->paths[index], "w");
        must(files[index] != NULL);
    }
    simulator_settings_default(&settings);
    settings.count = count;
    settings.output_count = (unsigned)file_count;
    simulator_init(&simulator, &settings, memory);
    for (bench->messages = 0; simulator_next(&simulator, &simulated); bench->messages++) {
        size_t size = simulated_write(&simulated, line);
        must(fwrite(line, 1, size, files[simulated.output]) == size);
    }
    for (size_t index = 0; index < file_count; index++) {
        must(fclose(files[index]) == 0);
    }
    free(line);
    free(memory);
}

/* The reference: every byte read once, and its newlines found. */
static uint64_t read_raw(const struct bench *bench)
{
    static char buffer[READ_SIZE];
    uint64_t lines = 0;

    for (size_t index = 0; index < bench->file_count; index++) {
        int file = open(bench->paths[index], O_RDONLY | O_CLOEXEC);
        must(file >= 0);
        ssize_t size;
        while ((size = read(file, buffer, sizeof(buffer))) > 0) {
            const char *end = buffer + size;
            for (const char *at = buffer; (at = memchr(at, '\n', (size_t)(end - at))) != NULL;) {
                at++;
                lines++;
            }
        }
        (void)close(file);
    }
    return lines;
}

/* Take everything, as the state would be moved by it. */
static uint64_t take_all(struct intake *intake, struct state *state)
{
    struct intake_item item = {.kind = INTAKE_NOTHING};
    struct fault fault;
    uint64_t taken = 0;

    while (item.kind != INTAKE_FINISHED) {
        intake_next(intake, state, &item, &fault);
        if (item.kind == INTAKE_MESSAGE) {
            struct watermark_source *mark = &state->watermark.sources[item.source];
            int64_t event_ms = item.message->payment.event_ms;
            if (item.message->refusal.reason == REFUSAL_NONE && event_ms > mark->newest_ms) {
                mark->newest_ms = event_ms;
            }
            taken++;
            const struct message *ahead = intake_ahead(intake, AHEAD);
            if (ahead != NULL) {
                __builtin_prefetch(&ahead->refusal);
                __builtin_prefetch(&ahead->payment.event_ms);
            }
        } else if (item.kind == INTAKE_NOTHING) {
            intake_wait(intake, 1000000);
        }
        must(item.kind != INTAKE_BROKEN);
    }
    return taken;
}

static int64_t own_cpu_ns(void)
{
    struct timespec used;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

struct figures {
    double wall[MEASURE_RUNS_MAX]; /* All in ns a message. */
    double cpu[MEASURE_RUNS_MAX];
    double taking[MEASURE_RUNS_MAX];    /* Processor, of the deciding thread alone. */
    double source[MEASURE_RUNS_MAX];    /* Processor: the same lines by source_read. */
    double reference[MEASURE_RUNS_MAX]; /* Processor: the bare read() and memchr. */
};

static void open_source(const struct bench *bench, size_t index, struct source **ret_source)
{
    static const struct fingerprint nothing;
    struct fault fault;

    *ret_source = malloc(source_file.size);
    must(*ret_source != NULL);
    must(source_open(*ret_source, &source_file, bench->paths[index], &fault) == DONE);
    must(source_assign(*ret_source, 1, &nothing, &fault) == DONE);
}

static void close_source(struct source *source)
{
    source_close(source);
    free(source);
}

static uint64_t read_by_source(const struct bench *bench)
{
    static uint8_t bytes[READ_SIZE];
    static struct source_line lines[READ_SIZE / 128];
    struct source_block block = {bytes, READ_SIZE, READ_SIZE, lines, READ_SIZE / 128, 0, 0, 0, 0};
    struct fault fault;
    uint64_t count = 0;

    for (size_t index = 0; index < bench->file_count; index++) {
        struct source *source;
        open_source(bench, index, &source);
        do {
            must(source_read(source, &block, &fault) == DONE);
            count += block.line_count;
        } while (!block.ended);
        close_source(source);
    }
    return count;
}

static void run_references(const struct bench *bench, size_t run, struct figures *figures)
{
    int64_t start_ns = own_cpu_ns();

    must(read_raw(bench) == bench->messages);
    int64_t raw_ns = own_cpu_ns();
    must(read_by_source(bench) == bench->messages);
    int64_t end_ns = own_cpu_ns();
    figures->reference[run] = (double)(raw_ns - start_ns) / (double)bench->messages;
    figures->source[run] = (double)(end_ns - raw_ns) / (double)bench->messages;
}

static void run_once(struct bench *bench, unsigned threads, size_t run, struct figures *figures)
{
    static struct watermark_source marks[FILES_MAX];
    struct source *sources[FILES_MAX];
    uint16_t numbers[FILES_MAX];
    struct state *state = calloc(1, sizeof(*state));
    struct fault fault;
    double messages = (double)bench->messages;

    must(state != NULL);
    state->watermark.sources = marks;
    for (size_t index = 0; index < bench->file_count; index++) {
        marks[index].newest_ms = INSTANT_NONE;
        numbers[index] = (uint16_t)index;
        open_source(bench, index, &sources[index]);
    }
    struct intake_settings settings = {.thread_count = threads,
                                       .parser = &bench->parser,
                                       .clock = &clock_real,
                                       .sources = sources,
                                       .numbers = numbers,
                                       .source_count = bench->file_count};
    int64_t before_ns = measure_wall_ns();
    int64_t cpu_ns = measure_cpu_ns();
    int64_t own_ns = own_cpu_ns();
    struct intake *intake = intake_start(&settings, &fault);
    must(intake != NULL);
    must(take_all(intake, state) == bench->messages);
    figures->taking[run] = (double)(own_cpu_ns() - own_ns) / messages;
    figures->wall[run] = (double)(measure_wall_ns() - before_ns) / messages;
    figures->cpu[run] = (double)(measure_cpu_ns() - cpu_ns) / messages;
    intake_stop(intake);
    for (size_t index = 0; index < bench->file_count; index++) {
        close_source(sources[index]);
    }
    free(state);
}

static void measure(struct bench *bench, unsigned threads, size_t runs)
{
    struct figures figures;

    for (size_t run = 0; run < runs; run++) {
        run_references(bench, run, &figures);
        run_once(bench, threads, run, &figures);
    }
    double reference = measure_median(figures.reference, runs);
    double cpu = measure_median(figures.cpu, runs);
    (void)printf("intake: %2zu files, %u parsers: %6.1f ns a message, CPU %6.1f (taking %5.1f; "
                 "reading lines %4.1f); raw read and newlines CPU %4.1f, ratio %.2f\n",
                 bench->file_count, threads, measure_median(figures.wall, runs), cpu,
                 measure_median(figures.taking, runs), measure_median(figures.source, runs),
                 reference, cpu / reference);
}

int main(int argument_count, char **arguments)
{
    static const size_t file_counts[] = {1, 4, FILES_MAX};
    static struct bench bench;
    struct parse_settings settings;
    uint64_t messages = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    size_t runs = argument_count > 2 ? strtoul(arguments[2], NULL, 10) : 5;

    must(runs >= 1);
    must(runs <= MEASURE_RUNS_MAX);
    parse_settings_default(&settings);
    parser_init(&bench.parser, &settings);
    measure_directory(bench.directory, sizeof(bench.directory));
    for (size_t index = 0; index < sizeof(file_counts) / sizeof(file_counts[0]); index++) {
        write_files(&bench, file_counts[index], messages);
        measure(&bench, 1, runs);
        measure(&bench, 2, runs);
    }
    measure_remove(bench.directory);
    return 0;
}
