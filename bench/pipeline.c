/*
 * The whole way, each figure beside its reference in the same run:
 *
 *   file-journal  a file of JSON lines -> durable verdicts (decisions and rows sealed); the
 *                 ledger costs nothing. Reference: read() of the file, lines counted.
 *   file-sqlite   the same into SQLite. Reference: file-journal.
 *   recovery      start again on that journal: ids folded a second. Reference: read() of it.
 *
 * usage: bench_pipeline MODE [--messages N] [--runs N] [--threads N] [--rate N] [--epoch N]
 */
#include "bench/measure.h"
#include "bench/null_ledger.h"
#include "cmd/simulator.h"
#include "engine/engine.h"
#include "os/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

struct bench {
    uint64_t messages;
    size_t runs;
    unsigned threads;
    uint64_t rate;
    uint64_t epoch_messages;
    char directory[256];
    char input[300];
    char data[300];
    const char *paths[1];
    struct engine_settings settings;
};

struct figures {
    double wall[MEASURE_RUNS_MAX]; /* ns a message */
    double cpu[MEASURE_RUNS_MAX];
    double reference[MEASURE_RUNS_MAX];
};

static void give_up(const struct fault *fault)
{
    (void)fprintf(stderr, "error[%s]: %s\n", fault_code_text(fault->code), fault->text);
    exit(1);
}

static void make_input(struct bench *bench)
{
    struct simulator_settings settings;
    struct simulator simulator;
    struct simulated simulated;
    void *memory = malloc(simulator_memory_size());
    char *line = malloc(SIMULATED_SIZE_MAX);
    FILE *file = fopen(bench->input, "w");
    uint64_t count = 0;

    must(memory != NULL && line != NULL && file != NULL);
    simulator_settings_default(&settings);
    settings.count = bench->messages;
    settings.rate = bench->rate;
    settings.duplicates = 30000;
    settings.late = 1000;
    settings.conflicts = 100;
    simulator_init(&simulator, &settings, memory);
    while (simulator_next(&simulator, &simulated)) {
        (void)fwrite(line, 1, simulated_write(&simulated, line), file);
        count++;
    }
    (void)fclose(file);
    bench->messages = count;
    free(line);
    free(memory);
}

/* All of a file by read(), lines counted; returns its bytes. */
static uint64_t read_all(const char *path, uint64_t *ret_lines)
{
    static char buffer[READ_SIZE];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t bytes = 0;
    ssize_t size;

    must(file >= 0);
    while ((size = read(file, buffer, sizeof(buffer))) > 0) {
        const char *at = buffer;
        const char *end = buffer + size;
        while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
            at++;
            (*ret_lines)++;
        }
        bytes += (uint64_t)size;
    }
    (void)close(file);
    return bytes;
}

static void settle(struct bench *bench, const struct sink_type *type)
{
    struct engine_settings *settings = &bench->settings;

    memset(settings, 0, sizeof(*settings));
    (void)snprintf(settings->pipeline, sizeof(settings->pipeline), "bench");
    (void)snprintf(settings->data_dir, sizeof(settings->data_dir), "%s", bench->data);
    settings->paths = bench->paths;
    settings->path_count = 1;
    rules_default(&settings->rules);
    parse_settings_default(&settings->parse);
    settings->parser_threads = bench->threads;
    settings->epoch_interval_ms = 5;
    settings->epoch_messages_max = bench->epoch_messages;
    settings->epoch_bytes_max = 4 << 20;
    settings->journal.segment_size = 64 << 20;
    settings->journal.keep_ms = INT64_C(7) * 86400000;
    settings->memory_limit = machine_memory("", 0).bytes / 10 * 6;
    settings->max_backlog = UINT64_C(1) << 40;
    settings->sink_types[0] = type;
    settings->sink_count = 1;
    settings->deliver_rows_max[0] = 50000;
    settings->deliver_wait_ms[0] = 200;
    settings->until_caught_up = true;
    settings->shutdown_grace_ms = 20000;
    struct sink_settings *sink = &settings->sinks[0];
    (void)snprintf(sink->name, sizeof(sink->name), "local");
    (void)snprintf(sink->pipeline, sizeof(sink->pipeline), "bench");
    (void)snprintf(sink->path, sizeof(sink->path), "%s/payments.db", bench->directory);
    sink->part_rows = 500000;
    sink->busy_timeout_ms = 1000;
    sink->carry_count = settings->parse.carry.count;
    for (uint32_t index = 0; index < sink->carry_count; index++) {
        memcpy(sink->carry[index], settings->parse.carry.names[index], sizeof(sink->carry[index]));
    }
}

static void fresh(struct bench *bench)
{
    char path[600];

    measure_remove(bench->data);
    null_ledger_clear();
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        (void)snprintf(path, sizeof(path), "%s/payments.db%s", bench->directory, *end);
        (void)unlink(path);
    }
    must(mkdir(bench->data, 0700) == 0);
}

/* Start, and let it run to the end of the input. Returns how long the start took. */
static int64_t run_once(struct bench *bench)
{
    struct engine *engine = NULL;
    struct engine_event event;
    struct fault fault = {.code = FAULT_NONE};
    enum engine_end end;

    int64_t started_ns = measure_wall_ns();
    if (engine_start(&bench->settings, &engine, &fault) != DONE) {
        give_up(&fault);
    }
    started_ns = measure_wall_ns() - started_ns;
    while ((end = engine_end(engine, &fault)) == ENGINE_RUNNING) {
        (void)engine_event(engine, &event, 10);
    }
    engine_close(engine);
    if (end != ENGINE_CAUGHT_UP) {
        give_up(&fault);
    }
    return started_ns;
}

static void say(const char *what, struct bench *bench, struct figures *figures,
                const char *reference)
{
    double wall = measure_median(figures->wall, bench->runs);
    double cpu = measure_median(figures->cpu, bench->runs);
    double other = measure_median(figures->reference, bench->runs);

    (void)printf("%-14s %9.0f messages/s   wall %7.1f ns   cpu %7.1f ns a message   %s %.1f ns: "
                 "ratio %.2f   (%llu messages, %zu runs, %u parser threads)\n",
                 what, 1e9 / wall, wall, cpu, reference, other, wall / other,
                 (unsigned long long)bench->messages, bench->runs, bench->threads);
}

static void bench_file(struct bench *bench, const char *mode, const struct sink_type *type,
                       bool beside_journal)
{
    struct figures figures;
    double messages = (double)bench->messages;

    for (size_t run = 0; run < bench->runs; run++) {
        uint64_t lines = 0;
        settle(bench, &null_ledger);
        fresh(bench);
        int64_t reference_ns = measure_wall_ns();
        if (beside_journal) {
            (void)run_once(bench);
        } else {
            (void)read_all(bench->input, &lines);
        }
        figures.reference[run] = (double)(measure_wall_ns() - reference_ns) / messages;

        settle(bench, type);
        fresh(bench);
        int64_t cpu_ns = measure_cpu_ns();
        int64_t wall_ns = measure_wall_ns();
        (void)run_once(bench);
        figures.wall[run] = (double)(measure_wall_ns() - wall_ns) / messages;
        figures.cpu[run] = (double)(measure_cpu_ns() - cpu_ns) / messages;
    }
    say(mode, bench, &figures, beside_journal ? "file-journal" : "read+lines");
}

static uint64_t read_journal(const struct bench *bench)
{
    char path[900];
    uint64_t bytes = 0;
    uint64_t lines = 0;

    (void)snprintf(path, sizeof(path), "%s/journal", bench->data);
    DIR *list = opendir(path);
    must(list != NULL);
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/journal/%s", bench->data, entry->d_name);
            bytes += read_all(path, &lines);
        }
    }
    (void)closedir(list);
    return bytes;
}

static void bench_recovery(struct bench *bench)
{
    struct figures figures;
    double ids = (double)bench->messages / 1.03; /* 3 % of the messages are copies. */

    settle(bench, &null_ledger);
    fresh(bench);
    (void)run_once(bench);
    for (size_t run = 0; run < bench->runs; run++) {
        int64_t reference_ns = measure_wall_ns();
        uint64_t bytes = read_journal(bench);
        figures.reference[run] = (double)(measure_wall_ns() - reference_ns) / ids;
        int64_t cpu_ns = measure_cpu_ns();
        figures.wall[run] = (double)run_once(bench) / ids;
        figures.cpu[run] = (double)(measure_cpu_ns() - cpu_ns) / ids;
        if (run == 0) {
            (void)printf("recovery       %.0f ids, journal of %.0f bytes an id\n", ids,
                         (double)bytes / ids);
        }
    }
    say("recovery", bench, &figures, "read of it");
}

static void options_read(struct bench *bench, int count, char **arguments)
{
    static const struct option known[] = {
        {"messages", required_argument, NULL, 'm'}, {"runs", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'},  {"rate", required_argument, NULL, 'R'},
        {"epoch", required_argument, NULL, 'e'},    {NULL, 0, NULL, 0}};
    int found;

    while ((found = getopt_long(count, arguments, "", known, NULL)) != -1) {
        uint64_t number = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);
        if (found == 'm') {
            bench->messages = number;
        } else if (found == 'r' && number >= 1 && number <= MEASURE_RUNS_MAX) {
            bench->runs = (size_t)number;
        } else if (found == 't') {
            bench->threads = (unsigned)number;
        } else if (found == 'R') {
            bench->rate = number;
        } else if (found == 'e') {
            bench->epoch_messages = number;
        } else {
            exit(2);
        }
    }
}

int main(int count, char **arguments)
{
    struct bench bench = {
        .messages = 2000000, .runs = 3, .threads = 1, .rate = 10000, .epoch_messages = 10000};

    if (count < 2) {
        (void)fprintf(stderr,
                      "usage: bench_pipeline file-journal|file-sqlite|recovery [options]\n");
        return 2;
    }
    options_read(&bench, count - 1, arguments + 1);
    measure_directory(bench.directory, sizeof(bench.directory));
    (void)snprintf(bench.input, sizeof(bench.input), "%s/payments.jsonl", bench.directory);
    (void)snprintf(bench.data, sizeof(bench.data), "%s/data", bench.directory);
    bench.paths[0] = bench.input;
    make_input(&bench);
    if (strcmp(arguments[1], "file-journal") == 0) {
        bench_file(&bench, "file-journal", &null_ledger, false);
    } else if (strcmp(arguments[1], "file-sqlite") == 0) {
        bench_file(&bench, "file-sqlite", sink_type_named("sqlite"), true);
    } else {
        bench_recovery(&bench);
    }
    measure_remove(bench.directory);
    return 0;
}
