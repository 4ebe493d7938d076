#include "core/world.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 2 * 1024 * 1024 };

void world_begin(struct world *world, uint64_t key, const struct state_limits *limits)
{
    struct siphash_key keys = {key, ~key * 31};
    struct state_memory memory;

    world->size = state_memory_size(limits) + ALIGNMENT;
    world->block = mmap(NULL, world->size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(world->block != MAP_FAILED);
    uintptr_t aligned = ((uintptr_t)world->block + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    state_memory_lay(limits, (void *)aligned, &memory);
    state_init(&world->state, &keys, &memory);
}

void world_end(struct world *world)
{
    (void)munmap(world->block, world->size);
}

static void apply(struct world *world, const struct decision *decision)
{
    struct fault fault = {.code = FAULT_NONE};

    if (state_apply(&world->state, decision, &fault) != DONE) {
        (void)fprintf(stderr, "%s\n", fault.text);
        must_failed("the decision is applied", __FILE__, __LINE__);
    }
}

void world_join(struct world *world, uint16_t source, uint64_t start)
{
    struct origin origin = {.partition = source};
    struct decision note = {.kind = NOTE_SOURCE,
                            .source = source,
                            .offset = start,
                            .event_ms = INSTANT_NONE,
                            .text = {&origin, sizeof(origin)}};

    (void)snprintf(origin.topic, sizeof(origin.topic), "topic-%u", source % 2);
    apply(world, &note);
}

void world_rules(struct world *world, const struct rules *rules)
{
    struct decision note = {.kind = NOTE_RULES, .text = {rules, sizeof(*rules)}};

    apply(world, &note);
}

void world_note(struct world *world, enum decision_kind kind, uint16_t source)
{
    struct decision note = {.kind = (uint8_t)kind, .source = source, .event_ms = INSTANT_NONE};

    apply(world, &note);
}

static struct span span_of(const char *text, const char *otherwise)
{
    const char *chosen = text == NULL ? otherwise : text;

    return (struct span){chosen, chosen == NULL ? 0 : strlen(chosen)};
}

struct message world_message(const struct world *world, const struct told *told)
{
    struct message message = {
        .source = told->source,
        .offset = told->offset,
        .arrival_ms = told->arrival_ms == 0 ? told->event_ms : told->arrival_ms,
        .selected = true,
    };
    struct payment *payment = &message.payment;
    struct span currency = span_of(told->currency, "USD");

    if (told->invalid) {
        message.refusal.reason = REFUSAL_TRAILING;
        return message;
    }
    payment->event_ms = told->event_ms;
    payment->transaction_id = span_of(told->id, NULL);
    payment->sender = span_of(told->sender, "payer");
    payment->receiver = span_of(told->receiver, "shop");
    payment->region = span_of(told->region, NULL);
    payment->amount = (struct money){told->units == 0 ? 100 : told->units, told->scale};
    memcpy(payment->currency, currency.at, CURRENCY_SIZE);
    payment_derive(payment, &world->state.key);
    payment_place(payment, &world->state.key);
    return message;
}

struct judgement world_take(struct world *world, const struct told *told)
{
    struct message message = world_message(world, told);
    struct judgement judgement;
    struct decision decision;

    state_judge(&world->state, &message, &judgement);
    state_decide(&message, &judgement, &decision);
    apply(world, &decision);
    return judgement;
}
