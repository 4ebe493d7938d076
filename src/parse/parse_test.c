#include "test/parsed.h"

static void sized_text(char *to, size_t size, char byte)
{
    memset(to, byte, size);
    to[size] = '\0';
}

/* `start`, then a text of so many bytes, then `end`. */
static void parse_sized(struct parsed *parsed, const char *start, size_t size, const char *end)
{
    static char text[2 * MESSAGE_SIZE_MAX];
    size_t start_size = strlen(start);

    memcpy(text, start, start_size);
    sized_text(text + start_size, size, 'x');
    memcpy(text + start_size + size, end, strlen(end) + 1);
    parsed_text(parsed, text);
}

static void takes_a_message_of_64_kib_and_none_larger(void **state)
{
    const char *start = "{" PARSED_ALL ",'more':'";
    size_t rest = MESSAGE_SIZE_MAX - strlen(start) - 2;
    struct parsed parsed;

    parsed_init(&parsed);
    parse_sized(&parsed, start, rest, "'}");
    assert_int_equal(parsed.message.size, MESSAGE_SIZE_MAX);
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parse_sized(&parsed, start, rest + 1, "'}");
    assert_refused(&parsed, REFUSAL_SIZE, MESSAGE_SIZE_MAX);
    /* The source keeps one byte more at most, and says how many there were. */
    parsed.message.raw.size = MESSAGE_SIZE_MAX + 1;
    parsed.message.size = 1 << 30;
    parse_message(&parsed.parser, &parsed.message, &parsed.scratch);
    assert_refused(&parsed, REFUSAL_SIZE, MESSAGE_SIZE_MAX);
    parsed_close(&parsed);
}

static void tells_an_empty_a_framed_and_a_marked_message(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_bytes(&parsed, "", 0);
    assert_refused(&parsed, REFUSAL_EMPTY, 0);
    parsed_bytes(&parsed, " \t\r\n ", 5);
    assert_refused(&parsed, REFUSAL_EMPTY, 0);
    parsed_bytes(&parsed, "\0\0\0\0\x11{}", 7);
    assert_refused(&parsed, REFUSAL_FRAMING, 0);
    parsed_bytes(&parsed, "\0", 1);
    assert_refused(&parsed, REFUSAL_FRAMING, 0);
    parsed_text(&parsed, "\xef\xbb\xbf{" PARSED_ALL "}");
    assert_refused(&parsed, REFUSAL_UTF8, 0);
    parsed_bytes(&parsed, " \0", 2);
    assert_refused(&parsed, REFUSAL_JSON, 1);
    parsed_close(&parsed);
}

static void names_our_field_when_a_key_of_ours_stands_twice(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_text(&parsed, "{'sender':'a','sender':'b'}");
    assert_refused(&parsed, REFUSAL_DUPLICATE_KEY, 14);
    assert_string_equal(parsed.message.refusal.field, "sender_account_id");
    parsed_text(&parsed, "{'region':'a','regio\\u006e':'b'}");
    assert_refused(&parsed, REFUSAL_DUPLICATE_KEY, 14);
    assert_string_equal(parsed.message.refusal.field, "region");
    parsed_text(&parsed, "{'x':'a','x':'b'}");
    assert_refused(&parsed, REFUSAL_DUPLICATE_KEY, 9);
    assert_null(parsed.message.refusal.field);
    parsed_text(&parsed, "{'sender':{'x':'a','x':'b'}}");
    assert_refused(&parsed, REFUSAL_DUPLICATE_KEY, 19);
    assert_null(parsed.message.refusal.field);
    parsed_close(&parsed);
}

static void takes_ids_of_1_to_128_bytes(void **state)
{
    const char *end = "'" PARSED_TIME PARSED_ACCOUNTS PARSED_MONEY "}";
    char escaped[6 * 129 + 1];
    char text[2000];
    struct parsed parsed;

    parsed_init(&parsed);
    parse_sized(&parsed, "{'transaction_id':'", 128, end);
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parse_sized(&parsed, "{'transaction_id':'", 129, end);
    assert_refused(&parsed, REFUSAL_ID, 18);
    parse_sized(&parsed, "{'transaction_id':'\xc3\xa9", 127, end);
    assert_refused(&parsed, REFUSAL_ID, 18);
    for (size_t count = 128; count <= 129; count++) {
        for (size_t index = 0; index < count; index++) {
            memcpy(escaped + 6 * index, "\\u0041", 7);
        }
        snprintf(text, sizeof(text), "{'transaction_id':'%s%s", escaped, end);
        parsed_text(&parsed, text);
        assert_refused(&parsed, count == 128 ? REFUSAL_NONE : REFUSAL_ID, count == 128 ? 0 : 18);
    }
    parse_sized(&parsed, "{" PARSED_ID PARSED_TIME PARSED_RECEIVER PARSED_MONEY ",'sender':'", 129,
                "'}");
    assert_refused(&parsed, REFUSAL_ID, 111);
    assert_string_equal(parsed.message.refusal.field, "sender_account_id");
    parsed_close(&parsed);
}

static void keeps_texts_of_4_kib_and_none_larger(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parse_sized(&parsed, "{" PARSED_ALL ",'status':'", PARSE_STRING_MAX, "'}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    assert_int_equal(parsed.message.payment.status.size, PARSE_STRING_MAX);
    parse_sized(&parsed, "{" PARSED_ALL ",'status':'", PARSE_STRING_MAX + 1, "'}");
    assert_refused(&parsed, REFUSAL_TEXT_SIZE, 128);
    assert_string_equal(parsed.message.refusal.field, "status");
    parse_sized(&parsed, "{" PARSED_ALL ",'status':'\\n", PARSE_STRING_MAX - 1, "'}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parse_sized(&parsed, "{" PARSED_ALL ",'status':'\\n", PARSE_STRING_MAX, "'}");
    assert_refused(&parsed, REFUSAL_TEXT_SIZE, 128);
    /* What is not kept may be longer. */
    parse_sized(&parsed, "{" PARSED_ALL ",'cvv':'", PARSE_STRING_MAX + 1, "'}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parse_sized(&parsed, "{" PARSED_ALL ",'more':'", PARSE_STRING_MAX + 1, "'}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parsed_close(&parsed);
}

static void name_add(struct parse_names *names, const char *name)
{
    snprintf(names->names[names->count++], PARSE_NAME_SIZE, "%s", name);
}

static void drops_before_it_carries_and_masks_before_it_keeps(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed.settings.carry.count = 0;
    name_add(&parsed.settings.carry, "cvv");
    name_add(&parsed.settings.carry, "credit_card");
    name_add(&parsed.settings.carry, "note");
    name_add(&parsed.settings.carry, "number");
    parsed_settings(&parsed);
    parsed_text(&parsed, "{" PARSED_ALL ",'cvv':[],'credit_card':'1234 5678','note':"
                         "'paid by 4111 1111 1111 1111','number':4111111111111111}");
    const struct payment *payment = &parsed.message.payment;
    assert_refused(&parsed, REFUSAL_NONE, 0);
    assert_null(payment->carry[0].at);
    assert_text(payment->carry[1], "*****5678");
    assert_text(payment->carry[2], "paid by **** **** **** 1111");
    assert_text(payment->carry[3], "************1111");
    parsed_text(&parsed, "{" PARSED_ALL ",'credit_card':12345678,'note':'4\\u0031\\u00311111111"
                         "11111\\u0031'}");
    assert_text(payment->carry[1], "****5678");
    assert_text(payment->carry[2], "************1111");
    parsed_close(&parsed);
}

static void masks_accounts_but_refuses_an_id_that_reads_as_a_card_number(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_text(
        &parsed,
        "{'sender':'4111111111111111','receiver':'card 4242-4242-4242-4242'," PARSED_ID PARSED_TIME
            PARSED_MONEY "}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    assert_text(parsed.message.payment.sender, "************1111");
    assert_text(parsed.message.payment.receiver, "card ****-****-****-4242");
    parsed_text(&parsed,
                "{'transaction_id':'4111111111111111'" PARSED_TIME PARSED_ACCOUNTS PARSED_MONEY
                "}");
    assert_refused(&parsed, REFUSAL_ID, 18);
    assert_int_equal(parsed.scratch.used, 0);
    parsed_close(&parsed);
}

/* Privacy goes before the places of a field: what it hides is not there. */
static void reads_no_field_from_a_place_that_privacy_takes_away(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    name_add(&parsed.settings.drop, "sender_account_id");
    name_add(&parsed.settings.mask, "transaction_id");
    name_add(&parsed.settings.mask, "receiver");
    name_add(&parsed.settings.fields[PARSE_ID], "order_id");
    parsed_settings(&parsed);
    parsed_text(&parsed, "{" PARSED_ALL ",'order_id':'o-1','sender_account_id':'ACC_9'}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    assert_text(parsed.message.payment.transaction_id, "o-1");
    assert_text(parsed.message.payment.sender, "ACC_1");
    assert_text(parsed.message.payment.receiver, "*CC_2");
    parsed_text(&parsed, "{" PARSED_ALL "}");
    assert_refused(&parsed, REFUSAL_MISSING, 118);
    assert_string_equal(parsed.message.refusal.field, "transaction_id");
    parsed_close(&parsed);
}

static const struct {
    const char *text;
    bool selected;
} choices[] = {
    {"{" PARSED_ALL ",'status':'SUCCESS'}", true},
    {"{" PARSED_ALL ",'status':'\\u0053UCCESS'}", true},
    {"{" PARSED_ALL ",'status':7}", true},
    {"{" PARSED_ALL ",'status':true}", true},
    {"{'status':'PENDING'}", false},
    {"{'status':'SUCCES'}", false},
    {"{'status':'SUCCESS\\u0000'}", false},
    {"{'status':'success'}", false},
    {"{'status':''}", false},
    {"{'status':7.0}", false},
    {"{'status':null}", false},
    {"{'status':['SUCCESS']}", false},
    {"{'status':{}}", false},
    {"{'amount':-1,'strange':1}", false},
    {"{}", false},
};

static void leaves_out_what_payment_only_does_not_list(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    memcpy(parsed.settings.only_field, "status", 7);
    parsed.settings.only_values.count = 0;
    name_add(&parsed.settings.only_values, "SUCCESS");
    name_add(&parsed.settings.only_values, "7");
    name_add(&parsed.settings.only_values, "true");
    parsed_settings(&parsed);
    for (size_t index = 0; index < sizeof(choices) / sizeof(choices[0]); index++) {
        parsed_text(&parsed, choices[index].text);
        assert_refused(&parsed, REFUSAL_NONE, 0);
        if (parsed.message.selected != choices[index].selected) {
            fail_msg("%s", choices[index].text);
        }
    }
    parsed_text(&parsed, "{'status':'PENDING'");
    assert_true(parsed.message.selected);
    assert_refused(&parsed, REFUSAL_JSON, 19);
    parsed_text(&parsed, "{'status':'SUCCESS'}");
    assert_refused(&parsed, REFUSAL_MISSING, 19);
    parsed_close(&parsed);
}

static void refuses_unknown_fields_when_it_is_told_to(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_text(&parsed, "{'strange':1," PARSED_ALL "}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parsed.settings.reject_unknown = true;
    parsed_settings(&parsed);
    parsed_text(&parsed,
                "{'cvv':'1','credit_card':'2','event_time':null,'region':'EU'," PARSED_ALL "}");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parsed_text(&parsed, "{" PARSED_ALL ",'strange':1,'stranger':2}");
    assert_refused(&parsed, REFUSAL_UNKNOWN_FIELD, 119);
    assert_null(parsed.message.refusal.field);
    parsed_text(&parsed, "{'amount':-1,'strange':1}");
    assert_refused(&parsed, REFUSAL_UNKNOWN_FIELD, 13);
    parsed_close(&parsed);
}

/* Names with one beginning, of one length, in one slot: each is found, and no other. */
static void finds_each_name_and_no_other(void **state)
{
    struct parsed parsed;
    char name[PARSE_NAME_SIZE];

    parsed_init(&parsed);
    for (size_t index = parsed.settings.drop.count; index < PARSE_PRIVATE_MAX; index++) {
        snprintf(name, sizeof(name), "sender_account_%02zu", index);
        name_add(&parsed.settings.drop, name);
    }
    sized_text(name, PARSE_NAME_SIZE - 1, 'n');
    name_add(&parsed.settings.mask, name);
    parsed_settings(&parsed);
    for (uint8_t index = 0; index < parsed.parser.name_count; index++) {
        const struct parser_name *known = &parsed.parser.names[index];
        struct span text = {known->text, known->size};
        assert_int_equal(parser_find(&parsed.parser, text), index);
        text.size++; /* Its zero byte, too. */
        assert_int_equal(parser_find(&parsed.parser, text), PARSER_NO_NAME);
    }
    assert_int_equal(parser_find(&parsed.parser, (struct span){"", 0}), PARSER_NO_NAME);
    parsed_close(&parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_message_of_64_kib_and_none_larger),
        cmocka_unit_test(tells_an_empty_a_framed_and_a_marked_message),
        cmocka_unit_test(names_our_field_when_a_key_of_ours_stands_twice),
        cmocka_unit_test(takes_ids_of_1_to_128_bytes),
        cmocka_unit_test(keeps_texts_of_4_kib_and_none_larger),
        cmocka_unit_test(drops_before_it_carries_and_masks_before_it_keeps),
        cmocka_unit_test(masks_accounts_but_refuses_an_id_that_reads_as_a_card_number),
        cmocka_unit_test(reads_no_field_from_a_place_that_privacy_takes_away),
        cmocka_unit_test(leaves_out_what_payment_only_does_not_list),
        cmocka_unit_test(refuses_unknown_fields_when_it_is_told_to),
        cmocka_unit_test(finds_each_name_and_no_other),
    };
    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
