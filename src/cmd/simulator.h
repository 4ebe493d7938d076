/*
 * simulator: what is sent when: payments, copies of them, and all that goes wrong.
 *
 *   - The same settings give the same messages, byte for byte, in the same order.
 *   - It keeps nothing of a payment but its number (see mint.h); what is still to be sent again
 *     waits in a heap of fixed size. Is that full, the next copy goes out early.
 *   - What it expects of each payment holds for whatever order several outputs are merged in: a
 *     late one is behind the watermark of its own output (as its partition's is), and a conflict
 *     goes where the payment went. The pipeline's lateness must be the one in the settings, with
 * retention not smaller than after_max_ms + out_of_order_ms.
 *
 * A payment is "really sent" once. Copies and conflicts come on top of the count.
 */
#ifndef CMD_SIMULATOR_H
#define CMD_SIMULATOR_H

#include "cmd/mint.h"
#include "cmd/spoil.h"
#include "pay/verdict.h"

enum {
    SIMULATOR_OUTPUTS_MAX = 256,
    SIMULATOR_COPIES_MAX = 1000,
    SIMULATOR_WAITING_MAX = 1 << 20,
    SIMULATED_SIZE_MAX = SPOILED_SIZE_MAX + 1,
    SIMULATED_TRUTH_SIZE_MAX = 128,
};

struct simulator_settings {
    struct mint mint;
    uint64_t count;   /* Payments really sent. */
    uint64_t rate;    /* A second, of their event time. */
    int64_t start_ms; /* Event time of the first. */
    int64_t future_start_ms;
    int64_t lateness_ms;
    int64_t out_of_order_ms; /* How far an event may lie behind its sending. */
    int64_t after_min_ms;    /* When a copy or conflict follows its payment. */
    int64_t after_max_ms;
    uint64_t copies_min; /* Of a payment that is sent again. */
    uint64_t copies_max;
    uint64_t duplicates; /* Parts per million, of the payments; as are the others. */
    uint64_t conflicts;
    uint64_t late;
    uint64_t future;
    uint64_t broken;
    uint64_t surge; /* The middle third of the payments come so many times as fast. */
    unsigned output_count;
    bool by_key; /* What has one id goes to one output: the partition its key belongs in. */
};

void simulator_settings_default(struct simulator_settings *settings);

enum simulated_kind {
    SIMULATED_PAYMENT,
    SIMULATED_COPY,
    SIMULATED_CONFLICT, /* Same id, another amount. */
    SIMULATED_KINDS,
};

/* One message to be sent. */
struct simulated {
    enum simulated_kind kind;
    enum verdict expected; /* ACCEPTED, DUPLICATE, CONFLICT, LATE, FUTURE, INVALID. */
    unsigned output;
    int64_t due_ns; /* Since the first. */
    struct minted payment;
    unsigned way; /* INVALID: how it is spoiled. */
    struct dice dice;
};

/* A copy or conflict that waits for its time. */
struct simulator_waiting {
    int64_t due_ns;
    uint64_t order; /* Of joining: between two of the same time the first comes first. */
    uint64_t number;
    uint32_t output;
    uint32_t kind;
};

struct simulator {
    struct simulator_settings settings;
    uint64_t number; /* Of the next payment. */
    uint64_t order;
    int64_t newest_ms[SIMULATOR_OUTPUTS_MAX]; /* Event time sent so far; INSTANT_NONE: none. */
    struct simulator_waiting *waiting;        /* Lent: a heap, the first to go out on top. */
    size_t waiting_count;
};

/* The earliest start whose late payments still have a date (base/instant.h). */
int64_t simulator_start_least_ms(const struct simulator_settings *settings);

size_t simulator_memory_size(void);
void simulator_init(struct simulator *simulator, const struct simulator_settings *settings,
                    void *memory);

/* The next message. False: everything has been sent. */
bool simulator_next(struct simulator *simulator, struct simulated *ret_simulated);

/* The message's bytes and a newline; room for SIMULATED_SIZE_MAX. Returns the size. */
size_t simulated_write(const struct simulated *simulated, char *to);

/* A payment's line in the truth file: see TRUTH_HEADER. Room for SIMULATED_TRUTH_SIZE_MAX. */
size_t simulated_truth_write(const struct simulated *simulated, char *to);

#define TRUTH_HEADER "transaction_id,amount,currency,event_time,expected\n"

#endif
