/*
 * Any bytes at all, as messages one behind the other (a newline between them), through a parser
 * that remembers layouts and one that does not. The first byte chooses the settings. Beyond not
 * crashing: both come to the same, what is refused is refused within the message, what is kept
 * is within its limits, lies where it should, and holds no card number.
 */
#include "parse/mask.h"
#include "parse/parse.h"
#include "test/message_same.h"

#include <stdlib.h>

enum { SETTINGS = 4 };

static struct parser parsers[SETTINGS];
static struct message quick, fully;
static struct parse_scratch quick_scratch, fully_scratch;

static void name_add(struct parse_names *names, const char *name)
{
    must(names->count < PARSE_ONLY_VALUES_MAX);
    memcpy(names->names[names->count++], name, strlen(name) + 1);
}

static void prepare(void)
{
    struct parse_settings settings;

    parse_settings_default(&settings);
    settings.key = (struct siphash_key){11, 12};
    parser_init(&parsers[0], &settings);
    settings.reject_unknown = true;
    settings.decimals_max = 2;
    name_add(&settings.carry, "note");
    name_add(&settings.carry, "credit_card");
    parser_init(&parsers[1], &settings);
    memcpy(settings.only_field, "status", sizeof("status"));
    name_add(&settings.only_values, "SUCCESS");
    name_add(&settings.only_values, "1");
    parser_init(&parsers[2], &settings);
    name_add(&settings.drop, "sender");
    name_add(&settings.mask, "receiver");
    settings.reject_unknown = false;
    parser_init(&parsers[3], &settings);
    quick_scratch.at = malloc(PARSE_SCRATCH_MAX);
    fully_scratch.at = malloc(PARSE_SCRATCH_MAX);
    must(quick_scratch.at != NULL && fully_scratch.at != NULL);
    quick_scratch.size = fully_scratch.size = PARSE_SCRATCH_MAX;
}

static bool lies_in(struct span text, const void *at, size_t size)
{
    const char *from = at;
    const char *start = text.at;

    return start >= from && start + text.size <= from + size;
}

/* A text that is kept: where it lies, how long it may be, and no card number in it. */
static void check_text(struct span text, size_t least, size_t most)
{
    must(text.at != NULL);
    must(text.size >= least && text.size <= most);
    must(lies_in(text, quick.raw.at, quick.raw.size) ||
         lies_in(text, quick_scratch.at, quick_scratch.used));
    must(text.size == 0 || memchr(text.at, '\0', text.size) == NULL);
}

static void check_payment(const struct payment *payment)
{
    check_text(payment->transaction_id, 1, IDENT_TEXT_MAX);
    check_text(payment->sender, 1, IDENT_TEXT_MAX);
    check_text(payment->receiver, 1, IDENT_TEXT_MAX);
    check_text(payment->amount_text, 1, 21);
    must(!mask_reads_as_card(payment->transaction_id));
    must(!mask_needed(payment->sender) && !mask_needed(payment->receiver));
    must(payment->amount.units > 0);
    must(payment->amount.scale >= 0 && payment->amount.scale <= MONEY_SCALE_MAX);
    must(strlen(payment->currency) == CURRENCY_SIZE);
    must(payment->event_ms >= INT64_C(946684800000) && payment->event_ms < INT64_C(4133980800000));
    for (size_t index = 0; index < PAYMENT_CARRY_MAX; index++) {
        if (payment->carry[index].at != NULL) {
            check_text(payment->carry[index], 0, PARSE_STRING_MAX);
            must(!mask_needed(payment->carry[index]));
        }
    }
}

static void check_excerpt(struct span raw)
{
    char excerpt[MASK_EXCERPT_MAX];
    size_t size = mask_excerpt(raw, excerpt);

    must(size <= raw.size);
    for (size_t index = 0; index < size; index++) {
        must(excerpt[index] >= ' ' && excerpt[index] <= '~');
        must(excerpt[index] < '0' || excerpt[index] > '9');
    }
}

static void check_message(const struct parser *parser, const uint8_t *bytes, size_t size)
{
    size_t kept = size <= MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX + 1;

    quick.raw = fully.raw = (struct span){bytes, kept};
    quick.size = fully.size = (uint32_t)size;
    quick_scratch.used = fully_scratch.used = 0;
    parse_message(parser, &quick, &quick_scratch);
    parse_message_fully(parser, &fully, &fully_scratch);
    must(message_same(&quick, &fully));
    must(quick_scratch.used == fully_scratch.used);
    must(quick.refusal.position <= kept);
    if (quick.refusal.reason != REFUSAL_NONE) {
        must(quick_scratch.used == 0);
        check_excerpt(quick.raw);
    } else if (quick.selected) {
        check_payment(&quick.payment);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (quick_scratch.at == NULL) {
        prepare();
    }
    if (size == 0) {
        return 0;
    }
    struct parser *parser = &parsers[data[0] % SETTINGS];
    const uint8_t *at = data + 1;
    const uint8_t *end = data + size;
    quick_scratch.shape_count = 0;
    parser->wide = (data[0] & 0x80) == 0 && marks_wide();
    while (at <= end) {
        const uint8_t *line_end = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        line_end = line_end == NULL ? end : line_end;
        uint8_t *line = malloc((size_t)(line_end - at) + 1); /* So that a byte beyond is seen. */
        must(line != NULL);
        memcpy(line, at, (size_t)(line_end - at));
        check_message(parser, line, (size_t)(line_end - at));
        free(line);
        at = line_end + 1;
    }
    return 0;
}
