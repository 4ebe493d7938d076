#include "engine/drawing.h"
#include "test/unit.h"

static struct drawing drawing;
static struct message message;
static struct judgement judgement;
static struct row row;

static struct span text_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static int set_up(void **state)
{
    message = (struct message){.offset = 7, .source = 2, .arrival_ms = 1000, .size = 300};
    message.payment = (struct payment){.transaction_id = text_of("abc-123"),
                                       .sender = text_of("ACC_1"),
                                       .receiver = text_of("ACC_2"),
                                       .amount_text = text_of("10.50"),
                                       .amount = {1050, 2},
                                       .currency = "USD",
                                       .event_ms = INSTANT_MIN_MS};
    message.payment.carry[0] = text_of("EU");
    message.payment.carry[1] = text_of("SUCCESS");
    judgement = (struct judgement){.verdict = ACCEPTED};
    return 0;
}

static void draw(enum payment_field differing)
{
    drawing_row(&drawing, &message, &judgement, differing, INSTANT_MIN_MS + 1000, 3, &row);
}

static void assert_text(enum dead_letters_text place, const char *text)
{
    assert_int_equal(row.texts[place].size, strlen(text));
    assert_memory_equal(row.texts[place].at, text, strlen(text));
}

static void an_accepted_row_gives_its_payment_back(void **state)
{
    struct carried carried = {.count = 3, .status = 1, .region = 0};
    struct payment payment;

    draw(FIELD_SAME);
    assert_int_equal(row.table, TABLE_TRANSACTIONS);
    assert_int_equal(row.text_count, TRANSACTION_CARRY + 3);
    assert_int_equal(row.numbers[TRANSACTION_SOURCE], 2);
    assert_int_equal(row.numbers[TRANSACTION_OFFSET], 7);
    assert_null(row.texts[TRANSACTION_LOOK_ALIKE_OF].at);
    drawing_payment(&row, &carried, &payment);
    message.payment.status = message.payment.carry[1];
    message.payment.region = message.payment.carry[0];
    assert_int_equal(payment_difference(&payment, &message.payment), FIELD_SAME);
    assert_int_equal(payment.event_ms, message.payment.event_ms);
    assert_ptr_equal(payment.region.at, message.payment.region.at);
    assert_null(payment.carry[2].at);
}

static void a_row_of_fewer_carried_columns_lacks_the_others(void **state)
{
    struct carried carried = {.count = 5, .status = 4, .region = -1};
    struct payment payment;

    draw(FIELD_SAME);
    drawing_payment(&row, &carried, &payment);
    assert_null(payment.status.at);
    assert_null(payment.region.at);
    assert_null(payment.carry[4].at);
}

static void a_duplicate_says_of_which(void **state)
{
    judgement = (struct judgement){.verdict = DUPLICATE,
                                   .earlier = true,
                                   .first_source = 1,
                                   .first_offset = 3,
                                   .first_event_ms = 99};
    draw(FIELD_SAME);
    assert_int_equal(row.table, TABLE_DUPLICATES);
    assert_int_equal(row.numbers[DUPLICATE_FIRST_SOURCE], 1);
    assert_int_equal(row.numbers[DUPLICATE_FIRST_OFFSET], 3);
    assert_int_equal(row.numbers[DUPLICATE_FIRST_EVENT_MS], 99);
    assert_int_equal(row.numbers[DUPLICATE_EARLIER], 1);
}

static void a_conflict_names_the_field(void **state)
{
    judgement = (struct judgement){.verdict = CONFLICT, .first_source = 1, .first_offset = 3};
    draw(FIELD_AMOUNT);
    assert_int_equal(row.table, TABLE_DEAD_LETTERS);
    assert_text(DEAD_REASON, "P301");
    assert_text(DEAD_FIELD, "amount");
    assert_text(DEAD_SENTENCE, "the accepted payment of this id has another amount");
    assert_int_equal(row.numbers[DEAD_FIRST_OFFSET], 3);
    assert_int_equal(row.numbers[DEAD_KNOWN_ID], NUMBER_NULL);
}

static void a_late_one_says_by_what_and_whether_its_id_was_known(void **state)
{
    judgement = (struct judgement){.verdict = LATE, .known_id = true};
    draw(FIELD_SAME);
    assert_text(DEAD_REASON, "P201");
    assert_text(DEAD_SENTENCE, "event_time 2000-01-01T00:00:00.000Z is not after the watermark "
                               "2000-01-01T00:00:01.000Z");
    assert_int_equal(row.numbers[DEAD_KNOWN_ID], 1);
    assert_int_equal(row.numbers[DEAD_FIRST_OFFSET], NUMBER_NULL);
    assert_text(DEAD_ID, "abc-123");
}

static void one_ahead_of_its_time_says_so(void **state)
{
    judgement = (struct judgement){.verdict = FUTURE};
    draw(FIELD_SAME);
    assert_text(DEAD_REASON, "P202");
    assert_text(DEAD_SENTENCE,
                "event_time 2000-01-01T00:00:00.000Z is further ahead than max_future allows");
}

static void a_broken_one_shows_no_digit(void **state)
{
    judgement = (struct judgement){.verdict = INVALID};
    message.raw = text_of("{\"card\": 4711 0815");
    message.refusal = (struct refusal){REFUSAL_JSON, 9, NULL};
    draw(FIELD_SAME);
    assert_text(DEAD_REASON, "P120");
    assert_text(DEAD_EXCERPT, "{\"card\": #### ####");
    assert_int_equal(row.numbers[DEAD_POSITION], 9);
    assert_int_equal(row.numbers[DEAD_SIZE], 300);
    assert_int_equal(row.numbers[DEAD_EVENT_MS], NUMBER_NULL);
    assert_null(row.texts[DEAD_ID].at);
    assert_null(row.texts[DEAD_CARRY].at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_accepted_row_gives_its_payment_back, set_up),
        cmocka_unit_test_setup(a_row_of_fewer_carried_columns_lacks_the_others, set_up),
        cmocka_unit_test_setup(a_duplicate_says_of_which, set_up),
        cmocka_unit_test_setup(a_conflict_names_the_field, set_up),
        cmocka_unit_test_setup(a_late_one_says_by_what_and_whether_its_id_was_known, set_up),
        cmocka_unit_test_setup(one_ahead_of_its_time_says_so, set_up),
        cmocka_unit_test_setup(a_broken_one_shows_no_digit, set_up),
    };
    return cmocka_run_group_tests_name("drawing", tests, NULL, NULL);
}
