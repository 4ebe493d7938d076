#include "cmd/simulate.h"

#include "cmd/outfile.h"
#include "cmd/progress.h"
#include "os/clock.h"
#include "os/memory.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_LEAST_NS = 1000 * 1000, /* Shorter waits cost more than they are worth. */
    PROGRESS_EVERY = 4096,
};

static volatile sig_atomic_t told_to_stop;

struct sending {
    const struct simulate_request *request;
    struct simulate_counts *counts;
    struct simulator simulator;
    struct outfile outputs[SIMULATOR_OUTPUTS_MAX];
    struct outfile truth;
    size_t opened; /* Of the outputs. */
    int64_t started_ns;
    struct progress progress;
    struct kafka_sending kafka;
    bool kafka_opened;
};

static struct sending sending;

static void note_signal(int signal)
{
    (void)signal;
    told_to_stop = 1;
}

/* The first signal ends it in order, the second at once. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};

    told_to_stop = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static enum outcome open_outputs(struct sending *state, char *buffers, struct fault *ret_fault)
{
    const struct simulate_request *request = state->request;
    enum outcome outcome = DONE;
    unsigned file_count = request->kafka.wanted ? 0 : request->simulator.output_count;

    while (outcome == DONE && state->opened < file_count) {
        const char *path = request->to_stdout ? NULL : request->paths[state->opened];
        outcome = outfile_open(&state->outputs[state->opened], path, request->overwrite,
                               buffers + state->opened * OUTFILE_BUFFER_SIZE, ret_fault);
        state->opened += outcome == DONE ? 1 : 0;
    }
    if (outcome != DONE || request->truth == NULL) {
        return outcome;
    }
    outcome = outfile_open(&state->truth, request->truth, request->overwrite,
                           buffers + state->opened * OUTFILE_BUFFER_SIZE, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    const char *header = request->kafka.wanted ? TRUTH_KAFKA_HEADER : TRUTH_HEADER;
    char *room = outfile_room(&state->truth, strlen(header), &outcome, ret_fault);
    must(room != NULL);
    memcpy(room, header, strlen(header));
    outfile_add(&state->truth, strlen(header));
    state->kafka.truth = &state->truth;
    return DONE;
}

static enum outcome flush_all(struct sending *state, struct fault *ret_fault)
{
    if (state->kafka_opened) {
        enum outcome outcome = kafka_sending_flush(&state->kafka, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
    }
    for (size_t index = 0; index < state->opened; index++) {
        enum outcome outcome = outfile_flush(&state->outputs[index], ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
    }
    return state->request->truth == NULL ? DONE : outfile_flush(&state->truth, ret_fault);
}

/* Until this moment after the start; what is in the buffers goes out first. */
static enum outcome wait_until(struct sending *state, int64_t due_ns, struct fault *ret_fault)
{
    int64_t now_ns = clock_steady_ns(&clock_real) - state->started_ns;

    if (due_ns <= now_ns) {
        return DONE;
    }
    if (state->kafka_opened) {
        return kafka_sending_wait(&state->kafka, due_ns - now_ns, ret_fault);
    }
    enum outcome outcome = flush_all(state, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    int64_t wait_ns = due_ns - now_ns < WAIT_LEAST_NS ? WAIT_LEAST_NS : due_ns - now_ns;
    struct timespec span = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    while (nanosleep(&span, &span) != 0 && errno == EINTR && told_to_stop == 0) {
    }
    return DONE;
}

static enum outcome send_message(struct sending *state, const struct simulated *message,
                                 struct fault *ret_fault)
{
    if (state->kafka_opened) {
        return kafka_sending_send(&state->kafka, message, ret_fault);
    }
    enum outcome outcome = DONE;
    struct outfile *output = &state->outputs[message->output];
    char *room = outfile_room(output, SIMULATED_SIZE_MAX, &outcome, ret_fault);

    if (room == NULL) {
        return outcome;
    }
    outfile_add(output, simulated_write(message, room));
    if (message->kind != SIMULATED_PAYMENT || state->request->truth == NULL) {
        return DONE;
    }
    room = outfile_room(&state->truth, SIMULATED_TRUTH_SIZE_MAX, &outcome, ret_fault);
    if (room != NULL) {
        outfile_add(&state->truth, simulated_truth_write(message, room));
    }
    return outcome;
}

static void count(struct simulate_counts *counts, const struct simulated *message)
{
    counts->messages++;
    switch (message->kind) {
    case SIMULATED_PAYMENT:
        counts->payments++;
        counts->expected[message->expected]++;
        break;
    case SIMULATED_COPY:
        counts->copies++;
        break;
    case SIMULATED_CONFLICT:
        counts->conflicts++;
        break;
    case SIMULATED_KINDS:
        must(message->kind < SIMULATED_KINDS);
    }
}

static enum outcome send_all(struct sending *state, struct fault *ret_fault)
{
    struct simulate_counts *counts = state->counts;
    struct simulated message;
    enum outcome outcome = DONE;

    while (outcome == DONE && simulator_next(&state->simulator, &message)) {
        if (state->request->real_clock) {
            outcome = wait_until(state, message.due_ns, ret_fault);
        }
        if (told_to_stop != 0) {
            counts->stopped = true;
            break;
        }
        if (outcome == DONE) {
            outcome = send_message(state, &message, ret_fault);
        }
        if (outcome == DONE) {
            count(counts, &message);
        }
        if (counts->messages % PROGRESS_EVERY == 0) {
            progress_say(&state->progress, QUANTITY_COUNT, counts->payments,
                         state->request->simulator.count);
        }
    }
    return outcome == DONE ? flush_all(state, ret_fault) : outcome;
}

/* Close what was opened; the first thing that went wrong is what is told. */
static enum outcome close_all(struct sending *state, enum outcome outcome, struct fault *ret_fault)
{
    struct fault fault;

    if (state->kafka_opened) {
        state->counts->bytes += state->kafka.bytes;
        state->counts->sent_again = state->kafka.failover.sent_again;
        state->counts->set_back = state->kafka.crash.set_back;
        kafka_sending_close(&state->kafka);
    }
    for (size_t index = 0; index < state->opened; index++) {
        state->counts->bytes += state->outputs[index].written;
        if (outfile_close(&state->outputs[index], &fault) != DONE && outcome == DONE) {
            *ret_fault = fault;
            outcome = BROKEN;
        }
    }
    if (state->truth.name != NULL && state->truth.file >= 0 &&
        outfile_close(&state->truth, &fault) != DONE && outcome == DONE) {
        *ret_fault = fault;
        outcome = BROKEN;
    }
    return outcome;
}

/* Memory, in this order: the simulator's, the truth's on its way, a buffer for each file. */
static size_t memory_size(const struct simulate_request *request)
{
    return simulator_memory_size() + kafka_sending_memory_size() +
           (request->simulator.output_count + 1UL) * OUTFILE_BUFFER_SIZE;
}

/* A topic has as many outputs as partitions; they are known once a broker has told. */
static enum outcome open_all(struct sending *state, char *memory, struct fault *ret_fault)
{
    struct simulator_settings plan = state->request->simulator;
    char *lines = memory + simulator_memory_size();
    enum outcome outcome = DONE;

    if (state->request->kafka.wanted) {
        outcome =
            kafka_sending_open(&state->kafka, &state->request->kafka, plan.count, lines, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        state->kafka_opened = true;
        plan.by_key = true;
        plan.output_count = state->kafka.partition_count;
    }
    simulator_init(&state->simulator, &plan, memory);
    return open_outputs(state, lines + kafka_sending_memory_size(), ret_fault);
}

enum outcome simulate_send(const struct simulate_request *request,
                           struct simulate_counts *ret_counts, struct fault *ret_fault)
{
    void *memory;
    enum outcome outcome = memory_reserve(memory_size(request), &memory, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    *ret_counts = (struct simulate_counts){0};
    sending = (struct sending){.request = request, .counts = ret_counts};
    progress_init(&sending.progress, "simulate", request->quiet);
    watch_signals();
    outcome = open_all(&sending, memory, ret_fault);
    if (outcome == DONE) {
        sending.started_ns = clock_steady_ns(&clock_real);
        outcome = send_all(&sending, ret_fault);
    }
    outcome = close_all(&sending, outcome, ret_fault);
    progress_end(&sending.progress);
    memory_release(memory, memory_size(request));
    return outcome;
}
