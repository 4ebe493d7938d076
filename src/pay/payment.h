/*
 * payment: the one record the whole program is about, and the message it came in.
 *
 * Made by parse/, judged by core/. Its texts are lent: they stand in the message's bytes or
 * in the parser's scratch, and live as long as the batch they came with.
 */
#ifndef PAY_PAYMENT_H
#define PAY_PAYMENT_H

#include "pay/ident.h"
#include "pay/money.h"
#include "pay/refusal.h"

enum {
    PAYMENT_CARRY_MAX = 8, /* Fields that payment.carry may name. */
    MESSAGE_SIZE_MAX = 64 * 1024,
    CURRENCY_SIZE = 3,
    GROUP_TEXT_MAX = 64, /* A longer region is counted under ~other. */
};

/* In the order in which two messages of one id are compared. */
enum payment_field {
    FIELD_AMOUNT,
    FIELD_CURRENCY,
    FIELD_SENDER,
    FIELD_RECEIVER,
    FIELD_STATUS,
    FIELD_SAME, /* No difference. */
};

struct payment {
    struct span transaction_id;
    struct span sender;
    struct span receiver;
    struct span amount_text; /* As sent. */
    struct money amount;
    char currency[4];   /* Three capital letters and a zero byte. */
    uint8_t event_unit; /* 0 text, else 1 s, 2 ms, 3 us, 4 ns: for counting only. */
    uint8_t id_kind;    /* An enum ident_kind. */
    uint8_t sender_kind;
    uint8_t unused;
    int64_t event_ms;
    struct span carry[PAYMENT_CARRY_MAX]; /* In the order of payment.carry; at NULL: absent. */
    struct span status;                   /* Content for conflicts; at NULL: absent. */
    struct span region;                   /* What metrics are grouped by; at NULL: absent. */
    struct ident id;
    struct ident sender_ident;
    uint64_t id_hash;        /* Keyed; finds the slot, decides nothing. */
    uint64_t sender_hash;    /* The same for the sender, */
    uint64_t region_hash;    /* and for the region; both by payment_place. */
    uint64_t pair_hash;      /* Keyed digest of sender, receiver, amount by value, currency. */
    uint32_t content_digest; /* Keyed digest of all fields of enum payment_field. */
};

/* Fill the derived members (kinds, idents, digests, id_hash) from the others. */
void payment_derive(struct payment *payment, const struct siphash_key *key);

/* And, before the state looks at it, what finds its sender and its region. */
void payment_place(struct payment *payment, const struct siphash_key *key);

/* The first field in which two payments of one id disagree. The times are not content. */
enum payment_field payment_difference(const struct payment *first, const struct payment *other);

const char *payment_field_name(enum payment_field field); /* "amount" ... */

/* One message: bytes at one place, and what parse/ made of them. */
struct message {
    uint64_t offset;
    int64_t arrival_ms;
    uint16_t source;        /* Dense number of (topic, incarnation, partition): pay/origin.h. */
    bool selected;          /* False: payment.only leaves it out; nothing below counts. */
    uint32_t size;          /* Of the message as it came, in bytes (may exceed what raw holds). */
    struct span raw;        /* As it came, at most MESSAGE_SIZE_MAX + 1 bytes. */
    struct refusal refusal; /* REFUSAL_NONE: payment is whole. */
    struct payment payment;
};

#endif
