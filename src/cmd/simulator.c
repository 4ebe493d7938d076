#include "cmd/simulator.h"

#include "base/instant.h"
#include "cmd/partition.h"

#include <string.h>

enum {
    SECOND_NS = 1000000000,
    MS_NS = 1000000,
    LATE_AT_LEAST_MS = 1000, /* Behind what would be late already. */
    LATE_SPREAD_MS = 600 * 1000,
    FUTURE_SPREAD_MS = 3600 * 1000,
    FUTURE_DAYS = 300, /* The future goes round in so many days: no date leaves this century. */
    CONFLICT_SPREAD = 50000,
};

#define DAY_MS INT64_C(86400000)

void simulator_settings_default(struct simulator_settings *settings)
{
    *settings = (struct simulator_settings){
        .count = 10000,
        .rate = 1000,
        .start_ms = INT64_C(1767225600000),        /* 2026-01-01 */
        .future_start_ms = INT64_C(4070908800000), /* 2099-01-01 */
        .lateness_ms = 3600 * 1000,
        .after_max_ms = 30 * 1000,
        .copies_min = 1,
        .copies_max = 1,
        .surge = 1,
        .output_count = 1,
    };
    mint_default(&settings->mint);
}

size_t simulator_memory_size(void)
{
    return SIMULATOR_WAITING_MAX * sizeof(struct simulator_waiting);
}

int64_t simulator_start_least_ms(const struct simulator_settings *settings)
{
    return INSTANT_MIN_MS + settings->lateness_ms + 2 * settings->out_of_order_ms +
           LATE_AT_LEAST_MS + LATE_SPREAD_MS;
}

void simulator_init(struct simulator *simulator, const struct simulator_settings *settings,
                    void *memory)
{
    must(settings->output_count >= 1 && settings->output_count <= SIMULATOR_OUTPUTS_MAX);
    must(settings->rate >= 1);
    must(settings->surge >= 1);
    must(settings->copies_min <= settings->copies_max);
    must(settings->copies_max <= SIMULATOR_COPIES_MAX);
    must(settings->after_min_ms <= settings->after_max_ms);
    must(settings->start_ms >= simulator_start_least_ms(settings));

    *simulator = (struct simulator){.settings = *settings, .waiting = memory};
    for (size_t index = 0; index < SIMULATOR_OUTPUTS_MAX; index++) {
        simulator->newest_ms[index] = INSTANT_NONE;
    }
}

static bool waiting_before(const struct simulator_waiting *left,
                           const struct simulator_waiting *right)
{
    return left->due_ns != right->due_ns ? left->due_ns < right->due_ns
                                         : left->order < right->order;
}

static void waiting_push(struct simulator *simulator, const struct simulator_waiting *added)
{
    must(simulator->waiting_count < SIMULATOR_WAITING_MAX);
    struct simulator_waiting *heap = simulator->waiting;
    size_t index = simulator->waiting_count++;

    while (index > 0 && waiting_before(added, &heap[(index - 1) / 2])) {
        heap[index] = heap[(index - 1) / 2];
        index = (index - 1) / 2;
    }
    heap[index] = *added;
}

static struct simulator_waiting waiting_pop(struct simulator *simulator)
{
    struct simulator_waiting *heap = simulator->waiting;
    struct simulator_waiting first = heap[0];
    struct simulator_waiting last = heap[--simulator->waiting_count];
    size_t index = 0;

    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= simulator->waiting_count) {
            break;
        }
        if (child + 1 < simulator->waiting_count &&
            waiting_before(&heap[child + 1], &heap[child])) {
            child++;
        }
        if (!waiting_before(&heap[child], &last)) {
            break;
        }
        heap[index] = heap[child];
        index = child;
    }
    heap[index] = last;
    return first;
}

/* How long so many payments take; exact at any rate. */
static int64_t span_ns(uint64_t count, uint64_t rate)
{
    return (int64_t)(count / rate * SECOND_NS + count % rate * SECOND_NS / rate);
}

/* When payment `number` is sent, in nanoseconds after the first. */
static int64_t sending_ns(const struct simulator *simulator, uint64_t number)
{
    const struct simulator_settings *settings = &simulator->settings;
    uint64_t third = settings->count / 3;

    if (settings->surge == 1 || number <= third) {
        return span_ns(number, settings->rate);
    }
    uint64_t fast = number - third < third ? number - third : third;
    return span_ns(number - fast, settings->rate) + span_ns(fast, settings->rate * settings->surge);
}

/* The payment as it was made, its event time included; the dice go on to its fate. */
static void payment_make(const struct simulator *simulator, uint64_t number,
                         struct simulated *ret_simulated)
{
    const struct simulator_settings *settings = &simulator->settings;
    struct minted *payment = &ret_simulated->payment;

    mint_payment(&settings->mint, number, payment, &ret_simulated->dice);
    int64_t behind_ms =
        (int64_t)dice_below(&ret_simulated->dice, (uint64_t)settings->out_of_order_ms + 1);
    payment->event_ms = settings->start_ms + sending_ns(simulator, number) / MS_NS;
    payment->event_ms -= number == 0 ? 0 : behind_ms;
}

/* What becomes of it: one draw, so that no payment has two misfortunes. */
static enum verdict fate_of(const struct simulator *simulator, struct simulated *simulated)
{
    const struct simulator_settings *settings = &simulator->settings;
    uint64_t draw = dice_below(&simulated->dice, 1000000);

    if (draw < settings->broken) {
        return INVALID;
    }
    if (draw < settings->broken + settings->future) {
        return FUTURE;
    }
    bool unlucky = draw < settings->broken + settings->future + settings->late;
    return unlucky && simulator->newest_ms[simulated->output] != INSTANT_NONE ? LATE : ACCEPTED;
}

static void fate_apply(const struct simulator *simulator, struct simulated *simulated)
{
    const struct simulator_settings *settings = &simulator->settings;
    struct minted *payment = &simulated->payment;

    if (simulated->expected == LATE) {
        payment->event_ms = simulator->newest_ms[simulated->output] - settings->lateness_ms -
                            settings->out_of_order_ms - LATE_AT_LEAST_MS -
                            (int64_t)dice_below(&simulated->dice, LATE_SPREAD_MS);
    } else if (simulated->expected == FUTURE) {
        payment->event_ms = settings->future_start_ms +
                            simulated->due_ns / MS_NS % (FUTURE_DAYS * DAY_MS) +
                            (int64_t)dice_below(&simulated->dice, FUTURE_SPREAD_MS);
    } else if (simulated->expected == INVALID) {
        simulated->way = (unsigned)dice_below(&simulated->dice, SPOIL_WAYS);
    }
}

static void follow(struct simulator *simulator, struct simulated *simulated,
                   enum simulated_kind kind, unsigned output)
{
    const struct simulator_settings *settings = &simulator->settings;
    uint64_t spread_ms = (uint64_t)(settings->after_max_ms - settings->after_min_ms);
    int64_t after_ms =
        settings->after_min_ms + (int64_t)dice_below(&simulated->dice, spread_ms + 1);
    struct simulator_waiting added = {.due_ns = simulated->due_ns + after_ms * MS_NS,
                                      .order = simulator->order++,
                                      .number = simulated->payment.number,
                                      .output = output,
                                      .kind = kind};

    waiting_push(simulator, &added);
}

/* Which payments come again. Only those that were good: what is set aside is so once. */
static void follow_up(struct simulator *simulator, struct simulated *simulated)
{
    const struct simulator_settings *settings = &simulator->settings;
    struct dice *dice = &simulated->dice;

    if (dice_chance(dice, settings->duplicates)) {
        uint64_t copies = settings->copies_min +
                          dice_below(dice, settings->copies_max - settings->copies_min + 1);
        for (uint64_t copy = 0; copy < copies; copy++) {
            unsigned drawn = (unsigned)dice_below(dice, settings->output_count);
            follow(simulator, simulated, SIMULATED_COPY,
                   settings->by_key ? simulated->output : drawn);
        }
    }
    if (dice_chance(dice, settings->conflicts)) {
        follow(simulator, simulated, SIMULATED_CONFLICT, simulated->output);
    }
}

static unsigned output_of(const struct simulator *simulator, const struct minted *payment)
{
    const struct simulator_settings *settings = &simulator->settings;
    char id[MINTED_ID_SIZE];

    if (!settings->by_key) {
        return (unsigned)(payment->number % settings->output_count);
    }
    minted_id_write(payment, id);
    return partition_of((struct span){id, sizeof(id)}, settings->output_count);
}

static void send_payment(struct simulator *simulator, struct simulated *ret_simulated)
{
    uint64_t number = simulator->number++;

    payment_make(simulator, number, ret_simulated);
    ret_simulated->kind = SIMULATED_PAYMENT;
    ret_simulated->output = output_of(simulator, &ret_simulated->payment);
    ret_simulated->due_ns = sending_ns(simulator, number);
    ret_simulated->expected = fate_of(simulator, ret_simulated);
    if (ret_simulated->expected == ACCEPTED) {
        follow_up(simulator, ret_simulated);
    } else {
        fate_apply(simulator, ret_simulated);
    }
}

static void send_waiting(struct simulator *simulator, struct simulated *ret_simulated)
{
    struct simulator_waiting first = waiting_pop(simulator);

    payment_make(simulator, first.number, ret_simulated);
    ret_simulated->kind = (enum simulated_kind)first.kind;
    ret_simulated->output = first.output;
    ret_simulated->due_ns = first.due_ns;
    ret_simulated->expected = DUPLICATE;
    if (ret_simulated->kind == SIMULATED_CONFLICT) {
        ret_simulated->expected = CONFLICT;
        ret_simulated->payment.amount_hundredths +=
            1 + (int64_t)dice_below(&ret_simulated->dice, CONFLICT_SPREAD);
    }
}

bool simulator_next(struct simulator *simulator, struct simulated *ret_simulated)
{
    bool payments_left = simulator->number < simulator->settings.count;
    bool full = simulator->waiting_count + SIMULATOR_COPIES_MAX + 1 > SIMULATOR_WAITING_MAX;

    if (simulator->waiting_count > 0 &&
        (full || !payments_left ||
         simulator->waiting[0].due_ns <= sending_ns(simulator, simulator->number))) {
        send_waiting(simulator, ret_simulated);
    } else if (payments_left) {
        send_payment(simulator, ret_simulated);
    } else {
        return false;
    }
    int64_t *newest_ms = &simulator->newest_ms[ret_simulated->output];
    bool counts = ret_simulated->expected != INVALID && ret_simulated->expected != FUTURE;
    if (counts && ret_simulated->payment.event_ms > *newest_ms) {
        *newest_ms = ret_simulated->payment.event_ms;
    }
    return true;
}

size_t simulated_write(const struct simulated *simulated, char *to)
{
    size_t size;

    if (simulated->expected == INVALID) {
        struct dice dice = simulated->dice;
        size = spoil_write(&simulated->payment, simulated->way, &dice, to);
    } else {
        size = minted_write(&simulated->payment, to);
    }
    to[size] = '\n';
    return size + 1;
}

size_t simulated_truth_write(const struct simulated *simulated, char *to)
{
    const struct minted *payment = &simulated->payment;
    const char *expected = verdict_name(simulated->expected);
    char *start = to;

    minted_id_write(payment, to);
    to += MINTED_ID_SIZE;
    *to++ = ',';
    to = minted_amount_write(payment, to);
    *to++ = ',';
    memcpy(to, payment->currency, 3);
    to += 3;
    *to++ = ',';
    instant_write(payment->event_ms, to);
    to += INSTANT_TEXT_SIZE - 1;
    *to++ = ',';
    memcpy(to, expected, strlen(expected));
    to += strlen(expected);
    *to++ = '\n';
    return (size_t)(to - start);
}
