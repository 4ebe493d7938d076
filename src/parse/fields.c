#include "parse/fields.h"

#include "base/instant.h"
#include "parse/figures.h"
#include "parse/json_text.h"
#include "parse/mask.h"

#include <string.h>

/* More bytes than any amount, currency or time has; a longer one cannot be right. */
enum { VALUE_TEXT_MAX = 128 };

struct filling {
    const struct parser *parser;
    const struct found *found;
    struct message *message;
    struct parse_scratch *scratch;
};

const char *field_name(enum parse_field field)
{
    switch (field) {
    case PARSE_ID:
        return "transaction_id";
    case PARSE_EVENT_TIME:
        return "event_time";
    case PARSE_SENDER:
        return "sender_account_id";
    case PARSE_RECEIVER:
        return "receiver_account_id";
    case PARSE_AMOUNT:
        return "amount";
    case PARSE_CURRENCY:
        return "currency";
    case PARSE_FIELDS:
        break;
    }
    must_failed("a field has one of its values", __FILE__, __LINE__);
}

static bool refuse(struct filling *filling, enum refusal_reason reason, uint32_t position,
                   const char *field)
{
    filling->message->refusal = (struct refusal){reason, position, field};
    return false;
}

/* Which value has this name; NULL: none, or null. */
static const struct json_value *value_of(const struct filling *filling, uint8_t name)
{
    uint8_t place = name == PARSER_NO_NAME ? 0 : filling->found->place[name];

    if (place == 0 || filling->found->values[place - 1].kind == JSON_NULL) {
        return NULL;
    }
    return &filling->found->values[place - 1];
}

/* The value and name of the first place that has one. False: refused as missing. */
static bool field_value(struct filling *filling, enum parse_field field,
                        const struct json_value **ret_value, uint8_t *ret_name)
{
    const struct parser_places *places = &filling->parser->fields[field];

    for (uint8_t index = 0; index < places->count; index++) {
        *ret_name = places->names[index];
        *ret_value = value_of(filling, *ret_name);
        if (*ret_value != NULL) {
            return true;
        }
    }
    return refuse(filling, REFUSAL_MISSING, filling->found->end, field_name(field));
}

/* The value's text, its escapes undone in the scratch. False: more than limit bytes. */
static bool text_take(struct filling *filling, const struct json_value *value, size_t limit,
                      struct span *ret_text)
{
    struct parse_scratch *scratch = filling->scratch;
    char *to = scratch->at + scratch->used;

    if (!value->escaped) {
        *ret_text = value->text;
        return value->text.size <= limit;
    }
    must(scratch->size - scratch->used >= limit);
    if (!json_text_unescape(value->text, (uint8_t *)to, limit, &ret_text->size)) {
        return false;
    }
    ret_text->at = to;
    scratch->used += ret_text->size;
    return true;
}

/* Where the text may be changed: in the scratch, copied unless it is there. */
static char *text_own(struct filling *filling, const struct json_value *value, struct span *text)
{
    struct parse_scratch *scratch = filling->scratch;
    char *to = scratch->at + scratch->used;

    if (value->escaped) {
        return to - text->size; /* It was the latest to be put there. */
    }
    must(scratch->size - scratch->used >= text->size);
    memcpy(to, text->at, text->size);
    text->at = to;
    scratch->used += text->size;
    return to;
}

/* What is kept of a text that came from this place. */
static void text_mask(struct filling *filling, const struct json_value *value, uint8_t name,
                      struct span *text)
{
    if (filling->parser->names[name].masked) {
        char *to = text_own(filling, value, text);
        (void)mask_last4(*text, to);
    } else if (mask_needed(*text)) {
        char *to = text_own(filling, value, text);
        (void)mask_cards(*text, to);
    }
}

/* Only an escape can make a zero byte. */
static bool has_zero(const struct json_value *value, struct span text)
{
    bool zero = false;

    if (!value->escaped) {
        return false;
    }
    for (size_t index = 0; index < text.size; index++) {
        zero = zero || ((const char *)text.at)[index] == '\0';
    }
    return zero;
}

static bool fill_text(struct filling *filling, enum parse_field field, struct span *ret_text)
{
    const struct json_value *value;
    uint8_t name;

    if (!field_value(filling, field, &value, &name)) {
        return false;
    }
    if (value->kind != JSON_STRING) {
        return refuse(filling, REFUSAL_TYPE, json_position(filling->message->raw, value),
                      field_name(field));
    }
    if (!text_take(filling, value, IDENT_TEXT_MAX, ret_text) || ret_text->size == 0) {
        return refuse(filling, REFUSAL_ID, json_position(filling->message->raw, value),
                      field_name(field));
    }
    if (has_zero(value, *ret_text)) {
        return refuse(filling, REFUSAL_UTF8, json_position(filling->message->raw, value),
                      field_name(field));
    }
    if (field == PARSE_ID) {
        return !mask_reads_as_card(*ret_text) ||
               refuse(filling, REFUSAL_ID, json_position(filling->message->raw, value),
                      field_name(field));
    }
    text_mask(filling, value, name, ret_text);
    return true;
}

static bool fill_time(struct filling *filling)
{
    struct payment *payment = &filling->message->payment;
    const char *field = field_name(PARSE_EVENT_TIME);
    const struct json_value *value;
    struct span text;
    uint8_t name;
    bool right;

    if (!field_value(filling, PARSE_EVENT_TIME, &value, &name)) {
        return false;
    }
    if (value->kind == JSON_NUMBER) {
        payment->event_unit = figure_time(value->text, &payment->event_ms);
        right = payment->event_unit != 0;
    } else if (value->kind == JSON_STRING) {
        right = text_take(filling, value, VALUE_TEXT_MAX, &text) &&
                instant_read(text, &payment->event_ms);
    } else {
        return refuse(filling, REFUSAL_TYPE, json_position(filling->message->raw, value), field);
    }
    return right ||
           refuse(filling, REFUSAL_TIME, json_position(filling->message->raw, value), field);
}

static bool fill_amount(struct filling *filling)
{
    struct payment *payment = &filling->message->payment;
    const char *field = field_name(PARSE_AMOUNT);
    const struct json_value *value;
    uint8_t name;

    if (!field_value(filling, PARSE_AMOUNT, &value, &name)) {
        return false;
    }
    if (value->kind != JSON_NUMBER && value->kind != JSON_STRING) {
        return refuse(filling, REFUSAL_TYPE, json_position(filling->message->raw, value), field);
    }
    bool fits = text_take(filling, value, VALUE_TEXT_MAX, &payment->amount_text);
    struct span text = fits ? payment->amount_text : value->text;
    enum refusal_reason reason =
        figure_amount(text, filling->parser->settings.decimals_max, &payment->amount);
    return reason == REFUSAL_NONE ||
           refuse(filling, reason, json_position(filling->message->raw, value), field);
}

static bool fill_currency(struct filling *filling)
{
    const char *field = field_name(PARSE_CURRENCY);
    const struct json_value *value;
    struct span text;
    uint8_t name;

    if (!field_value(filling, PARSE_CURRENCY, &value, &name)) {
        return false;
    }
    if (value->kind != JSON_STRING) {
        return refuse(filling, REFUSAL_TYPE, json_position(filling->message->raw, value), field);
    }
    bool right = text_take(filling, value, VALUE_TEXT_MAX, &text) && text.size == CURRENCY_SIZE;
    for (size_t index = 0; right && index < CURRENCY_SIZE; index++) {
        char letter = ((const char *)text.at)[index];
        filling->message->payment.currency[index] = letter;
        right = letter >= 'A' && letter <= 'Z';
    }
    return right ||
           refuse(filling, REFUSAL_CURRENCY, json_position(filling->message->raw, value), field);
}

static bool fill_carry(struct filling *filling, uint32_t index)
{
    const char *field = filling->parser->settings.carry.names[index];
    uint8_t name = filling->parser->carry[index];
    const struct json_value *value = value_of(filling, name);
    struct span *text = &filling->message->payment.carry[index];

    if (value == NULL) {
        return true;
    }
    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT) {
        return refuse(filling, REFUSAL_TYPE, json_position(filling->message->raw, value), field);
    }
    if (!text_take(filling, value, PARSE_STRING_MAX, text)) {
        return refuse(filling, REFUSAL_TEXT_SIZE, json_position(filling->message->raw, value),
                      field);
    }
    if (has_zero(value, *text)) {
        return refuse(filling, REFUSAL_UTF8, json_position(filling->message->raw, value), field);
    }
    text_mask(filling, value, name, text);
    return true;
}

static bool fill_carried(struct filling *filling)
{
    const struct parser *parser = filling->parser;
    struct payment *payment = &filling->message->payment;

    for (uint32_t index = 0; index < parser->settings.carry.count; index++) {
        if (!fill_carry(filling, index)) {
            return false;
        }
    }
    if (parser->status < PAYMENT_CARRY_MAX) {
        payment->status = payment->carry[parser->status];
    }
    if (parser->region < PAYMENT_CARRY_MAX) {
        payment->region = payment->carry[parser->region];
    }
    return true;
}

bool field_selects(const struct parse_names *values, struct span text)
{
    if (text.size >= PARSE_NAME_SIZE) {
        return false;
    }
    for (uint32_t index = 0; index < values->count; index++) {
        const char *wanted = values->names[index]; /* Zeros behind its text. */
        if (memcmp(wanted, text.at, text.size) == 0 && wanted[text.size] == '\0') {
            return true;
        }
    }
    return false;
}

/* payment.only: does its field have one of the values? */
static bool is_selected(struct filling *filling)
{
    const struct json_value *value = value_of(filling, filling->parser->only);
    struct span text;

    if (filling->parser->only == PARSER_NO_NAME) {
        return true;
    }
    if (value == NULL || value->kind == JSON_ARRAY || value->kind == JSON_OBJECT ||
        !text_take(filling, value, PARSE_NAME_SIZE - 1, &text) || has_zero(value, text)) {
        return false;
    }
    return field_selects(&filling->parser->settings.only_values, text);
}

bool fields_fill(const struct parser *parser, const struct found *found, struct message *message,
                 struct parse_scratch *scratch)
{
    struct filling filling = {parser, found, message, scratch};
    struct payment *payment = &message->payment;

    message->selected = is_selected(&filling);
    if (!message->selected) {
        return true;
    }
    if (parser->settings.reject_unknown && found->unknown) {
        return refuse(&filling, REFUSAL_UNKNOWN_FIELD, found->unknown_position, NULL);
    }
    if (fill_text(&filling, PARSE_ID, &payment->transaction_id) && fill_time(&filling) &&
        fill_text(&filling, PARSE_SENDER, &payment->sender) &&
        fill_text(&filling, PARSE_RECEIVER, &payment->receiver) && fill_amount(&filling) &&
        fill_currency(&filling) && fill_carried(&filling)) {
        payment_derive(payment, &parser->settings.key);
        return true;
    }
    return false;
}
