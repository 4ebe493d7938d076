/*
 * parse: a message becomes a payment, or a reason why not.
 *
 * Pure and stateless between messages: several run side by side. Strict JSON (see json.h), with
 * the limits below; each refusal names reason, field and byte position. What privacy drops or
 * masks is gone from the payment when parse returns; the message's raw bytes are for mask_excerpt
 * only.
 *
 * The order of looking is fixed, whatever the order in the message: the whole JSON text first,
 * then payment.only, then unknown fields, then the six fields in the order below, then
 * payment.carry. So the reason never depends on where a field stands.
 *
 *   position       the first byte that is wrong: of a value its first byte (a string's opening
 *                  quote), of a key its quote, of a missing field the object's closing brace
 *   places         of several names for one field the first in the settings that is there and
 *                  not null wins. A name that privacy drops is not there; one it masks is neither
 *                  an id, a time, an amount nor a currency
 *   ids, accounts  JSON strings of 1 to 128 bytes. An account that holds a card number is masked.
 *                  An id that reads as one of a network's is refused: masked it would equal
 *                  others, and kept it would be on disk
 *   amount         a JSON number, or a string, that is a plain decimal above 0 (pay/money.h)
 *   currency       a string of three capital letters
 *   event time     a JSON integer (s, ms, us or ns, told by its size) or an RFC 3339 string.
 *                  Digits in quotes, fractions and exponents are refused
 *   carry          a string of at most 4 KiB; a number, true, false as their raw text. Arrays and
 *                  objects are refused
 *   payment.only   a string by its text, a number, true, false by their raw text. Anything else
 *                  is none of the values
 *   \u0000         in an id, an account or a carried text is refused as REFUSAL_UTF8, as is a byte
 *                  order mark; in a text that is not kept it is JSON like any other
 */
#ifndef PARSE_PARSE_H
#define PARSE_PARSE_H

#include "parse/layout.h"
#include "pay/payment.h"

enum {
    PARSE_DEPTH_MAX = JSON_DEPTH_MAX,
    PARSE_KEYS_MAX = JSON_KEYS_MAX, /* In one object. */
    PARSE_STRING_MAX = 4096,        /* Bytes of one kept string. */
    PARSE_NAMES_MAX = 8,            /* Places to look for one field. */
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

/* parse's own: each name a message may hold for us, once. */
enum {
    PARSER_NAMES_MAX =
        PARSE_FIELDS * PARSE_NAMES_MAX + PAYMENT_CARRY_MAX + 2 * PARSE_PRIVATE_MAX + 1,
    PARSER_SLOTS = 256, /* Of the hash table that finds a name; a power of two. */
    PARSER_NO_NAME = UINT8_MAX,
};

struct parser_name {
    uint64_t head; /* Its first eight bytes. */
    uint8_t size;
    bool dropped;
    bool masked;
    char text[PARSE_NAME_SIZE];
};

/* A list of names by their numbers. */
struct parser_places {
    uint8_t count;
    uint8_t names[PARSE_NAMES_MAX];
};

/* Prepared from settings; read-only afterwards, so parsers may share it. */
struct parser {
    struct parse_settings settings;
    bool wide; /* marks_wide(). */
    uint8_t name_count;
    struct parser_name names[PARSER_NAMES_MAX];
    uint8_t slots[PARSER_SLOTS];               /* A name's number, or PARSER_NO_NAME. */
    struct parser_places fields[PARSE_FIELDS]; /* Without those that privacy takes away. */
    uint8_t carry[PAYMENT_CARRY_MAX];          /* PARSER_NO_NAME: dropped. */
    uint8_t only;                              /* PARSER_NO_NAME: none. */
    uint8_t status;                            /* Which of carry; PAYMENT_CARRY_MAX: none. */
    uint8_t region;
};

void parser_init(struct parser *parser, const struct parse_settings *settings);

/* The number of the name, or PARSER_NO_NAME. */
uint8_t parser_find(const struct parser *parser, struct span name);

/* parse's own: how a message looked, and what its values are for. */
enum {
    PARSE_SHAPES = 4, /* Remembered at a time. */
    PARSE_NO_VALUE = UINT8_MAX,
};

struct parse_plan {
    bool usable;       /* False: fields.h is to fill. */
    uint8_t time_kind; /* Of the event time: an enum json_kind. */
    uint8_t only;      /* The value payment.only asks for; PARSE_NO_VALUE: none. */
    uint8_t fields[PARSE_FIELDS];
    uint8_t carry[PAYMENT_CARRY_MAX]; /* PARSE_NO_VALUE: absent. */
    uint8_t status;                   /* Which value; the same. */
    uint8_t region;
    uint8_t check_count; /* Values that must be looked at, and of which kind. */
    uint8_t checks[JSON_KEYS_MAX];
    uint8_t check_kinds[JSON_KEYS_MAX];
};

struct parse_shape {
    struct layout layout;
    struct parse_plan plan;
};

/*
 * What a parsing thread has of its own: room for texts that do not stand in the message as they
 * are (escapes, masks), and how the latest messages looked, so that one like them is read quickly.
 * Zeroed at first; at is lent, and used may be set back at any time.
 */
struct parse_scratch {
    char *at;
    size_t size;
    size_t used;
    const struct parser *owner; /* Whose shapes these are. */
    uint8_t shape_count;
    uint8_t order[PARSE_SHAPES]; /* Their numbers, the one used last first. */
    struct parse_shape shapes[PARSE_SHAPES];
};

/*
 * Fill message->selected, ->refusal, ->payment from message->raw and ->size. The scratch
 * needs PARSE_SCRATCH_MAX free bytes, and of them is then used at most PARSE_COPIES_MAX times the
 * message's size: one value may be the id, both accounts, one of the other fields, carried, and
 * what payment.only asks for. Texts live as long as raw and scratch do; a refusal's field as long
 * as the parser.
 */
enum {
    PARSE_SCRATCH_MAX = 2 * MESSAGE_SIZE_MAX,
    PARSE_COPIES_MAX = 6,
};
void parse_message(const struct parser *parser, struct message *message,
                   struct parse_scratch *scratch);

/* The same by the full reader alone, which parse_message asks about all that looks new. */
void parse_message_fully(const struct parser *parser, struct message *message,
                         struct parse_scratch *scratch);

#endif
