#include "parse/plan.h"

#include "base/instant.h"
#include "parse/fields.h"
#include "parse/figures.h"
#include "parse/mask.h"

#include <string.h>

/* Of the value with this name: its index; PARSE_NO_VALUE: none, or null. */
static uint8_t value_of(const struct found *found, uint8_t name)
{
    uint8_t place = name == PARSER_NO_NAME ? 0 : found->place[name];

    if (place == 0 || found->values[place - 1].kind == JSON_NULL) {
        return PARSE_NO_VALUE;
    }
    return (uint8_t)(place - 1);
}

/* Where a field's value is. False: nowhere, or it is masked, or of no kind that can be right. */
static bool plan_field(struct parse_plan *plan, const struct parser *parser,
                       const struct found *found, enum parse_field field)
{
    const struct parser_places *places = &parser->fields[field];
    bool number_too = field == PARSE_EVENT_TIME || field == PARSE_AMOUNT;

    for (uint8_t index = 0; index < places->count; index++) {
        uint8_t value = value_of(found, places->names[index]);
        if (value != PARSE_NO_VALUE) {
            uint8_t kind = found->values[value].kind;
            plan->fields[field] = value;
            return !parser->names[places->names[index]].masked &&
                   (kind == JSON_STRING || (number_too && kind == JSON_NUMBER));
        }
    }
    return false;
}

static bool plan_carry(struct parse_plan *plan, const struct parser *parser,
                       const struct found *found)
{
    bool masked = false;

    memset(plan->carry, PARSE_NO_VALUE, sizeof(plan->carry));
    for (uint32_t index = 0; index < parser->settings.carry.count; index++) {
        uint8_t name = parser->carry[index];
        plan->carry[index] = value_of(found, name);
        masked = masked || (plan->carry[index] != PARSE_NO_VALUE && parser->names[name].masked);
    }
    plan->status =
        parser->status < PAYMENT_CARRY_MAX ? plan->carry[parser->status] : PARSE_NO_VALUE;
    plan->region =
        parser->region < PAYMENT_CARRY_MAX ? plan->carry[parser->region] : PARSE_NO_VALUE;
    return !masked;
}

void plan_make(struct parse_plan *plan, const struct parser *parser, const struct found *found)
{
    memset(plan, 0, sizeof(*plan));
    plan->usable = plan_carry(plan, parser, found);
    for (enum parse_field field = PARSE_ID; field < PARSE_FIELDS; field++) {
        plan->usable = plan_field(plan, parser, found, field) && plan->usable;
    }
    plan->only = value_of(found, parser->only);
    plan->usable =
        plan->usable && (parser->only == PARSER_NO_NAME) == (plan->only == PARSE_NO_VALUE);
    plan->time_kind = found->values[plan->fields[PARSE_EVENT_TIME]].kind;
    for (size_t index = 0; index < found->count; index++) {
        const struct json_value *value = &found->values[index];
        /* An amount or a time that can be read is a number of JSON. */
        bool read = index == plan->fields[PARSE_EVENT_TIME] || index == plan->fields[PARSE_AMOUNT];
        if (value->kind != JSON_STRING && !read) {
            plan->checks[plan->check_count] = (uint8_t)index;
            plan->check_kinds[plan->check_count++] = value->kind;
        }
    }
}

/* What is filled from. */
struct source {
    const struct parse_plan *plan;
    const struct parser *parser;
    const struct layout_texts *texts;
    const char *bytes;
};

static inline struct span text_of(const struct source *source, uint8_t value)
{
    return layout_text(source->texts, source->bytes, value);
}

static bool checks_pass(const struct source *source)
{
    const struct parse_plan *plan = source->plan;
    bool pass = true;

    for (size_t index = 0; index < plan->check_count && pass; index++) {
        struct span text = text_of(source, plan->checks[index]);
        pass = layout_value_whole((enum json_kind)plan->check_kinds[index], text.at, text.size);
    }
    return pass;
}

static inline bool take_ident(const struct source *source, enum parse_field field,
                              struct span *ret_text)
{
    *ret_text = text_of(source, source->plan->fields[field]);
    return ret_text->size - 1 < IDENT_TEXT_MAX;
}

static inline bool take_accounts(const struct source *source, struct payment *payment)
{
    return take_ident(source, PARSE_SENDER, &payment->sender) &&
           take_ident(source, PARSE_RECEIVER, &payment->receiver) &&
           !mask_needed(payment->sender) && !mask_needed(payment->receiver);
}

static inline bool take_time(const struct source *source, struct payment *payment)
{
    struct span text = text_of(source, source->plan->fields[PARSE_EVENT_TIME]);

    payment->event_unit = 0;
    if (source->plan->time_kind == JSON_STRING) {
        return instant_read(text, &payment->event_ms);
    }
    payment->event_unit = figure_time(text, &payment->event_ms);
    return payment->event_unit != 0 && *(const char *)text.at != '0';
}

/* Three capital letters; plain, and a quote stands behind them. */
static inline bool take_currency(struct span text, char currency[CURRENCY_SIZE + 1])
{
    const uint32_t ones = 0x00010101;
    uint32_t letters;

    if (text.size != CURRENCY_SIZE) {
        return false;
    }
    memcpy(&letters, text.at, sizeof(letters));
    letters &= ones * UINT8_MAX;
    memcpy(currency, &letters, sizeof(letters));
    return ((letters + ones * (0x80 - 'A')) & ~(letters + ones * (0x7f - 'Z')) & ones * 0x80) ==
           ones * 0x80;
}

static inline bool take_money(const struct source *source, struct payment *payment)
{
    const uint8_t *fields = source->plan->fields;

    payment->amount_text = text_of(source, fields[PARSE_AMOUNT]);
    return take_currency(text_of(source, fields[PARSE_CURRENCY]), payment->currency) &&
           figure_amount(payment->amount_text, source->parser->settings.decimals_max,
                         &payment->amount) == REFUSAL_NONE;
}

static inline struct span text_or_none(const struct source *source, uint8_t value)
{
    return value == PARSE_NO_VALUE ? (struct span){NULL, 0} : text_of(source, value);
}

static inline bool take_carried(const struct source *source, struct payment *payment)
{
    const struct parse_plan *plan = source->plan;

    for (uint32_t index = 0; index < PAYMENT_CARRY_MAX; index++) {
        payment->carry[index] = text_or_none(source, plan->carry[index]);
        if (mask_needed(payment->carry[index])) {
            return false;
        }
    }
    payment->status = text_or_none(source, plan->status);
    payment->region = text_or_none(source, plan->region);
    return true;
}

bool plan_fill(const struct parse_plan *plan, const struct parser *parser,
               const struct layout_texts *texts, struct message *message)
{
    const struct source source = {plan, parser, texts, message->raw.at};
    struct payment *payment = &message->payment;

    if (!plan->usable || !checks_pass(&source)) {
        return false;
    }
    if (plan->only != PARSE_NO_VALUE &&
        !field_selects(&parser->settings.only_values, text_of(&source, plan->only))) {
        return false;
    }
    if (!take_ident(&source, PARSE_ID, &payment->transaction_id) ||
        !take_accounts(&source, payment) || !take_time(&source, payment) ||
        !take_money(&source, payment) || !take_carried(&source, payment)) {
        return false;
    }
    payment->unused = 0;
    payment_derive(payment, &parser->settings.key);
    /* A UUID is no card number. */
    return payment->id_kind == IDENT_UUID || !mask_reads_as_card(payment->transaction_id);
}
