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

/* A payment without a status is not one with an empty status, nor with another. */
static void digests_the_status_and_its_absence(void **state)
{
    const struct span statuses[] = {{NULL, 0}, {"", 0}, {"SUCCESS", 7}, {"PENDING", 7}};
    uint32_t digests[4];

    for (size_t index = 0; index < 4; index++) {
        struct payment payment = rent();
        uint64_t pair_hash = payment.pair_hash;
        payment.status = statuses[index];
        payment_derive(&payment, &key);
        assert_true(payment.pair_hash == pair_hash);
        digests[index] = payment.content_digest;
        for (size_t before = 0; before < index; before++) {
            assert_int_not_equal(digests[before], digests[index]);
        }
    }
}

/* Each field of a pair, one at a time. */
static void digests_every_field_of_the_pair(void **state)
{
    struct payment first = rent();
    struct payment others[5];

    for (size_t index = 0; index < 5; index++) {
        others[index] = rent();
    }
    others[0].amount.units = 1051;
    others[1].amount.scale = 1;
    others[2].currency[2] = 'C';
    others[3].sender = (struct span){"ACC_2", 5};
    others[4].receiver = (struct span){"ACC_1 and more than a short text", 31};
    for (size_t index = 0; index < 5; index++) {
        payment_derive(&others[index], &key);
        assert_true(first.pair_hash != others[index].pair_hash);
        assert_int_not_equal(first.content_digest, others[index].content_digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_first_field_that_differs),
        cmocka_unit_test(digests_the_value_and_not_the_writing),
        cmocka_unit_test(digests_where_a_field_ends),
        cmocka_unit_test(digests_the_status_and_its_absence),
        cmocka_unit_test(digests_every_field_of_the_pair),
    };
    return cmocka_run_group_tests_name("payment", tests, NULL, NULL);
}
