#include "test/unit.h"

#include "os/kafka_group.h"
#include "test/kafka_mock.h"

#define TOPIC "payment-events"

struct world {
    struct kafka_mock *mock;
    struct kafka_group *group;
    uint64_t offsets[2];
    struct fault fault;
};

static struct world world;

static void begin(void)
{
    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 2)};
    const struct kafka_settings client = {.brokers = kafka_mock_brokers(world.mock)};

    assert_int_equal(kafka_group_open(&client, "readers", &world.group, &world.fault), DONE);
}

static void end(void)
{
    kafka_group_close(world.group);
    kafka_mock_stop(world.mock);
}

static void look(uint64_t first, uint64_t second)
{
    assert_int_equal(kafka_group_read(world.group, TOPIC, world.offsets, 2, &world.fault), DONE);
    assert_int_equal(world.offsets[0], first);
    assert_int_equal(world.offsets[1], second);
}

static enum outcome put(uint64_t first, uint64_t second)
{
    const uint64_t offsets[] = {first, second};

    return kafka_group_write(world.group, TOPIC, offsets, 2, &world.fault);
}

static void an_offset_stays_where_it_was_put(void **state)
{
    begin();
    look(KAFKA_UNCOMMITTED, KAFKA_UNCOMMITTED);
    assert_int_equal(put(1000, KAFKA_UNCOMMITTED), DONE);
    look(1000, KAFKA_UNCOMMITTED);
    assert_int_equal(put(990, 7), DONE);
    look(990, 7);
    assert_int_equal(put(KAFKA_UNCOMMITTED, KAFKA_UNCOMMITTED), DONE);
    look(990, 7);
    assert_int_equal(kafka_mock_committed(world.mock, "readers", 0), 990);
    end();
}

static void a_group_with_members_is_not_touched(void **state)
{
    enum { UNKNOWN_MEMBER_ID = 25 };

    begin();
    assert_int_equal(put(1000, 1000), DONE);
    kafka_mock_fail(world.mock, KAFKA_MOCK_OFFSET_COMMIT, UNKNOWN_MEMBER_ID, 1);
    assert_int_equal(put(990, 990), BROKEN);
    assert_int_equal(world.fault.code, FAULT_KAFKA_WRITE);
    assert_non_null(strstr(world.fault.text, "has members"));
    look(1000, 1000);
    end();
}

static void says_what_it_may_not_do(void **state)
{
    enum { GROUP_AUTHORIZATION_FAILED = 30 };

    begin();
    kafka_mock_fail(world.mock, KAFKA_MOCK_OFFSET_COMMIT, GROUP_AUTHORIZATION_FAILED, 1);
    assert_int_equal(put(1, 1), REFUSED);
    assert_int_equal(world.fault.code, FAULT_KAFKA_NOT_ALLOWED);
    end();
}

static void nobody_there_is_for_later(void **state)
{
    begin();
    look(KAFKA_UNCOMMITTED, KAFKA_UNCOMMITTED);
    kafka_mock_down(world.mock, 1, true);
    assert_int_equal(kafka_group_read(world.group, TOPIC, world.offsets, 2, &world.fault), LATER);
    assert_int_equal(world.fault.code, FAULT_KAFKA_UNREACHABLE);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_stays_where_it_was_put),
        cmocka_unit_test(a_group_with_members_is_not_touched),
        cmocka_unit_test(says_what_it_may_not_do),
        cmocka_unit_test(nobody_there_is_for_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
