/*
 * message_same: did two parses of the same bytes come to the same?
 *
 * For tests and the fuzz target: the quick way and the full reader must agree in everything.
 */
#ifndef TEST_MESSAGE_SAME_H
#define TEST_MESSAGE_SAME_H

#include "pay/payment.h"

#include <string.h>

static inline bool span_same(struct span left, struct span right)
{
    return left.size == right.size && (left.at == NULL) == (right.at == NULL) &&
           (left.size == 0 || memcmp(left.at, right.at, left.size) == 0);
}

static inline bool payment_texts_same(const struct payment *left, const struct payment *right)
{
    bool same = span_same(left->transaction_id, right->transaction_id) &&
                span_same(left->sender, right->sender) &&
                span_same(left->receiver, right->receiver) &&
                span_same(left->amount_text, right->amount_text) &&
                span_same(left->status, right->status) && span_same(left->region, right->region);

    for (size_t index = 0; index < PAYMENT_CARRY_MAX; index++) {
        same = same && span_same(left->carry[index], right->carry[index]);
    }
    return same;
}

static inline bool payment_same(const struct payment *left, const struct payment *right)
{
    return payment_texts_same(left, right) && left->amount.units == right->amount.units &&
           left->amount.scale == right->amount.scale &&
           memcmp(left->currency, right->currency, sizeof(left->currency)) == 0 &&
           left->event_unit == right->event_unit && left->id_kind == right->id_kind &&
           left->sender_kind == right->sender_kind && left->event_ms == right->event_ms &&
           ident_same(&left->id, &right->id) &&
           ident_same(&left->sender_ident, &right->sender_ident) &&
           left->id_hash == right->id_hash && left->pair_hash == right->pair_hash &&
           left->content_digest == right->content_digest;
}

static inline bool message_same(const struct message *left, const struct message *right)
{
    if (left->selected != right->selected || left->refusal.reason != right->refusal.reason ||
        left->refusal.position != right->refusal.position ||
        left->refusal.field != right->refusal.field) {
        return false;
    }
    return !left->selected || left->refusal.reason != REFUSAL_NONE ||
           payment_same(&left->payment, &right->payment);
}

#endif
