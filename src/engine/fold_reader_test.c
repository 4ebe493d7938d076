/* A fold through the reader, beside and without a thread: the same state, the same end. */
#include "engine/fold_reader.h"

#include "core/world.h"
#include "journal/segment.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 60, SENDERS = 40, FRAME_MAX = 3 * STORY_PART, START = 1767225600 };

static const struct state_limits limits = {.bytes = 64 << 20, .senders_max = 30};
static struct disk_sim disk;
static struct story story;
static struct world live;
static struct world folded;
static struct fold_reader reader;
static uint8_t decisions[STORY_PART];
static struct epoch epoch;
static uint64_t taken; /* Payments, in all epochs. */
static uint64_t ids;   /* Of those that were accepted. */
static uint64_t ids_before[EPOCHS + 2];
static struct decision newest;
static void *ring;

static void begin_world(struct world *world)
{
    struct rules rules;

    rules_default(&rules);
    rules.senders_max = limits.senders_max;
    world_begin(world, 7, &limits);
    world_join(world, 0, 1);
    world_rules(world, &rules);
}

/* One payment in nine is one of those before once more. */
static void decide(uint64_t number)
{
    char id[24];
    char sender[16];
    struct judgement judgement;
    uint64_t which = number % 9 == 8 ? number - 8 : number;
    struct told told = {.offset = number + 1,
                        .event_ms = (START + (int64_t)which) * 1000,
                        .id = id,
                        .sender = sender};

    (void)snprintf(id, sizeof(id), "payment-%llu", (unsigned long long)which);
    (void)snprintf(sender, sizeof(sender), "payer-%llu",
                   (unsigned long long)(which * which % SENDERS));
    struct message message = world_message(&live, &told);
    state_judge(&live.state, &message, &judgement);
    state_decide(&message, &judgement, &newest);
    newest.long_id = (struct span){NULL, 0};
    assert_int_equal(state_apply(&live.state, &newest, &story.fault), DONE);
    epoch_add_decision(&epoch, &newest);
    ids += newest.kind == ACCEPTED;
}

static bool is_noted(uint64_t number)
{
    return number % 7 == 3;
}

/* Ids are remembered for longer, or not so long; more senders, or not so many. */
static void note(uint64_t number)
{
    struct rules rules = live.state.rules;
    struct decision changed = {
        .kind = NOTE_RULES, .event_ms = INSTANT_NONE, .text = {&rules, sizeof(rules)}};

    rules.retention_ms = (int64_t)(number * number % 5) * 600000;
    rules.senders_max = (int64_t)number % limits.senders_max + 1;
    assert_int_equal(state_apply(&live.state, &changed, &story.fault), DONE);
    epoch_add_decision(&epoch, &changed);
}

/* From one record to several batches' worth. */
static size_t size_of(uint64_t number)
{
    return number % 5 == 0 ? 1 : number * 37 % (3 * FOLD_BATCH) + 1;
}

static void begin_epoch(uint64_t number)
{
    ids_before[number] = ids;
    epoch = (struct epoch){.number = number,
                           .prev_chain = story.journal.last_chain,
                           .seed_epoch = 1,
                           .decisions = {decisions, 0, sizeof(decisions)}};
}

static enum outcome seal_epoch(void)
{
    state_epoch_end(&live.state);
    story_snapshot(&story, epoch.number - 1);
    story.snapshot.chain = story.journal.last_chain;
    return journal_seal(&story.journal, &epoch, &story.snapshot, &story.fault);
}

static int set_up(void **state)
{
    disk_sim_init(&disk);
    story_init(&story);
    story.disk = &disk.disk;
    ring = aligned_alloc(DISK_BLOCK, 3 * FRAME_MAX);
    begin_world(&live);
    taken = 0;
    ids = 0;
    if (ring == NULL || story_open(&story) != DONE || story_first(&story) != DONE) {
        return 1;
    }
    for (uint64_t number = 1; number <= EPOCHS; number++) {
        begin_epoch(number);
        for (size_t count = size_of(number); count > 0; count--) {
            decide(taken++);
        }
        if (is_noted(number)) {
            note(number);
        }
        if (seal_epoch() != DONE) {
            return 1;
        }
    }
    return 0;
}

static int tear_down(void **state)
{
    story_close(&story);
    story_free(&story);
    world_end(&live);
    free(ring);
    disk_sim_free(&disk);
    return 0;
}

/* What the batch holds; rules are not counted. */
static enum outcome apply(const struct fold_batch *batch, uint64_t *applied)
{
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < batch->count; index++) {
        const struct state_accepted *accepted = &batch->accepted[index];
        bool rules = accepted->payment.id_kind == IDENT_NONE;
        for (int step = STATE_FAR; !rules && step <= STATE_NEXT; step++) {
            state_prefetch_accepted(&folded.state, accepted, (enum state_step)step);
        }
        outcome = state_apply_accepted(&folded.state, accepted, &story.fault);
        *applied += outcome == DONE && !rules;
    }
    if (batch->last) {
        assert_true(batch->epoch->without_notes != is_noted(batch->epoch->number));
        assert_true(batch->settled_ms == state_settled_ms(&live.state));
    }
    return outcome;
}

/* Apply up to so many batches; how the last one ended. */
static enum outcome fold(bool beside, uint64_t batches_max, uint64_t *ret_applied)
{
    enum outcome outcome = DONE;

    begin_world(&folded);
    story.place.epoch = 1;
    *ret_applied = 0;
    fold_reader_start(&reader, &story.journal, &story.place, ring, 3 * FRAME_MAX, FRAME_MAX,
                      &folded.state, beside);
    for (uint64_t batches = 0; outcome == DONE && batches < batches_max; batches++) {
        const struct fold_batch *batch = fold_reader_next(&reader);
        const struct fold_batch *next = fold_reader_peek(&reader);
        assert_true(next == NULL || next != batch);
        fold_reader_back(&reader, state_ahead(&folded.state));
        outcome = apply(batch, ret_applied);
        if (outcome == DONE) {
            outcome = batch->outcome;
            story.fault = batch->fault;
        }
    }
    fold_reader_stop(&reader);
    return outcome;
}

static void adds_up_to_what_was_lived(void **state)
{
    for (int beside = 0; beside <= 1; beside++) {
        uint64_t applied;
        assert_int_equal(fold(beside == 1, UINT64_MAX, &applied), LATER);
        assert_int_equal(applied, ids);
        assert_true(state_hash(&folded.state) == state_hash(&live.state));
        world_end(&folded);
    }
}

static void gives_all_before_what_is_damaged_and_then_says_so(void **state)
{
    struct journal_place place = story.place;
    struct epoch damaged;
    char name[DISK_NAME_MAX];

    place.epoch = EPOCHS / 2;
    assert_int_equal(
        journal_read(&story.journal, &place, JOURNAL_DECISIONS, &damaged, &story.fault), DONE);
    segment_name(place.serial, name);
    disk_sim_flip(&disk, name, 8 * (place.offset - DISK_BLOCK));
    journal_place_close(&story.journal, &place);
    for (int beside = 0; beside <= 1; beside++) {
        uint64_t applied;
        assert_int_equal(fold(beside == 1, UINT64_MAX, &applied), BROKEN);
        assert_int_equal(applied, ids_before[EPOCHS / 2]);
        assert_int_equal(story.fault.code, FAULT_JOURNAL_CORRUPT);
        world_end(&folded);
    }
}

/* A few more payments, and then one that cannot be: what is said of it, and after which ids. */
static void refuse(const char *why)
{
    struct decision wrong = newest;

    epoch_add_decision(&epoch, &wrong);
    decide(taken++);
    assert_int_equal(seal_epoch(), DONE);
    for (int beside = 0; beside <= 1; beside++) {
        uint64_t applied;
        assert_int_equal(fold(beside == 1, UINT64_MAX, &applied), BROKEN);
        assert_int_equal(applied, ids_before[EPOCHS + 1] + 3);
        assert_int_equal(story.fault.code, FAULT_JOURNAL_CORRUPT);
        assert_non_null(strstr(story.fault.text, why));
        world_end(&folded);
    }
}

static void begin_wrong_epoch(void)
{
    begin_epoch(EPOCHS + 1);
    taken += 9 - taken % 9; /* No copies among the next. */
    for (int count = 0; count < 3; count++) {
        decide(taken++);
    }
}

static void refuses_an_offset_that_is_decided_after_all_before_it(void **state)
{
    begin_wrong_epoch();
    refuse("the offset is decided already");
}

static void refuses_an_id_that_is_remembered_after_all_before_it(void **state)
{
    begin_wrong_epoch();
    newest.offset++;
    taken++;
    refuse("its id is remembered");
}

static void stops_in_the_middle(void **state)
{
    for (uint64_t batches = 0; batches < 12; batches++) {
        uint64_t applied;
        assert_int_equal(fold(true, batches, &applied), DONE);
        assert_ptr_equal(story.place.buffer, reader.lent.buffer);
        world_end(&folded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(adds_up_to_what_was_lived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_all_before_what_is_damaged_and_then_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_an_offset_that_is_decided_after_all_before_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_an_id_that_is_remembered_after_all_before_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(stops_in_the_middle, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("fold_reader", tests, NULL, NULL);
}
