#include "pay/payment.h"

#include "pay/decision.h"

#include <string.h>

static bool text_same(struct span left, struct span right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.at, right.at, left.size) == 0);
}

/* What is compared of a payment, as one run of bytes: each text behind its length. */
struct content {
    uint8_t bytes[64 + 3 * IDENT_TEXT_MAX + GROUP_TEXT_MAX];
    size_t size;
};

static void content_add(struct content *content, const void *at, size_t size)
{
    must(content->size + size <= sizeof(content->bytes));
    memcpy(content->bytes + content->size, at, size);
    content->size += size;
}

static void content_add_text(struct content *content, const struct siphash_key *key,
                             struct span text)
{
    uint64_t size = text.at == NULL ? UINT64_MAX : text.size;

    content_add(content, &size, sizeof(size));
    if (text.size > IDENT_TEXT_MAX) { /* A long status: its digest stands for it. */
        uint64_t hash = siphash(key, text);
        content_add(content, &hash, sizeof(hash));
    } else if (text.size > 0) {
        content_add(content, text.at, text.size);
    }
}

/* By value, so that 10.5 and 10.50 digest alike: no zeros at the end. */
static void content_add_money(struct content *content, const struct payment *payment)
{
    int64_t parts[2] = {payment->amount.units, payment->amount.scale};

    while (parts[1] > 0 && parts[0] % 10 == 0) {
        parts[0] /= 10;
        parts[1]--;
    }
    content_add(content, parts, sizeof(parts));
    content_add(content, payment->currency, sizeof(payment->currency));
}

void payment_derive(struct payment *payment, const struct siphash_key *key)
{
    struct content content = {.size = 0};

    payment->id_kind = (uint8_t)ident_from(key, payment->transaction_id, &payment->id);
    payment->id_hash = ident_hash(key, payment->id_kind, &payment->id, payment->transaction_id);
    payment->sender_kind = (uint8_t)ident_from(key, payment->sender, &payment->sender_ident);
    content_add_money(&content, payment);
    content_add_text(&content, key, payment->sender);
    content_add_text(&content, key, payment->receiver);
    payment->pair_hash = siphash(key, (struct span){content.bytes, content.size});
    content_add_text(&content, key, payment->status);
    uint64_t whole = siphash(key, (struct span){content.bytes, content.size});
    payment->content_digest = (uint32_t)(whole ^ (whole >> 32));
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
