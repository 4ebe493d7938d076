#include "pay/payment.h"

#include "pay/decision.h"

#include <string.h>

static bool text_same(struct span left, struct span right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.at, right.at, left.size) == 0);
}

/*
 * What two payments of one pair are compared by, as six words: the accounts as idents, so that
 * none can reach into the other, the amount by value, so that 10.5 and 10.50 are the same.
 *
 *   0      units, without zeros at the end
 *   1      from its lowest byte: scale, the sender's kind, the receiver's, 0, four of currency
 *   2, 3   the sender's ident
 *   4, 5   the receiver's
 */
enum { CONTENT_WORDS = 6 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the digests are in journals");

static uint64_t pair_digest(const struct siphash_key *key, const struct payment *payment,
                            enum ident_kind receiver_kind, const struct ident *receiver)
{
    struct money amount = payment->amount;
    uint64_t words[CONTENT_WORDS];
    uint32_t currency;

    while (amount.scale > 0 && amount.units % 10 == 0) {
        amount.units /= 10;
        amount.scale--;
    }
    memcpy(&currency, payment->currency, sizeof(currency));
    words[0] = (uint64_t)amount.units;
    words[1] = (uint64_t)amount.scale | (uint64_t)payment->sender_kind << 8 |
               (uint64_t)receiver_kind << 16 | (uint64_t)currency << 32;
    memcpy(&words[2], payment->sender_ident.bytes, sizeof(payment->sender_ident));
    memcpy(&words[4], receiver->bytes, sizeof(*receiver));
    return siphash_words(key, words, CONTENT_WORDS);
}

/* The pair's digest and the status, which may be absent; that is not the empty text. */
static uint32_t content_digest(const struct siphash_key *key, uint64_t pair_hash,
                               struct span status)
{
    uint64_t whole = pair_hash;

    if (status.at != NULL) {
        const struct siphash_key second = {~key->k0, key->k1};
        whole ^= siphash(&second, status); /* Does not wait for the pair's. */
    }
    return (uint32_t)(whole ^ (whole >> 32));
}

void payment_derive(struct payment *payment, const struct siphash_key *key)
{
    struct ident receiver;

    payment->id_kind = (uint8_t)ident_from(key, payment->transaction_id, &payment->id);
    payment->id_hash = ident_hash(key, payment->id_kind, &payment->id, payment->transaction_id);
    payment->sender_kind = (uint8_t)ident_from(key, payment->sender, &payment->sender_ident);
    enum ident_kind receiver_kind = ident_from(key, payment->receiver, &receiver);
    payment->pair_hash = pair_digest(key, payment, receiver_kind, &receiver);
    payment->content_digest = content_digest(key, payment->pair_hash, payment->status);
}

void payment_place(struct payment *payment, const struct siphash_key *key)
{
    payment->sender_hash = ident_sender_hash(key, &payment->sender_ident);
    payment->region_hash = siphash(key, payment->region);
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
