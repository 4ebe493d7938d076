/*
 * parse: a message becomes a payment, or a reason why not.
 *
 * Pure and stateless between messages: several run side by side. Strict JSON (RFC 8259, less
 * duplicate keys, byte order marks, lone surrogates), with the limits below; each refusal names
 * reason, field and byte position. What privacy drops or masks is gone from the payment when
 * parse returns; the message's raw bytes are for mask_excerpt only.
 */
#ifndef PARSE_PARSE_H
#define PARSE_PARSE_H

#include "pay/payment.h"

enum {
    PARSE_DEPTH_MAX = 16,
    PARSE_KEYS_MAX = 64,     /* In one object. */
    PARSE_STRING_MAX = 4096, /* Bytes of one kept string. */
    PARSE_NAMES_MAX = 8,     /* Places to look for one field. */
    PARSE_NAME_SIZE = 64,
    PARSE_ONLY_VALUES_MAX = 16,
    PARSE_PRIVATE_MAX = 16,
};

/* The six fields every payment has. */
enum parse_field {
    PARSE_ID,
    PARSE_EVENT_TIME,
    PARSE_SENDER,
    PARSE_RECEIVER,
    PARSE_AMOUNT,
    PARSE_CURRENCY,
    PARSE_FIELDS,
};

/* A short list of names, each zero-terminated. */
struct parse_names {
    uint32_t count;
    char names[PARSE_ONLY_VALUES_MAX][PARSE_NAME_SIZE];
};

struct parse_settings {
    struct parse_names fields[PARSE_FIELDS]; /* Where to find each; the first one present wins. */
    struct parse_names carry;                /* At most PAYMENT_CARRY_MAX. */
    char only_field[PARSE_NAME_SIZE];        /* payment.only; "" = none. */
    struct parse_names only_values;
    struct parse_names drop; /* Never kept: cvv ... (even if named in carry) */
    struct parse_names mask; /* Kept with the last four characters. */
    bool reject_unknown;
    int32_t decimals_max;
    struct siphash_key key; /* The journal's. */
};

/* The defaults: the public event shape works with no configuration. */
void parse_settings_default(struct parse_settings *settings);

/* Prepared from settings; read-only afterwards, so parsers may share it. */
struct parser {
    struct parse_settings settings;
    /* parse.c's own: how names are found quickly. */
    uint8_t name_count;
    struct parser_name {
        uint64_t head; /* First eight bytes, for a quick compare. */
        uint8_t size;
        uint8_t target;
        uint8_t rank;
        uint8_t use;
        char text[PARSE_NAME_SIZE];
    } names[PARSE_FIELDS * PARSE_NAMES_MAX + PAYMENT_CARRY_MAX + 2 * PARSE_PRIVATE_MAX + 2];
};

void parser_init(struct parser *parser, const struct parse_settings *settings);

/* Room for texts that do not stand in the message as they are (escapes, masks). Lent. */
struct parse_scratch {
    char *at;
    size_t size;
    size_t used;
};

/*
 * Fill message->selected, ->refusal, ->payment from message->raw and ->size. The scratch
 * needs PARSE_SCRATCH_MAX free bytes. Texts live as long as raw and scratch do.
 */
enum { PARSE_SCRATCH_MAX = 2 * MESSAGE_SIZE_MAX };
void parse_message(const struct parser *parser, struct message *message,
                   struct parse_scratch *scratch);

#endif
