#include "cmd/check.h"

#include "base/plural.h"
#include "cmd/check_guess.h"
#include "os/memory.h"
#include "parse/parse.h"
#include "source/source.h"

#include <stdio.h>
#include <string.h>

enum {
    UNITS = 5, /* struct payment's event_unit. */
    LINES_MAX = 1024,
    BLOCK_SIZE = 1024 * 1024,
    STATUS_SIZE = 32,
    EXAMPLES_MAX = 3,
};

static const char *const unit_names[UNITS] = {"text", "s", "ms", "us", "ns"};

/* An id and the first status it was seen with. */
struct seen_id {
    char id[IDENT_TEXT_MAX + 1];
    char status[STATUS_SIZE];
    char other[STATUS_SIZE]; /* A second one; empty: none. */
};

struct sample {
    struct check *check;
    size_t taken;
    size_t understood;
    size_t skipped;
    size_t refused[REFUSAL_COUNT];
    size_t units[UNITS];
    size_t names[PARSE_NAMES_MAX]; /* By which name the event time was found. */
    size_t examples;
    const char *shape;    /* What to do with such an input, by its first message. Static. */
    struct seen_id *seen; /* Lent. */
    size_t seen_count;
    struct parser parser;
    struct parser by_name[PARSE_NAMES_MAX];
};

struct sample_memory {
    struct sample sample; /* First: whoever has it has all of this. */
    struct seen_id seen[CHECK_SAMPLE_MAX];
    uint8_t block[BLOCK_SIZE];
    struct source_line lines[LINES_MAX];
    char scratch[PARSE_SCRATCH_MAX]; /* Of a message, while it is looked at, */
    char again[PARSE_SCRATCH_MAX];   /* and of the same one parsed again. */
};

static void tell_refused(struct sample *sample, const char *path, const struct message *message)
{
    const struct refusal *refusal = &message->refusal;
    const char *setting = NULL;
    const char *other;

    if (sample->refused[refusal->reason]++ > 0 || sample->examples++ >= EXAMPLES_MAX) {
        return;
    }
    check_say(sample->check, CHECK_WARN, "sample", "invalid[%s] %s@%llu: %s%s%s, at byte %u",
              refusal_code(refusal->reason), path, (unsigned long long)message->offset,
              refusal->field == NULL ? "" : refusal->field, refusal->field == NULL ? "" : ": ",
              refusal_sentence(refusal->reason), refusal->position);
    other = refusal->reason == REFUSAL_MISSING ? guess_name(message, &setting) : NULL;
    if (other != NULL) {
        check_next(sample->check, "if \"%s\" is the same thing:  payment.fields.%s: [%s, %s]",
                   other, setting, setting, other);
    }
}

static void copy_status(struct span text, char ret_text[STATUS_SIZE])
{
    (void)snprintf(ret_text, STATUS_SIZE, "%.*s", (int)text.size,
                   text.at == NULL ? "" : (const char *)text.at);
}

static void see_id(struct sample *sample, const struct payment *payment)
{
    char id[IDENT_TEXT_MAX + 1];
    char status[STATUS_SIZE];

    (void)snprintf(id, sizeof(id), "%.*s", (int)payment->transaction_id.size,
                   (const char *)payment->transaction_id.at);
    copy_status(payment->status, status);
    for (size_t index = 0; index < sample->seen_count; index++) {
        struct seen_id *seen = &sample->seen[index];
        if (strcmp(seen->id, id) == 0) {
            if (strcmp(seen->status, status) != 0) {
                (void)strcpy(seen->other, status);
            }
            return;
        }
    }
    struct seen_id *added = &sample->seen[sample->seen_count++];
    (void)strcpy(added->id, id);
    (void)strcpy(added->status, status);
}

/* By which of its names was the event time found? */
static void find_name(struct sample *sample, const struct message *message, char *scratch)
{
    const struct parse_names *names = &sample->parser.settings.fields[PARSE_EVENT_TIME];

    for (size_t index = 0; index < names->count; index++) {
        struct message again = *message;
        struct parse_scratch room = {.at = scratch, .size = PARSE_SCRATCH_MAX};
        parse_message(&sample->by_name[index], &again, &room);
        if (again.refusal.reason == REFUSAL_NONE) {
            sample->names[index]++;
            return;
        }
    }
}

bool sample_take(struct sample *sample, const char *place, struct message *message)
{
    char *scratch = ((struct sample_memory *)sample)->scratch;
    struct parse_scratch room = {.at = scratch, .size = PARSE_SCRATCH_MAX};

    sample->shape = sample->taken == 0 ? guess_shape(message->raw) : sample->shape;
    sample->taken++;
    parse_message(&sample->parser, message, &room);
    if (message->refusal.reason != REFUSAL_NONE) {
        tell_refused(sample, place, message);
        return false;
    }
    if (!message->selected) {
        sample->skipped++;
        return false;
    }
    sample->understood++;
    sample->units[message->payment.event_unit]++;
    see_id(sample, &message->payment);
    find_name(sample, message, ((struct sample_memory *)sample)->again);
    return true;
}

/* The first messages of one file. */
static enum outcome take_file(struct sample *sample, const char *path, size_t most,
                              struct source *source, struct fault *ret_fault)
{
    static const struct fingerprint none;
    struct sample_memory *memory = (struct sample_memory *)sample;
    struct source_block block = {.bytes = memory->block,
                                 .capacity = BLOCK_SIZE,
                                 .target = BLOCK_SIZE / 2,
                                 .lines = memory->lines,
                                 .line_capacity = most < LINES_MAX ? most : LINES_MAX};
    enum outcome outcome = source_assign(source, source->start, &none, ret_fault);

    while (outcome == DONE && most > 0) {
        outcome = source_read(source, &block, ret_fault);
        if (outcome == LATER) {
            outcome = DONE; /* A very long line is being skipped. */
            continue;
        }
        for (size_t index = 0; outcome == DONE && index < block.line_count && most > 0; index++) {
            const struct source_line *line = &block.lines[index];
            struct message message = {.offset = line->offset,
                                      .raw = {block.bytes + line->at, line->kept},
                                      .size = line->size};
            (void)sample_take(sample, path, &message);
            most--;
        }
        if (block.ended) {
            break;
        }
    }
    return outcome;
}

static void tell_units(struct sample *sample, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t unit = 0; unit < UNITS; unit++) {
        if (sample->units[unit] > 0 && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                     unit_names[unit]);
        }
    }
}

static void tell_statuses(struct sample *sample)
{
    const char *wanted = NULL;
    size_t count = 0;

    for (size_t index = 0; index < sample->seen_count; index++) {
        const struct seen_id *seen = &sample->seen[index];
        if (seen->other[0] == '\0') {
            continue;
        }
        count++;
        if (wanted == NULL || strcmp(seen->other, "SUCCESS") == 0) {
            wanted = seen->other;
        }
    }
    if (count > 0) {
        check_say(
            sample->check, CHECK_WARN, "sample",
            "%zu transaction_id%s seen with 2 values of \"status\": the second is a conflict. "
            "To read one event of each payment: payment.only: {status: [%s]}",
            count, plural(count), wanted);
    }
}

static void tell_sample(struct sample *sample)
{
    const struct parse_names *names = &sample->parser.settings.fields[PARSE_EVENT_TIME];
    size_t usual = 0;
    char units[64];

    if (sample->taken == 0) {
        check_say(sample->check, CHECK_WARN, "sample", "there are no messages yet");
        return;
    }
    for (size_t index = 1; index < names->count; index++) {
        usual = sample->names[index] > sample->names[usual] ? index : usual;
    }
    tell_units(sample, units, sizeof(units));
    if (sample->understood == 0 && sample->skipped == 0) {
        check_say(sample->check, CHECK_ERROR, "sample",
                  "none of %zu message%s understood: all would be set aside as invalid",
                  sample->taken, plural(sample->taken));
        check_next(sample->check, "next: %s", sample->shape);
        return;
    }
    check_say(sample->check, CHECK_OK, "sample",
              "%zu of %zu message%s understood; event_time from \"%s\" (%s)",
              sample->understood + sample->skipped, sample->taken, plural(sample->taken),
              names->names[usual], units);
    if (strchr(units, ',') != NULL) {
        check_say(sample->check, CHECK_WARN, "sample",
                  "event times come in several units (%s); each message is told by its size",
                  units);
    }
    tell_statuses(sample);
}

struct sample *sample_begin(struct check *check)
{
    const struct parse_settings *parse = &check->config->engine.parse;
    const struct parse_names *names = &parse->fields[PARSE_EVENT_TIME];
    struct fault fault;
    void *reserved;

    if (memory_reserve(sizeof(struct sample_memory), &reserved, &fault) != DONE) {
        check_fault(check, "sample", &fault);
        return NULL;
    }
    struct sample_memory *memory = reserved;
    memory->sample.check = check;
    memory->sample.seen = memory->seen;
    parser_init(&memory->sample.parser, parse);
    for (size_t index = 0; index < names->count; index++) {
        struct parse_settings one = *parse;
        one.fields[PARSE_EVENT_TIME].count = 1;
        (void)strcpy(one.fields[PARSE_EVENT_TIME].names[0], names->names[index]);
        parser_init(&memory->sample.by_name[index], &one);
    }
    return &memory->sample;
}

void sample_end(struct sample *sample)
{
    tell_sample(sample);
    memory_release(sample, sizeof(struct sample_memory));
}

/* Some of each file, as many as are wanted in all. */
static void take_files(struct sample *sample, size_t most, struct source *source)
{
    const struct engine_settings *engine = &sample->check->config->engine;
    struct fault fault;

    for (size_t index = 0; index < engine->path_count && sample->taken < most; index++) {
        size_t share = (most - sample->taken) / (engine->path_count - index);
        enum outcome outcome = source_open(source, &source_file, engine->paths[index], &fault);
        if (outcome == DONE) {
            outcome =
                take_file(sample, engine->paths[index], share > 0 ? share : 1, source, &fault);
            source_close(source);
        }
        if (outcome != DONE) {
            check_fault(sample->check, "sample", &fault);
        }
    }
}

void check_sample(struct check *check)
{
    size_t most = check->request->sample_max;
    struct fault fault;
    void *source;

    if (check->config->engine.path_count == 0 || most == 0 || check->errors > 0) {
        return;
    }
    struct sample *sample = sample_begin(check);
    if (sample == NULL) {
        return;
    }
    if (memory_reserve(source_file.size, &source, &fault) == DONE) {
        take_files(sample, most, source);
        memory_release(source, source_file.size);
    } else {
        check_fault(check, "sample", &fault);
    }
    sample_end(sample);
}
