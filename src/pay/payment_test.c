#include "pay/payment.h"
#include "test/unit.h"

static const struct siphash_key key = {5, 6};

static struct payment rent(void)
{
    struct payment payment = {
        .transaction_id = {"abc-123", 7},
        .sender = {"ACC_1", 5},
        .receiver = {"ACC_2", 5},
        .amount = {1050, 2},
        .currency = "USD",
    };
    payment_derive(&payment, &key);
    return payment;
}

static void names_the_first_field_that_differs(void **state)
{
    struct payment first = rent();
    struct payment other = rent();

    assert_int_equal(payment_difference(&first, &other), FIELD_SAME);
    other.status = (struct span){"", 0};
    assert_int_equal(payment_difference(&first, &other), FIELD_STATUS);
    other.receiver = (struct span){"ACC_3", 5};
    assert_int_equal(payment_difference(&first, &other), FIELD_RECEIVER);
    other.sender = (struct span){"ACC_10", 6};
    assert_int_equal(payment_difference(&first, &other), FIELD_SENDER);
    other.currency[0] = 'E';
    assert_int_equal(payment_difference(&first, &other), FIELD_CURRENCY);
    other.amount.units = 1051;
    assert_int_equal(payment_difference(&first, &other), FIELD_AMOUNT);
}

static void digests_the_value_and_not_the_writing(void **state)
{
    struct payment first = rent();
    struct payment other = rent();

    other.amount = (struct money){105, 1};
    payment_derive(&other, &key);
    assert_int_equal(first.content_digest, other.content_digest);
    assert_true(first.pair_hash == other.pair_hash);
    assert_int_equal(payment_difference(&first, &other), FIELD_SAME);
}

/* Each text stands behind its length, so that bytes cannot wander from one to the next. */
static void digests_where_a_field_ends(void **state)
{
    struct payment first = rent();
    struct payment other = rent();

    first.sender = (struct span){"AB", 2};
    first.receiver = (struct span){"C", 1};
    other.sender = (struct span){"A", 1};
    other.receiver = (struct span){"BC", 2};
    payment_derive(&first, &key);
    payment_derive(&other, &key);
    assert_int_not_equal(first.content_digest, other.content_digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_first_field_that_differs),
        cmocka_unit_test(digests_the_value_and_not_the_writing),
        cmocka_unit_test(digests_where_a_field_ends),
    };
    return cmocka_run_group_tests_name("payment", tests, NULL, NULL);
}
