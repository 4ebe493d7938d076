#include "cmd/simulate_kafka_parts.h"

#include "cmd/say.h"
#include "os/clock.h"

#include <string.h>

enum {
    TAKE = 256,
    LINES_SAID_MAX = 2,
    LEVEL_ERROR = 3,
    PLACE_TEXT_SIZE = 48, /* ",partition,offset" */
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
    return (RECORDS_ON_THEIR_WAY + 1) * sizeof(struct kafka_on_its_way);
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

static enum outcome find_topic(struct kafka_sending *sending, struct fault *ret_fault)
{
    const char *topic = sending->kafka->topic;
    enum outcome outcome = kafka_writer_topic(sending->writer, topic, &sending->topic,
                                              &sending->partition_count, ret_fault);

    say_lines(sending);
    if (outcome == DONE && sending->partition_count > SIMULATOR_OUTPUTS_MAX) {
        outcome = fault_is(ret_fault, BROKEN, FAULT_USAGE,
                           "topic %s has %u partitions; simulate writes to %d at most", topic,
                           sending->partition_count, SIMULATOR_OUTPUTS_MAX);
    }
    if (outcome == LATER) {
        fault_next(ret_fault, "look whether a broker listens at %s, then run it again",
                   sending->kafka->brokers);
    }
    return firm(outcome);
}

static void say_warnings(const struct kafka_settings *settings)
{
    const char *text;

    for (size_t index = 0; (text = kafka_settings_warning(settings, index)) != NULL; index++) {
        say_warning("kafka: %s", text);
    }
}

static struct kafka_settings client_of(const struct simulate_kafka *kafka)
{
    return (struct kafka_settings){.brokers = kafka->brokers,
                                   .client_id = "payonce-simulate",
                                   .password = {.file = kafka->password_file},
                                   .extra = kafka->properties,
                                   .extra_count = kafka->property_count};
}

static void disconnect(struct kafka_sending *sending)
{
    if (sending->writer != NULL) {
        (void)kafka_writer_close(sending->writer);
        sending->writer = NULL;
    }
}

enum outcome sending_connect(struct kafka_sending *sending, enum sending_manner manner,
                             struct fault *ret_fault)
{
    const struct simulate_kafka *kafka = sending->kafka;
    bool losing = manner == MANNER_LOSES_ALL;
    bool careless = losing || kafka->lose_every > 0 || kafka->failovers > 0;
    const struct kafka_writer_settings settings = {
        .client = client_of(kafka),
        .writing = careless ? KAFKA_PLAIN : KAFKA_IDEMPOTENT,
        .capacity = RECORDS_ON_THEIR_WAY,
        .lose_every = losing ? 1 : kafka->lose_every,
        .once = losing,
    };

    disconnect(sending);
    enum outcome outcome = kafka_writer_open(&settings, &sending->writer, ret_fault);
    return outcome == DONE ? find_topic(sending, ret_fault) : outcome;
}

/* All places are free, but for the one where the ring of those in use begins and ends. */
static void places_init(struct kafka_on_its_way *records)
{
    for (uint32_t index = 0; index < RECORDS_ON_THEIR_WAY; index++) {
        records[index].next = index + 1;
    }
    records[RECORDS_ON_THEIR_WAY].before = RECORDS_ON_THEIR_WAY;
    records[RECORDS_ON_THEIR_WAY].next = RECORDS_ON_THEIR_WAY;
}

enum outcome kafka_sending_open(struct kafka_sending *sending, const struct simulate_kafka *kafka,
                                uint64_t payments, void *memory, struct fault *ret_fault)
{
    const struct kafka_settings client = client_of(kafka);

    *sending = (struct kafka_sending){.kafka = kafka,
                                      .records = memory,
                                      .silent = kafka->quiet || kafka->lose_every > 0 ||
                                                kafka->failovers > 0};
    places_init(sending->records);
    failover_plan(sending, payments);
    if (!kafka->quiet) {
        say_warnings(&client);
    }
    enum outcome outcome = sending_connect(sending, MANNER_OF_SCENARIO, ret_fault);
    if (outcome == DONE) {
        outcome = crash_open(sending, &client, ret_fault);
    }
    if (outcome != DONE) {
        kafka_sending_close(sending);
    }
    return outcome;
}

/* A place for it, behind all others. */
static uint32_t place_take(struct kafka_sending *sending, const struct simulated *message)
{
    struct kafka_on_its_way *records = sending->records;
    struct kafka_on_its_way *end = &records[RECORDS_ON_THEIR_WAY];
    uint32_t place = sending->free;

    must(place < RECORDS_ON_THEIR_WAY);
    sending->free = records[place].next;
    records[place] = (struct kafka_on_its_way){
        .before = end->before, .next = RECORDS_ON_THEIR_WAY, .message = *message};
    records[end->before].next = place;
    end->before = place;
    return place;
}

static void place_give_back(struct kafka_sending *sending, uint32_t place)
{
    struct kafka_on_its_way *record = &sending->records[place];

    sending->records[record->before].next = record->next;
    sending->records[record->next].before = record->before;
    record->next = sending->free;
    sending->free = place;
}

/* Of a payment: its line, and where it stands in place of the newline. */
static enum outcome line_write(struct kafka_sending *sending, const struct kafka_written *written,
                               struct fault *ret_fault)
{
    const struct simulated *message = &sending->records[written->token].message;
    enum outcome outcome = DONE;

    if (sending->truth == NULL || message->kind != SIMULATED_PAYMENT) {
        return DONE;
    }
    char *room = outfile_room(sending->truth, SIMULATED_TRUTH_SIZE_MAX + PLACE_TEXT_SIZE, &outcome,
                              ret_fault);
    if (room == NULL) {
        return outcome;
    }
    size_t size = simulated_truth_write(message, room) - 1;
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
        outcome = line_write(sending, written, ret_fault);
        place_give_back(sending, (uint32_t)written->token);
        break;
    case KAFKA_NOT_WRITTEN:
    case KAFKA_PERHAPS:
        if (sending->failover.lost) {
            break; /* It keeps its place, and is sent again. */
        }
        outcome = fault_is(ret_fault, BROKEN, FAULT_KAFKA_WRITE,
                           "a record was %s: %s; %llu before it were written",
                           written->fate == KAFKA_PERHAPS ? "sent, and its fate is unknown"
                                                          : "not written",
                           kafka_error_name(written->error), (unsigned long long)sending->written);
        break;
    }
    return outcome;
}

enum outcome sending_take(struct kafka_sending *sending, int wait_ms, struct fault *ret_fault)
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

enum outcome sending_hand_in(struct kafka_sending *sending, uint32_t place, struct fault *ret_fault)
{
    static char value[SIMULATED_SIZE_MAX];
    const struct simulated *message = &sending->records[place].message;
    char id[MINTED_ID_SIZE];
    size_t size = simulated_write(message, value) - 1; /* Without the newline. */
    struct kafka_message record = {.topic = sending->topic,
                                   .partition = (int32_t)message->output,
                                   .key = {id, sizeof(id)},
                                   .value = {value, size},
                                   .token = place};
    enum outcome outcome;

    minted_id_write(&message->payment, id);
    while ((outcome = kafka_write(sending->writer, &record, ret_fault)) == LATER) {
        outcome = sending_take(sending, SLICE_MS, ret_fault); /* The library's memory is full. */
        if (outcome != DONE) {
            return outcome;
        }
    }
    sending->bytes += outcome == DONE ? size : 0;
    return firm(outcome);
}

enum outcome kafka_sending_send(struct kafka_sending *sending, const struct simulated *message,
                                struct fault *ret_fault)
{
    enum outcome outcome = crash_turn(sending, ret_fault);

    if (outcome == DONE) {
        outcome = failover_turn(sending, ret_fault);
    }
    while (outcome == DONE && kafka_writer_waiting(sending->writer) == RECORDS_ON_THEIR_WAY) {
        outcome = sending_take(sending, SLICE_MS, ret_fault);
    }
    return outcome == DONE ? sending_hand_in(sending, place_take(sending, message), ret_fault)
                           : outcome;
}

enum outcome kafka_sending_wait(struct kafka_sending *sending, int64_t wait_ns,
                                struct fault *ret_fault)
{
    int64_t now_ns = clock_steady_ns(&clock_real);
    int64_t until_ns = now_ns + wait_ns;
    enum outcome outcome = DONE;

    while (outcome == DONE && now_ns < until_ns) {
        int64_t wait_ms = (until_ns - now_ns + MS_NS - 1) / MS_NS;
        outcome = sending_take(sending, (int)(wait_ms < SLICE_MS ? wait_ms : SLICE_MS), ret_fault);
        now_ns = clock_steady_ns(&clock_real);
    }
    return outcome;
}

enum outcome sending_wait_for_all(struct kafka_sending *sending, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while (outcome == DONE && kafka_writer_waiting(sending->writer) > 0) {
        outcome = sending_take(sending, SLICE_MS, ret_fault);
    }
    return outcome;
}

enum outcome kafka_sending_flush(struct kafka_sending *sending, struct fault *ret_fault)
{
    enum outcome outcome = failover_end(sending, ret_fault);

    if (outcome == DONE) {
        outcome = sending_wait_for_all(sending, ret_fault);
    }
    return outcome == DONE ? crash_end(sending, ret_fault) : outcome;
}

void kafka_sending_close(struct kafka_sending *sending)
{
    disconnect(sending);
    if (sending->crash.group != NULL) {
        kafka_group_close(sending->crash.group);
        sending->crash.group = NULL;
    }
}
