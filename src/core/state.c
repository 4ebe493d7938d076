#include "core/state_parts.h"

#include "core/fraud.h"

#include <string.h>

void state_init(struct state *state, const struct siphash_key *key,
                const struct state_memory *memory)
{
    *state = (struct state){.key = *key, .origins = memory->origins};
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        state->seq_next[table] = 1;
    }
    watermark_init(&state->watermark, &memory->watermark);
    dedup_init(&state->dedup, key, &memory->dedup);
    velocity_init(&state->velocity, key, &memory->velocity);
    windows_init(&state->windows, key, &memory->windows);
    tallies_init(&state->tallies, &memory->tallies);
}

int state_source_find(const struct state *state, const struct origin *origin)
{
    for (size_t number = 0; number < state->source_count; number++) {
        if (origin_same(&state->origins[number], origin)) {
            return (int)number;
        }
    }
    return -1;
}

struct dedup_now state_now(const struct state *state)
{
    return (struct dedup_now){state->watermark.all_ms, state->rules.retention_ms};
}

void state_prefetch(const struct state *state, const struct message *message)
{
    if (message->selected && message->refusal.reason == REFUSAL_NONE) {
        dedup_prefetch(&state->dedup, message->payment.id_hash);
        velocity_prefetch(&state->velocity, message->payment.sender_hash);
    }
}

void state_prefetch_more(const struct state *state, const struct message *message)
{
    if (message->selected && message->refusal.reason == REFUSAL_NONE) {
        dedup_prefetch_slot(&state->dedup, message->payment.id_hash);
        velocity_prefetch_sender(&state->velocity, message->payment.sender_hash, true);
    }
}

static bool find_first(const struct state *state, const struct payment *payment,
                       struct judgement *judgement, struct dedup_first *ret_first)
{
    struct dedup_id id = {payment->id_kind, payment->id, payment->id_hash, payment->transaction_id};
    struct dedup_now now = state_now(state);

    if (!dedup_find(&state->dedup, &id, &now, ret_first)) {
        return false;
    }
    judgement->first_source = ret_first->source;
    judgement->first_offset = ret_first->offset;
    judgement->first_event_ms = ret_first->event_ms;
    return true;
}

static void weigh(const struct state *state, const struct payment *payment,
                  struct judgement *judgement)
{
    struct velocity_answer answer;
    struct velocity_ask ask = {
        .sender_kind = payment->sender_kind,
        .sender = payment->sender_ident,
        .sender_hash = payment->sender_hash,
        .id_kind = payment->id_kind,
        .id = payment->id,
        .long_id = payment->transaction_id,
        .pair_hash = payment->pair_hash,
        .event_ms = payment->event_ms,
    };

    velocity_find(&state->velocity, &ask, &answer);
    struct fraud_facts facts = {
        .amount = payment->amount,
        .velocity_60s = answer.in_short,
        .count_5m = answer.in_long,
        .look_alike = answer.look_alike_size > 0,
    };
    memcpy(facts.currency, payment->currency, sizeof(facts.currency));
    judgement->velocity_60s = answer.in_short;
    judgement->count_5m = answer.in_long;
    judgement->look_alike_size = answer.look_alike_size;
    memcpy(judgement->look_alike_of, answer.look_alike, answer.look_alike_size);
    if (state->rules.fraud_enabled != 0) {
        judgement->fraud_score = fraud_score(&state->rules, &facts);
        judgement->high_risk = judgement->fraud_score > state->rules.high_risk_above;
    }
}

void state_judge(const struct state *state, const struct message *message,
                 struct judgement *ret_judgement)
{
    const struct payment *payment = &message->payment;
    struct dedup_first first;

    must(message->selected);
    must(state->rules_known);
    *ret_judgement = (struct judgement){.verdict = INVALID};
    if (message->refusal.reason != REFUSAL_NONE) {
        return;
    }
    if (payment->event_ms > message->arrival_ms + state->rules.max_future_ms) {
        ret_judgement->verdict = FUTURE;
        return;
    }
    bool known = find_first(state, payment, ret_judgement, &first);
    if (watermark_passed(watermark_of(&state->watermark, message->source), payment->event_ms)) {
        ret_judgement->verdict = LATE;
        ret_judgement->known_id = known;
    } else if (!known) {
        ret_judgement->verdict = ACCEPTED;
        weigh(state, payment, ret_judgement);
    } else if (first.digest == payment->content_digest) {
        ret_judgement->verdict = DUPLICATE;
        ret_judgement->earlier = payment->event_ms < first.event_ms;
    } else {
        ret_judgement->verdict = CONFLICT;
    }
}

static void decide_accepted(const struct payment *payment, struct decision *decision)
{
    bool too_long = payment->region.size > GROUP_TEXT_MAX;

    decision->id_kind = payment->id_kind;
    decision->sender_kind = payment->sender_kind;
    decision->id = payment->id;
    decision->sender = payment->sender_ident;
    decision->pair_hash = payment->pair_hash;
    decision->id_hash = payment->id_hash;
    decision->sender_hash = payment->sender_hash;
    decision->region_size = too_long ? REGION_OTHER : (uint8_t)payment->region.size;
    if (!too_long && payment->region.size > 0) {
        decision->region = payment->region;
    }
    decision->region_hash = payment->region_hash;
    if (payment->id_kind == IDENT_LONG) {
        decision->long_id = payment->transaction_id;
    }
}

void state_decide(const struct message *message, const struct judgement *judgement,
                  struct decision *ret_decision)
{
    const struct payment *payment = &message->payment;

    *ret_decision = (struct decision){
        .kind = (uint8_t)judgement->verdict,
        .source = message->source,
        .offset = message->offset,
        .event_ms = INSTANT_NONE,
        .arrival_ms = message->arrival_ms,
    };
    if (judgement->verdict == INVALID || judgement->verdict == SKIPPED) {
        return;
    }
    ret_decision->event_ms = payment->event_ms;
    ret_decision->flags = (uint8_t)((judgement->known_id ? DECISION_KNOWN_ID : 0) |
                                    (judgement->earlier ? DECISION_EARLIER : 0));
    ret_decision->units = payment->amount.units;
    ret_decision->scale = (uint8_t)payment->amount.scale;
    memcpy(ret_decision->currency, payment->currency, sizeof(ret_decision->currency));
    ret_decision->digest = payment->content_digest;
    if (judgement->verdict == ACCEPTED) {
        decide_accepted(payment, ret_decision);
    }
}
