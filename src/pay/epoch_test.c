#include "pay/epoch.h"
#include "test/unit.h"

enum { ROOM = 2 * DECISION_SIZE_MAX };

static uint8_t decisions[ROOM];

static void tells_where_its_notes_are(void **state)
{
    struct epoch epoch = {.decisions = {decisions, 0, ROOM}};
    struct decision message = {.kind = INVALID};
    struct decision note = {.kind = NOTE_START};

    epoch_clear(&epoch);
    epoch_add_decision(&epoch, &message);
    assert_int_equal(epoch_notes(&epoch).size, 0);
    epoch_add_decision(&epoch, &note);
    assert_ptr_equal(epoch_notes(&epoch).at, decisions);
    assert_int_equal(epoch_notes(&epoch).size, epoch.decisions.size);
    assert_int_equal(epoch.message_count, 1);
    epoch_clear(&epoch);
    assert_int_equal(epoch_notes(&epoch).size, 0);
}

/* As it was read from a journal. */
static void has_notes_looked_for_where_nobody_knows(void **state)
{
    struct epoch epoch = {.decisions = {decisions, DECISION_BARE_SIZE, ROOM}};

    assert_int_equal(epoch_notes(&epoch).size, DECISION_BARE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_where_its_notes_are),
        cmocka_unit_test(has_notes_looked_for_where_nobody_knows),
    };
    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
