#include "cmd/simulate.h"

#include "cmd/outfile.h"
#include "cmd/progress.h"
#include "os/clock.h"
#include "os/memory.h"

#include <errno.h>
#include <signal.h>
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

    while (outcome == DONE && state->opened < request->simulator.output_count) {
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
    char *room = outfile_room(&state->truth, sizeof(TRUTH_HEADER), &outcome, ret_fault);
    must(room != NULL);
    __builtin_memcpy(room, TRUTH_HEADER, sizeof(TRUTH_HEADER) - 1);
    outfile_add(&state->truth, sizeof(TRUTH_HEADER) - 1);
    return DONE;
}

static enum outcome flush_all(struct sending *state, struct fault *ret_fault)
{
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
            progress_say(&state->progress, counts->payments, state->request->simulator.count);
        }
    }
    return outcome == DONE ? flush_all(state, ret_fault) : outcome;
}

/* Close what was opened; the first thing that went wrong is what is told. */
static enum outcome close_all(struct sending *state, enum outcome outcome, struct fault *ret_fault)
{
    struct fault fault;

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

enum outcome simulate_send(const struct simulate_request *request,
                           struct simulate_counts *ret_counts, struct fault *ret_fault)
{
    size_t buffers_size = (request->simulator.output_count + 1UL) * OUTFILE_BUFFER_SIZE;
    void *memory;
    enum outcome outcome =
        memory_reserve(simulator_memory_size() + buffers_size, &memory, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    *ret_counts = (struct simulate_counts){0};
    sending = (struct sending){.request = request, .counts = ret_counts};
    simulator_init(&sending.simulator, &request->simulator, memory);
    progress_init(&sending.progress, "simulate", request->quiet);
    watch_signals();
    outcome = open_outputs(&sending, (char *)memory + simulator_memory_size(), ret_fault);
    if (outcome == DONE) {
        sending.started_ns = clock_steady_ns(&clock_real);
        outcome = send_all(&sending, ret_fault);
    }
    outcome = close_all(&sending, outcome, ret_fault);
    progress_end(&sending.progress);
    memory_release(memory, simulator_memory_size() + buffers_size);
    return outcome;
}
