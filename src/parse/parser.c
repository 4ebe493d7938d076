#include "parse/parse.h"

#include <string.h>

static void names_set(struct parse_names *names, size_t count, const char *const *texts)
{
    must(count <= PARSE_ONLY_VALUES_MAX);
    names->count = (uint32_t)count;
    for (size_t index = 0; index < count; index++) {
        size_t size = 0;
        while (texts[index][size] != '\0') {
            size++;
        }
        must(size < PARSE_NAME_SIZE);
        memcpy(names->names[index], texts[index], size + 1);
    }
}

void parse_settings_default(struct parse_settings *settings)
{
    static const char *const times[] = {"event_time", "timestamp"};
    static const char *const senders[] = {"sender_account_id", "sender"};
    static const char *const receivers[] = {"receiver_account_id", "receiver"};
    static const char *const carry[] = {"region", "payment_method", "status", "device_id",
                                        "ip_address"};
    static const char *const drop[] = {"cvv", "cvc", "cvv2", "pin", "card_expiry"};
    static const char *const id = "transaction_id", *const amount = "amount",
                             *const currency = "currency", *const card = "credit_card";

    memset(settings, 0, sizeof(*settings));
    names_set(&settings->fields[PARSE_ID], 1, &id);
    names_set(&settings->fields[PARSE_EVENT_TIME], 2, times);
    names_set(&settings->fields[PARSE_SENDER], 2, senders);
    names_set(&settings->fields[PARSE_RECEIVER], 2, receivers);
    names_set(&settings->fields[PARSE_AMOUNT], 1, &amount);
    names_set(&settings->fields[PARSE_CURRENCY], 1, &currency);
    names_set(&settings->carry, 5, carry);
    names_set(&settings->drop, 5, drop);
    names_set(&settings->mask, 1, &card);
    settings->decimals_max = MONEY_SCALE_MAX;
}

static size_t text_size(const char *text)
{
    size_t size = 0;

    while (text[size] != '\0') {
        size++;
    }
    return size;
}

static uint64_t head_of(struct span text)
{
    uint64_t head = 0;

    memcpy(&head, text.at, text.size < sizeof(head) ? text.size : sizeof(head));
    return head;
}

/* Where in the table a search for the name begins. */
static size_t slot_of(uint64_t head, size_t size)
{
    uint64_t mixed = (head + size) * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(mixed >> 56) & (PARSER_SLOTS - 1);
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t slot_find(const struct parser *parser, struct span text, uint64_t head)
{
    size_t slot = slot_of(head, text.size);

    while (parser->slots[slot] != PARSER_NO_NAME) {
        const struct parser_name *name = &parser->names[parser->slots[slot]];
        if (name->head == head && name->size == text.size &&
            memcmp(name->text, text.at, text.size) == 0) {
            break;
        }
        slot = (slot + 1) & (PARSER_SLOTS - 1);
    }
    return slot;
}

uint8_t parser_find(const struct parser *parser, struct span text)
{
    return parser->slots[slot_find(parser, text, head_of(text))];
}

/* The number of the name, new if it was not there. */
static uint8_t name_add(struct parser *parser, const char *text)
{
    struct span span = {text, text_size(text)};
    uint64_t head = head_of(span);
    uint8_t *slot = &parser->slots[slot_find(parser, span, head)];

    if (*slot == PARSER_NO_NAME) {
        must(parser->name_count < PARSER_NAMES_MAX);
        must(span.size < PARSE_NAME_SIZE);
        struct parser_name *name = &parser->names[parser->name_count];
        *name = (struct parser_name){.head = head, .size = (uint8_t)span.size};
        memcpy(name->text, text, span.size);
        *slot = parser->name_count++;
    }
    return *slot;
}

static void private_add(struct parser *parser, const struct parse_settings *settings)
{
    must(settings->drop.count <= PARSE_PRIVATE_MAX);
    must(settings->mask.count <= PARSE_PRIVATE_MAX);
    for (uint32_t index = 0; index < settings->drop.count; index++) {
        parser->names[name_add(parser, settings->drop.names[index])].dropped = true;
    }
    for (uint32_t index = 0; index < settings->mask.count; index++) {
        parser->names[name_add(parser, settings->mask.names[index])].masked = true;
    }
}

/* Only an account can be read from a place that is masked. */
static bool place_usable(const struct parser_name *name, enum parse_field field)
{
    return !name->dropped && (!name->masked || field == PARSE_SENDER || field == PARSE_RECEIVER);
}

static void field_add(struct parser *parser, enum parse_field field,
                      const struct parse_names *names)
{
    struct parser_places *places = &parser->fields[field];

    must(names->count <= PARSE_NAMES_MAX);
    places->count = 0;
    for (uint32_t index = 0; index < names->count; index++) {
        uint8_t name = name_add(parser, names->names[index]);
        if (place_usable(&parser->names[name], field)) {
            places->names[places->count++] = name;
        }
    }
}

/* Which of payment.carry has this name. */
static uint8_t carry_find(const struct parse_names *carry, const char *text)
{
    uint8_t index = 0;

    while (index < carry->count && memcmp(carry->names[index], text, text_size(text) + 1) != 0) {
        index++;
    }
    return index < carry->count ? index : PAYMENT_CARRY_MAX;
}

void parser_init(struct parser *parser, const struct parse_settings *settings)
{
    memset(parser, 0, sizeof(*parser));
    parser->settings = *settings;
    parser->wide = marks_wide();
    memset(parser->slots, PARSER_NO_NAME, sizeof(parser->slots));
    memset(parser->carry, PARSER_NO_NAME, sizeof(parser->carry));
    private_add(parser, settings);
    for (enum parse_field field = PARSE_ID; field < PARSE_FIELDS; field++) {
        field_add(parser, field, &settings->fields[field]);
    }
    must(settings->carry.count <= PAYMENT_CARRY_MAX);
    for (uint32_t index = 0; index < settings->carry.count; index++) {
        uint8_t name = name_add(parser, settings->carry.names[index]);
        parser->carry[index] = parser->names[name].dropped ? PARSER_NO_NAME : name;
    }
    parser->only =
        settings->only_field[0] == '\0' ? PARSER_NO_NAME : name_add(parser, settings->only_field);
    parser->status = carry_find(&settings->carry, "status");
    parser->region = carry_find(&settings->carry, "region");
}
