#include "test/intake_world.h"

#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

struct world world;

static char directory[] = "intake_test_XXXXXX";
static struct parser parser;
static struct watermark_source marks[SOURCES_MAX];
static const struct fingerprint nothing;

struct uneven {
    struct source source;
    struct source *file;
    struct world_file *known;
    unsigned seed;
    unsigned delay_us;
    bool over; /* It has ended, or broken: there is no reason to read on. */
};

static struct uneven *uneven_of(struct source *source)
{
    return (struct uneven *)source;
}

static enum outcome uneven_open(struct source *source, const char *path, struct fault *ret_fault)
{
    struct uneven *uneven = uneven_of(source);

    uneven->file = malloc(source_file.size);
    assert_non_null(uneven->file);
    enum outcome outcome = source_open(uneven->file, &source_file, path, ret_fault);
    source->device = uneven->file->device;
    source->inode = uneven->file->inode;
    return outcome;
}

static enum outcome uneven_assign(struct source *source, uint64_t next,
                                  const struct fingerprint *fingerprint, struct fault *ret_fault)
{
    return source_assign(uneven_of(source)->file, next, fingerprint, ret_fault);
}

static enum outcome uneven_read(struct source *source, struct source_block *block,
                                struct fault *ret_fault)
{
    struct uneven *uneven = uneven_of(source);
    size_t target = block->target;
    size_t line_capacity = block->line_capacity;

    must(!uneven->over);
    if (uneven->known->cut_before > 0 && --uneven->known->cut_before == 0) {
        assert_int_equal(truncate(uneven->file->origin.topic, 1), 0);
    }
    if (uneven->delay_us > 0) {
        (void)usleep((unsigned)rand_r(&uneven->seed) % uneven->delay_us);
        if (rand_r(&uneven->seed) % 8 == 0) {
            return LATER;
        }
        block->target = (size_t)rand_r(&uneven->seed) % 2000 + 1;
        block->line_capacity = (size_t)rand_r(&uneven->seed) % 9 + 1;
    }
    enum outcome outcome = source_read(uneven->file, block, ret_fault);
    uneven->over = outcome == BROKEN || (outcome == DONE && block->ended);
    block->target = target;
    block->line_capacity = line_capacity;
    return outcome;
}

static void uneven_fingerprint(const struct source *source, const struct source_line *line,
                               const uint8_t *bytes, struct fingerprint *ret_fingerprint)
{
    source_fingerprint(((const struct uneven *)source)->file, line, bytes, ret_fingerprint);
}

static void uneven_close(struct source *source)
{
    source_close(uneven_of(source)->file);
    free(uneven_of(source)->file);
}

static const struct source_type source_uneven = {
    .name = "uneven",
    .size = sizeof(struct uneven),
    .open = uneven_open,
    .assign = uneven_assign,
    .read = uneven_read,
    .fingerprint = uneven_fingerprint,
    .close = uneven_close,
};

void world_parse_by(const struct parse_settings *settings)
{
    parser_init(&parser, settings);
}

static void parse_by_default(void)
{
    struct parse_settings settings;

    parse_settings_default(&settings);
    world_parse_by(&settings);
}

int world_set_up(void **unused)
{
    parse_by_default();
    world.state = calloc(1, sizeof(*world.state));
    if (world.state == NULL || mkdtemp(directory) == NULL) {
        return -1;
    }
    world.state->watermark.sources = marks;
    return 0;
}

int world_tear_down(void **unused)
{
    free(world.state);
    return rmdir(directory);
}

int world_clear(void **unused)
{
    parse_by_default();
    for (size_t file = 0; file < WORLD_FILES_MAX; file++) {
        char path[100];
        world_path(file, path);
        (void)unlink(path);
        free(world.files[file].event_ms);
        world.files[file].event_ms = NULL;
    }
    return 0;
}

void world_path(size_t file, char ret_path[100])
{
    (void)snprintf(ret_path, 100, "%s/%03zu", directory, file);
}

static void write_payment(FILE *file, int64_t event_ms, size_t number)
{
    (void)fprintf(file,
                  "{\"transaction_id\":\"t-%zu\",\"event_time\":%lld,\"sender_account_id\":\"a\","
                  "\"receiver_account_id\":\"b\",\"amount\":\"1.50\",\"currency\":\"EUR\"}\n",
                  number, (long long)event_ms);
}

void world_write(size_t file, size_t line_count, unsigned seed)
{
    struct world_file *known = &world.files[file];
    int64_t now_ms = INT64_C(1790000000000) + rand_r(&seed) % 1000;
    char path[100];

    world_path(file, path);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    known->event_ms = calloc(line_count + 1, sizeof(int64_t));
    assert_non_null(known->event_ms);
    known->line_count = line_count;
    for (size_t line = 0; line < line_count; line++) {
        now_ms += rand_r(&seed) % 300 - 100;
        known->event_ms[line] = rand_r(&seed) % 7 == 0 ? INSTANT_NONE : now_ms;
        if (known->event_ms[line] == INSTANT_NONE) {
            (void)fputs(rand_r(&seed) % 2 == 0 ? "\n" : "no payment\r\n", stream);
        } else {
            write_payment(stream, now_ms, line);
        }
    }
    assert_int_equal(fclose(stream), 0);
}

static void open_file(size_t number, const struct source_type *type, const char *path)
{
    struct world_file *known = &world.files[number];

    known->source = malloc(type->size);
    assert_non_null(known->source);
    known->number = (uint16_t)(number * 3 + 1);
    known->cut_before = 0;
    marks[known->number].newest_ms = INSTANT_NONE;
    assert_int_equal(source_open(known->source, type, path, &world.fault), DONE);
    assert_int_equal(source_assign(known->source, 1, &nothing, &world.fault), DONE);
    world.file_count = number + 1;
}

void world_open(size_t file_count, unsigned delay_us, unsigned seed)
{
    for (size_t file = 0; file < file_count; file++) {
        char path[100];
        world_path(file, path);
        open_file(file, &source_uneven, path);
        struct uneven *uneven = uneven_of(world.files[file].source);
        uneven->known = &world.files[file];
        uneven->delay_us = delay_us;
        uneven->seed = seed + (unsigned)file;
    }
}

void world_open_stdin(void)
{
    open_file(0, &source_stdin, "stdin");
}

void world_start(unsigned thread_count)
{
    static struct source *sources[WORLD_FILES_MAX];
    uint16_t numbers[WORLD_FILES_MAX];
    struct intake_settings settings = {
        .thread_count = thread_count,
        .parser = &parser,
        .clock = &clock_real,
        .sources = sources,
        .numbers = numbers,
        .source_count = world.file_count,
    };

    for (size_t file = 0; file < world.file_count; file++) {
        sources[file] = world.files[file].source;
        numbers[file] = world.files[file].number;
    }
    world.intake = intake_start(&settings, &world.fault);
    assert_non_null(world.intake);
}

struct intake_item world_take(void)
{
    struct intake_item item;

    for (;;) {
        intake_next(world.intake, world.state, &item, &world.fault);
        if (item.kind != INTAKE_NOTHING) {
            break;
        }
        intake_wait(world.intake, 1000000000);
    }
    if (item.kind == INTAKE_MESSAGE && item.message->refusal.reason == REFUSAL_NONE &&
        item.message->payment.event_ms > marks[item.source].newest_ms) {
        marks[item.source].newest_ms = item.message->payment.event_ms;
    }
    return item;
}

void world_stop(void)
{
    intake_stop(world.intake);
    world.intake = NULL;
    for (size_t file = 0; file < world.file_count; file++) {
        source_close(world.files[file].source);
        free(world.files[file].source);
    }
}
