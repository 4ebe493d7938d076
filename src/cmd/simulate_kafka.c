#include "cmd/simulate_kafka.h"

#include "cmd/say.h"
#include "os/clock.h"

#include <string.h>

enum {
    RECORDS_ON_THEIR_WAY = 32768,
    TAKE = 256,
    SLICE_MS = 100,
    MS_NS = 1000000,
    LINES_SAID_MAX = 2,
    LEVEL_ERROR = 3,
    PLACE_TEXT_SIZE = 48, /* ",partition,offset" */
    NO_LINE = RECORDS_ON_THEIR_WAY,
};

bool simulate_kafka_place(const char *text, struct simulate_kafka *ret_kafka)
{
    const char *slash = strchr(text, '/');

    if (slash == NULL || slash == text || strchr(text, ':') == NULL) {
        return false;
    }
    size_t size = (size_t)(slash - text);
    size_t topic_size = strlen(slash + 1);
    if (size >= sizeof(ret_kafka->brokers) || topic_size == 0 || topic_size > SIMULATE_TOPIC_MAX) {
        return false;
    }
    memcpy(ret_kafka->brokers, text, size);
    ret_kafka->brokers[size] = '\0';
    memcpy(ret_kafka->topic, slash + 1, topic_size + 1);
    ret_kafka->wanted = true;
    return true;
}

size_t kafka_sending_memory_size(void)
{
    return RECORDS_ON_THEIR_WAY * sizeof(struct truth_waiting);
}

/* What the library has to say, a few lines of it. */
static void say_lines(struct kafka_sending *sending)
{
    struct kafka_line line;

    while (kafka_writer_line(sending->writer, &line)) {
        if (line.level <= LEVEL_ERROR && !sending->silent && sending->said < LINES_SAID_MAX) {
            say_note("kafka: %s", line.text);
            sending->said++;
        }
    }
}

/* For somebody who waits at a prompt there is no later, and nothing to set aside. */
static enum outcome firm(enum outcome outcome)
{
    return outcome == DONE ? DONE : BROKEN;
}

static enum outcome find_topic(struct kafka_sending *sending, const struct simulate_kafka *kafka,
                               struct fault *ret_fault)
{
    enum outcome outcome = kafka_writer_topic(sending->writer, kafka->topic, &sending->topic,
                                              &sending->partition_count, ret_fault);

    say_lines(sending);
    if (outcome == DONE && sending->partition_count > SIMULATOR_OUTPUTS_MAX) {
        outcome = fault_is(ret_fault, BROKEN, FAULT_USAGE,
                           "topic %s has %u partitions; simulate writes to %d at most",
                           kafka->topic, sending->partition_count, SIMULATOR_OUTPUTS_MAX);
    }
    return outcome;
}

static void say_warnings(const struct kafka_settings *settings)
{
    const char *text;

    for (size_t index = 0; (text = kafka_settings_warning(settings, index)) != NULL; index++) {
        say_warning("kafka: %s", text);
    }
}

enum outcome kafka_sending_open(struct kafka_sending *sending, const struct simulate_kafka *kafka,
                                void *memory, struct fault *ret_fault)
{
    const struct kafka_writer_settings settings = {
        .client = {.brokers = kafka->brokers,
                   .client_id = "payonce-simulate",
                   .password = {.file = kafka->password_file},
                   .extra = kafka->properties,
                   .extra_count = kafka->property_count},
        .writing = kafka->lose_every > 0 ? KAFKA_PLAIN : KAFKA_IDEMPOTENT,
        .capacity = RECORDS_ON_THEIR_WAY,
        .lose_every = kafka->lose_every,
    };

    *sending =
        (struct kafka_sending){.lines = memory, .silent = kafka->quiet || kafka->lose_every > 0};
    for (uint32_t index = 0; index < RECORDS_ON_THEIR_WAY; index++) {
        sending->lines[index].next = index + 1;
    }
    if (!kafka->quiet) {
        say_warnings(&settings.client);
    }
    enum outcome outcome = kafka_writer_open(&settings, &sending->writer, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    outcome = find_topic(sending, kafka, ret_fault);
    if (outcome != DONE) {
        kafka_sending_close(sending);
    }
    if (outcome == LATER) {
        fault_next(ret_fault, "look whether a broker listens at %s, then run it again",
                   kafka->brokers);
    }
    return firm(outcome);
}

/* The payment's line, without its newline: where it stands comes behind it. */
static uint64_t line_keep(struct kafka_sending *sending, const struct simulated *message)
{
    if (sending->truth == NULL || message->kind != SIMULATED_PAYMENT) {
        return NO_LINE;
    }
    uint32_t index = sending->free;
    must(index < RECORDS_ON_THEIR_WAY);
    struct truth_waiting *line = &sending->lines[index];

    sending->free = line->next;
    line->size = (uint32_t)simulated_truth_write(message, line->line) - 1;
    return index;
}

static void line_drop(struct kafka_sending *sending, uint64_t token)
{
    if (token != NO_LINE) {
        sending->lines[token].next = sending->free;
        sending->free = (uint32_t)token;
    }
}

static enum outcome line_write(struct kafka_sending *sending, const struct kafka_written *written,
                               struct fault *ret_fault)
{
    const struct truth_waiting *line = &sending->lines[written->token];
    enum outcome outcome = DONE;
    char *room = outfile_room(sending->truth, SIMULATED_TRUTH_SIZE_MAX + PLACE_TEXT_SIZE, &outcome,
                              ret_fault);

    if (room == NULL) {
        return outcome;
    }
    memcpy(room, line->line, line->size);
    size_t size = line->size;
    size += (size_t)snprintf(room + size, PLACE_TEXT_SIZE, ",%u,", written->partition);
    if (written->offset != KAFKA_OFFSET_NONE) {
        size += (size_t)snprintf(room + size, PLACE_TEXT_SIZE, "%llu",
                                 (unsigned long long)written->offset);
    }
    room[size++] = '\n';
    outfile_add(sending->truth, size);
    return DONE;
}

static enum outcome take_back(struct kafka_sending *sending, const struct kafka_written *written,
                              struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    switch (written->fate) {
    case KAFKA_WRITTEN:
        sending->written++;
        if (written->token != NO_LINE) {
            outcome = line_write(sending, written, ret_fault);
        }
        break;
    case KAFKA_NOT_WRITTEN:
    case KAFKA_PERHAPS:
        outcome = fault_is(ret_fault, BROKEN, FAULT_KAFKA_WRITE,
                           "a record was %s: %s; %llu before it were written",
                           written->fate == KAFKA_PERHAPS ? "sent, and its fate is unknown"
                                                          : "not written",
                           kafka_error_name(written->error), (unsigned long long)sending->written);
        break;
    }
    line_drop(sending, written->token);
    return outcome;
}

/* One look at what has come back. */
static enum outcome take(struct kafka_sending *sending, int wait_ms, struct fault *ret_fault)
{
    struct kafka_written written[TAKE];
    enum outcome outcome = DONE;
    size_t count = TAKE;

    while (outcome == DONE && count == TAKE) {
        count = kafka_writer_take(sending->writer, wait_ms, written, TAKE);
        wait_ms = 0;
        for (size_t index = 0; outcome == DONE && index < count; index++) {
            outcome = take_back(sending, &written[index], ret_fault);
        }
    }
    say_lines(sending);
    return firm(outcome == DONE ? kafka_writer_trouble(sending->writer, ret_fault) : outcome);
}

enum outcome kafka_sending_send(struct kafka_sending *sending, const struct simulated *message,
                                struct fault *ret_fault)
{
    static char value[SIMULATED_SIZE_MAX];
    char id[MINTED_ID_SIZE];
    size_t size = simulated_write(message, value) - 1; /* Without the newline. */

    minted_id_write(&message->payment, id);
    struct kafka_message record = {.topic = sending->topic,
                                   .partition = (int32_t)message->output,
                                   .key = {id, sizeof(id)},
                                   .value = {value, size},
                                   .token = NO_LINE};
    enum outcome outcome = DONE;
    while (outcome == DONE && kafka_writer_waiting(sending->writer) == RECORDS_ON_THEIR_WAY) {
        outcome = take(sending, SLICE_MS, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    record.token = line_keep(sending, message);
    while ((outcome = kafka_write(sending->writer, &record, ret_fault)) == LATER) {
        outcome = take(sending, SLICE_MS, ret_fault); /* The library's own memory is full. */
        if (outcome != DONE) {
            return outcome;
        }
    }
    sending->bytes += outcome == DONE ? size : 0;
    return firm(outcome);
}

enum outcome kafka_sending_wait(struct kafka_sending *sending, int64_t wait_ns,
                                struct fault *ret_fault)
{
    int64_t now_ns = clock_steady_ns(&clock_real);
    int64_t until_ns = now_ns + wait_ns;
    enum outcome outcome = DONE;

    while (outcome == DONE && now_ns < until_ns) {
        int64_t wait_ms = (until_ns - now_ns + MS_NS - 1) / MS_NS;
        outcome = take(sending, (int)(wait_ms < SLICE_MS ? wait_ms : SLICE_MS), ret_fault);
        now_ns = clock_steady_ns(&clock_real);
    }
    return outcome;
}

enum outcome kafka_sending_flush(struct kafka_sending *sending, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while (outcome == DONE && kafka_writer_waiting(sending->writer) > 0) {
        outcome = take(sending, SLICE_MS, ret_fault);
    }
    return outcome;
}

void kafka_sending_close(struct kafka_sending *sending)
{
    (void)kafka_writer_close(sending->writer);
}
