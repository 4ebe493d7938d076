#include "test/unit.h"

#include "sink/stage.h"

/* What operators decided, in the ledger and out of it again. */

static int set_up(void **state)
{
    *state = stage_open(0);
    return 0;
}

static int tear_down(void **state)
{
    stage_close(*state);
    return 0;
}

static const struct span gap_by_eve = {"gap\nEve\nold; it's \"fine\"\n00000000000000ff\n", 42};
static const struct span adopted_by_bob = {"adoption\nBob\n\nfedcba9876543210\n", 31};

static void deliver_decisions(struct stage *stage, const struct decision *notes, size_t count,
                              enum outcome wanted)
{
    sample_begin(&stage->sample, &stage->epochs[0]);
    for (size_t index = 0; index < count; index++) {
        epoch_add_decision(&stage->epochs[0].epoch, &notes[index]);
    }
    sample_end(&stage->sample, &stage->epochs[0]);
    assert_int_equal(stage_deliver(stage, 0, 1), wanted);
}

static void what_operators_decided_is_kept(void **state)
{
    struct stage *stage = *state;
    const struct decision notes[] = {{.kind = NOTE_GAP,
                                      .source = 0,
                                      .offset = 5,
                                      .event_ms = 9,
                                      .arrival_ms = SAMPLE_START_MS,
                                      .text = gap_by_eve},
                                     {.kind = NOTE_DECISION,
                                      .source = 1,
                                      .event_ms = NUMBER_NULL,
                                      .arrival_ms = SAMPLE_START_MS + 1,
                                      .text = adopted_by_bob}};
    struct sink_decision read = {.number = 0};

    stage_add(stage, 5); /* The sources join. */
    deliver_decisions(stage, notes, 2, DONE);
    assert_string_equal(stage_ask(stage, "SELECT epoch, kind, source, first, next, who, why, id"
                                         " FROM payonce_decision ORDER BY decision"),
                        "2|gap|0|5|9|Eve|old; it's \"fine\"|00000000000000ff|"
                        "2|adoption|1|-|-|Bob||fedcba9876543210");
    for (size_t index = 0; index < 2; index++) { /* And read again as it was. */
        assert_int_equal(sink_read_decision(stage->sink, 2, read.number, &read, &stage->fault),
                         DONE);
        assert_int_equal(read.number, index + 1);
        assert_int_equal(read.epoch, 2);
        assert_int_equal(read.note.kind, notes[index].kind);
        assert_int_equal(read.note.source, notes[index].source);
        assert_true(read.note.arrival_ms == notes[index].arrival_ms);
        assert_true(read.note.offset == notes[index].offset);
        assert_true(read.note.event_ms == notes[index].event_ms);
        assert_int_equal(read.note.text.size, notes[index].text.size);
        assert_memory_equal(read.note.text.at, notes[index].text.at, read.note.text.size);
    }
    assert_int_equal(sink_read_decision(stage->sink, 2, 2, &read, &stage->fault), LATER);
    assert_int_equal(sink_read_decision(stage->sink, 3, 0, &read, &stage->fault), LATER);
}

static void refused(struct stage *stage, struct span text)
{
    struct decision note = {.kind = NOTE_GAP, .offset = 5, .event_ms = 9, .text = text};

    stage_add(stage, 5);
    deliver_decisions(stage, &note, 1, BROKEN);
    assert_int_equal(stage->fault.code, FAULT_JOURNAL_CORRUPT);
}

static void a_decision_that_says_neither_what_nor_who_is_refused(void **state)
{
    refused(*state, (struct span){"by Eve", 6});
}

static void a_decision_that_says_another_thing_than_its_note_is_refused(void **state)
{
    refused(*state, adopted_by_bob);
}

static void a_decision_that_was_tampered_with_is_said(void **state)
{
    static const char *const wrongs[] = {
        "UPDATE payonce_decision SET id = '12'",
        "UPDATE payonce_decision SET id = '00000000000000fg'",
        "UPDATE payonce_decision SET id = '00000000000000ff', source = 99",
        "UPDATE payonce_decision SET source = 0, who = ''",
        "UPDATE payonce_decision SET who = 'Eve' || char(10)",
        "UPDATE payonce_decision SET who = 'Eve', kind = 'gift'",
    };
    struct stage *stage = *state;
    struct decision note = {.kind = NOTE_GAP, .offset = 5, .event_ms = 9, .text = gap_by_eve};
    struct sink_decision read;

    stage_add(stage, 5);
    deliver_decisions(stage, &note, 1, DONE);
    for (size_t index = 0; index < sizeof(wrongs) / sizeof(wrongs[0]); index++) {
        (void)stage_ask(stage, wrongs[index]);
        assert_int_equal(sink_read_decision(stage->sink, 1, 0, &read, &stage->fault), BROKEN);
        assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    }
    (void)stage_ask(stage, "UPDATE payonce_decision SET kind = 'gap'");
    assert_int_equal(sink_read_decision(stage->sink, 1, 0, &read, &stage->fault), DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_operators_decided_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_decision_that_says_neither_what_nor_who_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_decision_that_says_another_thing_than_its_note_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_decision_that_was_tampered_with_is_said, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
