#include "pay/payment.h"

#include "pay/decision.h"

#include <string.h>

static bool text_same(struct span left, struct span right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.at, right.at, left.size) == 0);
}

/*
 * What two payments of one pair are compared by, as one run of bytes: the accounts as idents, so
 * that none can reach into the other, the amount by value, so that 10.5 and 10.50 are the same.
 */
struct content {
    int64_t units; /* No zeros at the end. */
    uint8_t scale;
    uint8_t sender_kind;
    uint8_t receiver_kind;
    uint8_t zero;
    char currency[4];
    struct ident sender;
    struct ident receiver;
};

_Static_assert(sizeof(struct content) == 48, "no padding is hashed");

static void content_add_money(struct content *content, struct money amount)
{
    while (amount.scale > 0 && amount.units % 10 == 0) {
        amount.units /= 10;
        amount.scale--;
    }
    content->units = amount.units;
    content->scale = (uint8_t)amount.scale;
}

/* The pair's digest and the status, which may be absent; that is not the empty text. */
static uint32_t content_digest(const struct siphash_key *key, uint64_t pair_hash,
                               struct span status)
{
    uint64_t whole = pair_hash;

    if (status.at != NULL) {
        const struct siphash_key second = {key->k0 ^ pair_hash, key->k1};
        whole = siphash(&second, status);
    }
    return (uint32_t)(whole ^ (whole >> 32));
}

void payment_derive(struct payment *payment, const struct siphash_key *key)
{
    struct content content = {.zero = 0};

    payment->id_kind = (uint8_t)ident_from(key, payment->transaction_id, &payment->id);
    payment->id_hash = ident_hash(key, payment->id_kind, &payment->id, payment->transaction_id);
    payment->sender_kind = (uint8_t)ident_from(key, payment->sender, &payment->sender_ident);
    content_add_money(&content, payment->amount);
    memcpy(content.currency, payment->currency, sizeof(content.currency));
    content.sender_kind = payment->sender_kind;
    content.sender = payment->sender_ident;
    content.receiver_kind = (uint8_t)ident_from(key, payment->receiver, &content.receiver);
    payment->pair_hash = siphash(key, (struct span){&content, sizeof(content)});
    payment->content_digest = content_digest(key, payment->pair_hash, payment->status);
}

enum payment_field payment_difference(const struct payment *first, const struct payment *other)
{
    if (money_compare(first->amount, other->amount) != 0) {
        return FIELD_AMOUNT;
    }
    if (memcmp(first->currency, other->currency, CURRENCY_SIZE) != 0) {
        return FIELD_CURRENCY;
    }
    if (!text_same(first->sender, other->sender)) {
        return FIELD_SENDER;
    }
    if (!text_same(first->receiver, other->receiver)) {
        return FIELD_RECEIVER;
    }
    if (!text_same(first->status, other->status) ||
        (first->status.at == NULL) != (other->status.at == NULL)) {
        return FIELD_STATUS;
    }
    return FIELD_SAME;
}

const char *payment_field_name(enum payment_field field)
{
    switch (field) {
    case FIELD_AMOUNT:
        return "amount";
    case FIELD_CURRENCY:
        return "currency";
    case FIELD_SENDER:
        return "sender_account_id";
    case FIELD_RECEIVER:
        return "receiver_account_id";
    case FIELD_STATUS:
        return "status";
    case FIELD_SAME:
        return "";
    }
    must_failed("a field has one of its values", __FILE__, __LINE__);
}
