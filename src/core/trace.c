#include "core/trace.h"

#include <string.h>

static const char *const ids[] = {
    "p1",
    "p2",
    "p3",
    "fifteen-letters",
    "sixteen--letters",
    "0a1b2c3d-0000-4000-8000-00000000000a",
    "0a1b2c3d-0000-4000-8000-00000000000b",
    "a-long-identifier-of-a-payment-number-1",
    "a-long-identifier-of-a-payment-number-2",
    "0A1B2C3D-0000-4000-8000-00000000000A",
};

static const char *const senders[] = {"ann", "bob", "eve-with-a-long-account-number", "joe"};
static const char *const regions[] = {NULL,
                                      "",
                                      "north",
                                      "south",
                                      "~other",
                                      "a region whose name is longer than sixty-four bytes, so "
                                      "that it has to be other"};

uint32_t dice_throw(struct dice *dice, uint32_t sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((dice->state >> 33) % sides);
}

#define PICK(dice, list) (list)[dice_throw(dice, sizeof(list) / sizeof((list)[0]))]

static void throw_rules(struct trace *trace, struct rules *rules)
{
    static const int64_t lengths[] = {10, 25, 60};
    struct dice *dice = &trace->dice;

    rules->lateness_ms = dice_throw(dice, 30) * trace->unit_ms;
    rules->retention_ms = dice_throw(dice, 40) * trace->unit_ms;
    rules->max_future_ms = dice_throw(dice, 20) * trace->unit_ms;
    rules->window_ms = PICK(dice, lengths) * trace->unit_ms;
    rules->window_groups_max = 1 + dice_throw(dice, 3);
    rules->senders_max = 1 + dice_throw(dice, 4);
}

void trace_begin(struct trace *trace, uint64_t seed, struct rules *ret_rules)
{
    static const int64_t units[] = {1, 7000, 20000};

    memset(trace, 0, sizeof(*trace));
    trace->dice.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    (void)dice_throw(&trace->dice, 2);
    trace->unit_ms = PICK(&trace->dice, units);
    trace->now_ms = TRACE_BASE;
    trace->source_count = (uint16_t)(1 + dice_throw(&trace->dice, MODEL_SOURCES));
    rules_default(ret_rules);
    throw_rules(trace, ret_rules);
}

/* A moment where a rule turns, or one millisecond beside it; else somewhere about now. */
static int64_t throw_time(struct trace *trace, const struct model *model, uint16_t source)
{
    struct dice *dice = &trace->dice;
    int64_t beside = (int64_t)dice_throw(dice, 3) - 1;
    const struct model_payment *payment =
        model->payment_count == 0
            ? NULL
            : &model->payments[dice_throw(dice, (uint32_t)model->payment_count)];

    switch (dice_throw(dice, 8)) {
    case 0:
        return model->has_watermark ? model->watermark_ms + beside : trace->now_ms;
    case 1:
        return model->sources[source].seen
                   ? model->sources[source].newest_ms - model->rules.lateness_ms + beside
                   : trace->now_ms;
    case 2:
        return payment == NULL ? trace->now_ms
                               : payment->event_ms + model->rules.retention_ms + beside;
    case 3: /* So that the watermark comes to stand on the end of a retention. */
        return payment == NULL ? trace->now_ms
                               : payment->event_ms + model->rules.retention_ms +
                                     model->rules.lateness_ms + beside;
    default:
        return trace->now_ms + ((int64_t)dice_throw(dice, 31) - 15) * trace->unit_ms;
    }
}

static void throw_message(struct trace *trace, const struct model *model, struct told *told)
{
    struct dice *dice = &trace->dice;
    static const char *const currencies[] = {"USD", "USD", "EUR"};

    told->id = PICK(dice, ids);
    told->sender = PICK(dice, senders);
    told->receiver = dice_throw(dice, 3) == 0 ? "shop-b" : "shop-a";
    told->currency = PICK(dice, currencies);
    told->region = PICK(dice, regions);
    told->units = dice_throw(dice, 2) == 0 ? 1050 : 105;
    told->scale = told->units == 1050 ? 2 : 1; /* The same money, written otherwise, */
    if (dice_throw(dice, 5) == 0) {
        told->scale = 3; /* or not. */
    }
    told->event_ms = throw_time(trace, model, told->source);
    told->arrival_ms = told->event_ms + ((int64_t)dice_throw(dice, 60) - 15) * trace->unit_ms;
    told->invalid = dice_throw(dice, 25) == 0;
    trace->now_ms += dice_throw(dice, 4) * trace->unit_ms;
}

void trace_step(struct trace *trace, const struct model *model, struct trace_step *ret_step)
{
    static const enum decision_kind standings[] = {NOTE_IDLE, NOTE_ENDED, NOTE_ACTIVE};
    struct dice *dice = &trace->dice;
    uint32_t what = dice_throw(dice, 100);

    memset(ret_step, 0, sizeof(*ret_step));
    ret_step->told.source = (uint16_t)dice_throw(dice, trace->source_count);
    ret_step->told.offset = model->sources[ret_step->told.source].next;
    if (what < 4) {
        ret_step->kind = TRACE_STAND;
        ret_step->standing = PICK(dice, standings);
    } else if (what < 5) {
        ret_step->kind = TRACE_START;
    } else if (what < 7) {
        ret_step->kind = TRACE_RULES;
        ret_step->rules = model->rules;
        throw_rules(trace, &ret_step->rules);
    } else if (what < 14) {
        ret_step->kind = TRACE_CUT;
    } else if (what < 16) {
        ret_step->kind = TRACE_SKIPPED;
    } else {
        ret_step->kind = TRACE_MESSAGE;
        throw_message(trace, model, &ret_step->told);
    }
}
