#include "test/parsed.h"

/* One message and what becomes of it. field NULL: none named. */
struct refused_case {
    const char *text;
    enum refusal_reason reason;
    uint32_t position;
    const char *field;
};

static void check_refused(struct parsed *parsed, const struct refused_case *cases, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        const struct refused_case *one = &cases[index];
        parsed_text(parsed, one->text);
        const struct refusal *refusal = &parsed->message.refusal;
        if (refusal->reason != one->reason || refusal->position != one->position) {
            fail_msg("%s: %s at %u", one->text, refusal_label(refusal->reason), refusal->position);
        }
        if ((refusal->field == NULL) != (one->field == NULL) ||
            (one->field != NULL && strcmp(refusal->field, one->field) != 0)) {
            fail_msg("%s: field %s", one->text, refusal->field == NULL ? "none" : refusal->field);
        }
    }
}

static void takes_the_public_event_without_settings(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_text(&parsed, "{'transaction_id':'2f1c1e5a-0b5e-4d8c-9a57-1d1f6c1c9b1e',"
                         "'sender_account_id':'ACC_000123','receiver_account_id':'ACC_004567',"
                         "'amount':1000.10,'currency':'USD','device_id':'device_00c0ffee',"
                         "'ip_address':'10.1.2.3','timestamp':1772000000123,'region':'EU',"
                         "'payment_method':'wallet','credit_card':'4111111111111111','cvv':'123',"
                         "'card_expiry':'01/28'}");
    const struct payment *payment = &parsed.message.payment;
    assert_refused(&parsed, REFUSAL_NONE, 0);
    assert_true(parsed.message.selected);
    assert_text(payment->transaction_id, "2f1c1e5a-0b5e-4d8c-9a57-1d1f6c1c9b1e");
    assert_text(payment->sender, "ACC_000123");
    assert_text(payment->receiver, "ACC_004567");
    assert_text(payment->amount_text, "1000.10");
    assert_true(payment->amount.units == 100010 && payment->amount.scale == 2);
    assert_string_equal(payment->currency, "USD");
    assert_true(payment->event_ms == INT64_C(1772000000123));
    assert_int_equal(payment->event_unit, 2);
    assert_text(payment->carry[0], "EU");
    assert_text(payment->carry[1], "wallet");
    assert_null(payment->carry[2].at);
    assert_text(payment->carry[3], "device_00c0ffee");
    assert_text(payment->carry[4], "10.1.2.3");
    assert_null(payment->carry[5].at);
    assert_text(payment->region, "EU");
    assert_null(payment->status.at);
    assert_int_equal(payment->id_kind, IDENT_UUID);
    assert_int_equal(payment->sender_kind, IDENT_SHORT);
    parsed_close(&parsed);
}

static void takes_the_first_place_of_the_settings_that_holds_something(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_text(&parsed, "{'sender':'second','sender_account_id':'first'," PARSED_ID PARSED_TIME
                             PARSED_RECEIVER PARSED_MONEY "}");
    assert_text(parsed.message.payment.sender, "first");
    parsed_text(&parsed, "{'sender':'second','sender_account_id':null," PARSED_ID PARSED_TIME
                             PARSED_RECEIVER PARSED_MONEY "}");
    assert_text(parsed.message.payment.sender, "second");
    parsed_text(&parsed, "{'sender':'second','sender_account_id':''," PARSED_ID PARSED_TIME
                             PARSED_RECEIVER PARSED_MONEY "}");
    assert_refused(&parsed, REFUSAL_ID, 39);
    parsed_close(&parsed);
}

static void names_the_first_field_at_fault_in_its_own_order(void **state)
{
    static const struct refused_case cases[] = {
        {"{}", REFUSAL_MISSING, 1, "transaction_id"},
        {" { } ", REFUSAL_MISSING, 3, "transaction_id"},
        {"{" PARSED_ID "}", REFUSAL_MISSING, 24, "event_time"},
        {"{" PARSED_ID PARSED_TIME "}", REFUSAL_MISSING, 50, "sender_account_id"},
        {"{" PARSED_ID PARSED_TIME PARSED_SENDER "}", REFUSAL_MISSING, 67, "receiver_account_id"},
        {"{" PARSED_ID PARSED_TIME PARSED_ACCOUNTS "}", REFUSAL_MISSING, 86, "amount"},
        {"{" PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_AMOUNT "}", REFUSAL_MISSING, 101,
         "currency"},
        {"{" PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_AMOUNT ",'currency':null}",
         REFUSAL_MISSING, 117, "currency"},
        {"{'currency':1,'amount':'x','transaction_id':7}", REFUSAL_TYPE, 44, "transaction_id"},
        {"{'currency':1,'amount':'x'," PARSED_ID PARSED_TIME PARSED_ACCOUNTS "}", REFUSAL_AMOUNT,
         23, "amount"},
    };
    struct parsed parsed;

    parsed_init(&parsed);
    check_refused(&parsed, cases, sizeof(cases) / sizeof(cases[0]));
    parsed_close(&parsed);
}

static void refuses_what_is_not_the_field_it_should_be(void **state)
{
    static const struct refused_case cases[] = {
        {"{'transaction_id':4711}", REFUSAL_TYPE, 18, "transaction_id"},
        {"{'transaction_id':true}", REFUSAL_TYPE, 18, "transaction_id"},
        {"{'transaction_id':['a']}", REFUSAL_TYPE, 18, "transaction_id"},
        {"{'transaction_id':{}}", REFUSAL_TYPE, 18, "transaction_id"},
        {"{'transaction_id':''}", REFUSAL_ID, 18, "transaction_id"},
        {"{'transaction_id':'a\\u0000b'}", REFUSAL_UTF8, 18, "transaction_id"},
        {"{'transaction_id':'4111111111111111'}", REFUSAL_ID, 18, "transaction_id"},
        {"{'transaction_id':'4111-1111-1111-1111'}", REFUSAL_ID, 18, "transaction_id"},
        {"{'transaction_id':'a','timestamp':true}", REFUSAL_TYPE, 34, "event_time"},
        {"{'transaction_id':'a','timestamp':[1]}", REFUSAL_TYPE, 34, "event_time"},
        {"{" PARSED_ID PARSED_TIME ",'sender':1}", REFUSAL_TYPE, 60, "sender_account_id"},
        {"{" PARSED_ID PARSED_TIME ",'sender':'a\\u0000'}", REFUSAL_UTF8, 60, "sender_account_id"},
        {"{" PARSED_ID PARSED_TIME PARSED_SENDER ",'receiver':{}}", REFUSAL_TYPE, 79,
         "receiver_account_id"},
        {"{" PARSED_ID PARSED_TIME PARSED_ACCOUNTS ",'amount':[]}", REFUSAL_TYPE, 96, "amount"},
        {"{" PARSED_ID PARSED_TIME PARSED_ACCOUNTS ",'amount':false}", REFUSAL_TYPE, 96, "amount"},
        {"{" PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_AMOUNT ",'currency':840}", REFUSAL_TYPE,
         113, "currency"},
        {"{" PARSED_ALL ",'region':[]}", REFUSAL_TYPE, 128, "region"},
        {"{" PARSED_ALL ",'status':{'a':1}}", REFUSAL_TYPE, 128, "status"},
        {"{" PARSED_ALL ",'status':'a\\u0000'}", REFUSAL_UTF8, 128, "status"},
    };
    struct parsed parsed;

    parsed_init(&parsed);
    check_refused(&parsed, cases, sizeof(cases) / sizeof(cases[0]));
    parsed_close(&parsed);
}

/* A message with this amount; everything else is right. */
static void parse_amount(struct parsed *parsed, const char *amount)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "{'amount':%s," PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_CURRENCY "}", amount);
    parsed_text(parsed, text);
}

static void keeps_an_amount_exactly_as_sent(void **state)
{
    static const struct {
        const char *sent;
        const char *text;
        int64_t units;
        int64_t scale;
    } cases[] = {
        {"1", "1", 1, 0},
        {"'1'", "1", 1, 0},
        {"10.50", "10.50", 1050, 2},
        {"'10.50'", "10.50", 1050, 2},
        {"'1\\u0030.5'", "10.5", 105, 1},
        {"0.000000001", "0.000000001", 1, 9},
        {"9223372036854775807", "9223372036854775807", INT64_MAX, 0},
        {"9223372036.854775807", "9223372036.854775807", INT64_MAX, 9},
    };
    struct parsed parsed;

    parsed_init(&parsed);
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        parse_amount(&parsed, cases[index].sent);
        const struct payment *payment = &parsed.message.payment;
        assert_refused(&parsed, REFUSAL_NONE, 0);
        assert_text(payment->amount_text, cases[index].text);
        assert_true(payment->amount.units == cases[index].units);
        assert_true(payment->amount.scale == cases[index].scale);
    }
    parsed_close(&parsed);
}

static const struct {
    const char *sent;
    enum refusal_reason reason;
} wrong_amounts[] = {
    {"''", REFUSAL_AMOUNT},
    {"' 1'", REFUSAL_AMOUNT},
    {"'1 '", REFUSAL_AMOUNT},
    {"'+1'", REFUSAL_AMOUNT},
    {"'1e3'", REFUSAL_AMOUNT},
    {"1e3", REFUSAL_AMOUNT},
    {"1.5E+3", REFUSAL_AMOUNT},
    {"'1,000.00'", REFUSAL_AMOUNT},
    {"'01'", REFUSAL_AMOUNT},
    {"'.5'", REFUSAL_AMOUNT},
    {"'1.'", REFUSAL_AMOUNT},
    {"'1.2.3'", REFUSAL_AMOUNT},
    {"'NaN'", REFUSAL_AMOUNT},
    {"'-'", REFUSAL_AMOUNT},
    {"'0x10'", REFUSAL_AMOUNT},
    {"'1\\u0000'", REFUSAL_AMOUNT},
    {"0", REFUSAL_AMOUNT_RANGE},
    {"0.00", REFUSAL_AMOUNT_RANGE},
    {"'0'", REFUSAL_AMOUNT_RANGE},
    {"-0", REFUSAL_AMOUNT_RANGE},
    {"-5", REFUSAL_AMOUNT_RANGE},
    {"-5.25", REFUSAL_AMOUNT_RANGE},
    {"'-5'", REFUSAL_AMOUNT_RANGE},
    {"9223372036854775808", REFUSAL_AMOUNT_SIZE},
    {"18446744073709551617", REFUSAL_AMOUNT_SIZE}, /* 1, if 64 bits ran over. */
    {"9223372036.8547758070", REFUSAL_AMOUNT_SIZE},
    {"0.0000000001", REFUSAL_AMOUNT_SIZE},
    {"12345678901234567890.12", REFUSAL_AMOUNT_SIZE},
};

static void refuses_an_amount_that_is_no_plain_decimal_above_zero(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    for (size_t index = 0; index < sizeof(wrong_amounts) / sizeof(wrong_amounts[0]); index++) {
        parse_amount(&parsed, wrong_amounts[index].sent);
        if (parsed.message.refusal.reason != wrong_amounts[index].reason) {
            fail_msg("%s: %s", wrong_amounts[index].sent,
                     refusal_label(parsed.message.refusal.reason));
        }
        assert_int_equal(parsed.message.refusal.position, 10);
        assert_string_equal(parsed.message.refusal.field, "amount");
    }
    parsed_close(&parsed);
}

static void allows_as_many_places_as_the_settings_say(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed.settings.decimals_max = 2;
    parsed_settings(&parsed);
    parse_amount(&parsed, "1.25");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parse_amount(&parsed, "1.250");
    assert_refused(&parsed, REFUSAL_AMOUNT_SIZE, 10);
    parsed.settings.decimals_max = 0;
    parsed_settings(&parsed);
    parse_amount(&parsed, "1");
    assert_refused(&parsed, REFUSAL_NONE, 0);
    parse_amount(&parsed, "1.0");
    assert_refused(&parsed, REFUSAL_AMOUNT_SIZE, 10);
    parsed_close(&parsed);
}

static const struct {
    const char *sent;
    int64_t event_ms; /* 0: refused. */
    uint8_t unit;
} times[] = {
    {"946684799", 0, 0},
    {"946684800", INT64_C(946684800000), 1},
    {"1772000000", INT64_C(1772000000000), 1},
    {"4133980799", INT64_C(4133980799000), 1},
    {"4133980800", 0, 0},
    {"946684799999", 0, 0},
    {"946684800000", INT64_C(946684800000), 2},
    {"4133980799999", INT64_C(4133980799999), 2},
    {"4133980800000", 0, 0},
    {"946684799999999", 0, 0},
    {"946684800000000", INT64_C(946684800000), 3},
    {"1772000000123999", INT64_C(1772000000123), 3},
    {"4133980799999999", INT64_C(4133980799999), 3},
    {"4133980800000000", 0, 0},
    {"946684799999999999", 0, 0},
    {"946684800000000000", INT64_C(946684800000), 4},
    {"1772000000123999999", INT64_C(1772000000123), 4},
    {"4133980799999999999", INT64_C(4133980799999), 4},
    {"4133980800000000000", 0, 0},
    {"0", 0, 0},
    {"-1772000000", 0, 0},
    {"1772000000.0", 0, 0},
    {"1.772e9", 0, 0},
    {"9223372036854775808", 0, 0},
    {"99999999999999999999999999", 0, 0},
    {"'1772000000'", 0, 0},
    {"''", 0, 0},
    {"'yesterday'", 0, 0},
    {"'2026-02-25T06:13:20'", 0, 0},
    {"'2026-02-25T06:13:20Z'", INT64_C(1772000000000), 0},
    {"'2026-02-25T07:13:20.1239\\u002b01:00'", INT64_C(1772000000123), 0},
    {"'1999-12-31T23:59:59.999Z'", 0, 0},
    {"'2000-01-01T00:00:00Z'", INT64_C(946684800000), 0},
    {"'2101-01-01T00:00:00Z'", 0, 0},
};

static void tells_the_unit_of_a_time_by_its_size(void **state)
{
    struct parsed parsed;
    char text[512];

    parsed_init(&parsed);
    for (size_t index = 0; index < sizeof(times) / sizeof(times[0]); index++) {
        snprintf(text, sizeof(text), "{'event_time':%s," PARSED_ID PARSED_ACCOUNTS PARSED_MONEY "}",
                 times[index].sent);
        parsed_text(&parsed, text);
        if (times[index].event_ms == 0) {
            assert_refused(&parsed, REFUSAL_TIME, 14);
            assert_string_equal(parsed.message.refusal.field, "event_time");
            continue;
        }
        assert_refused(&parsed, REFUSAL_NONE, 0);
        assert_true(parsed.message.payment.event_ms == times[index].event_ms);
        assert_int_equal(parsed.message.payment.event_unit, times[index].unit);
    }
    parsed_close(&parsed);
}

static void takes_three_capital_letters_for_a_currency(void **state)
{
    static const char *const wrong[] = {"''",    "'US'",        "'USDT'",      "'usd'",
                                        "'US1'", "'U\xc3\x84'", "'US\\u0000'", "' USD'"};
    struct parsed parsed;
    char text[512];

    parsed_init(&parsed);
    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        snprintf(text, sizeof(text),
                 "{'currency':%s," PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_AMOUNT "}",
                 wrong[index]);
        parsed_text(&parsed, text);
        assert_refused(&parsed, REFUSAL_CURRENCY, 12);
        assert_string_equal(parsed.message.refusal.field, "currency");
    }
    parsed_text(&parsed,
                "{'currency':'\\u0055SD'," PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_AMOUNT "}");
    assert_string_equal(parsed.message.payment.currency, "USD");
    parsed_close(&parsed);
}

static void carries_texts_and_the_raw_text_of_numbers(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed_text(&parsed, "{" PARSED_ALL ",'region':'caf\\u00e9 \\ud83d\\ude00','status':1.50e1,"
                         "'device_id':true,'ip_address':'','payment_method':null}");
    const struct payment *payment = &parsed.message.payment;
    assert_refused(&parsed, REFUSAL_NONE, 0);
    assert_text(payment->region, "caf\xc3\xa9 \xf0\x9f\x98\x80");
    assert_text(payment->status, "1.50e1");
    assert_text(payment->carry[3], "true");
    assert_non_null(payment->carry[4].at);
    assert_int_equal(payment->carry[4].size, 0);
    assert_null(payment->carry[1].at);
    parsed_close(&parsed);
}

static void names_no_field_for_a_key_that_is_none(void **state)
{
    struct parsed parsed;

    parsed_init(&parsed);
    parsed.settings.carry.count = 1;
    strcpy(parsed.settings.carry.names[0], "cvv"); /* Dropped all the same. */
    parsed_settings(&parsed);
    parsed_text(&parsed, "{" PARSED_ALL ",'x':1,'x':2}");
    assert_int_equal(parsed.message.refusal.reason, REFUSAL_DUPLICATE_KEY);
    assert_null(parsed.message.refusal.field);
    parsed_close(&parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_public_event_without_settings),
        cmocka_unit_test(takes_the_first_place_of_the_settings_that_holds_something),
        cmocka_unit_test(names_the_first_field_at_fault_in_its_own_order),
        cmocka_unit_test(refuses_what_is_not_the_field_it_should_be),
        cmocka_unit_test(keeps_an_amount_exactly_as_sent),
        cmocka_unit_test(refuses_an_amount_that_is_no_plain_decimal_above_zero),
        cmocka_unit_test(allows_as_many_places_as_the_settings_say),
        cmocka_unit_test(tells_the_unit_of_a_time_by_its_size),
        cmocka_unit_test(takes_three_capital_letters_for_a_currency),
        cmocka_unit_test(carries_texts_and_the_raw_text_of_numbers),
        cmocka_unit_test(names_no_field_for_a_key_that_is_none),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
