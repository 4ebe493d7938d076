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
static void take(uint64_t number)
{
    char id[24];
    char sender[16];
    struct judgement judgement;
    struct decision decision;
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
    state_decide(&message, &judgement, &decision);
    assert_int_equal(state_apply(&live.state, &decision, &story.fault), DONE);
    epoch_add_decision(&epoch, &decision);
}

static bool is_noted(uint64_t number)
{
    return number % 7 == 3;
}

/* All that it says is alive already. */
static void note(void)
{
    struct decision start = {.kind = NOTE_START};

    assert_int_equal(state_apply(&live.state, &start, &story.fault), DONE);
    epoch_add_decision(&epoch, &start);
}

/* From one record to several batches' worth. */
static size_t size_of(uint64_t number)
{
    return number % 5 == 0 ? 1 : number * 37 % (3 * FOLD_BATCH) + 1;
}

static int set_up(void **state)
{
    disk_sim_init(&disk);
    story_init(&story);
    story.disk = &disk.disk;
    ring = aligned_alloc(DISK_BLOCK, 3 * FRAME_MAX);
    begin_world(&live);
    taken = 0;
    if (ring == NULL || story_open(&story) != DONE || story_first(&story) != DONE) {
        return 1;
    }
    for (uint64_t number = 1; number <= EPOCHS; number++) {
        epoch = (struct epoch){.number = number,
                               .prev_chain = story.journal.last_chain,
                               .seed_epoch = 1,
                               .decisions = {decisions, 0, sizeof(decisions)}};
        for (size_t count = size_of(number); count > 0; count--) {
            take(taken++);
        }
        if (is_noted(number)) {
            note();
        }
        state_epoch_end(&live.state);
        story_snapshot(&story, number - 1);
        story.snapshot.chain = story.journal.last_chain;
        if (journal_seal(&story.journal, &epoch, &story.snapshot, &story.fault) != DONE) {
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
        for (size_t index = 0; index < batch->count; index++) {
            assert_int_equal(state_apply(&folded.state, &batch->decisions[index], &story.fault),
                             DONE);
            *ret_applied += !decision_is_note(&batch->decisions[index]);
        }
        if (batch->last) {
            assert_true(batch->epoch->without_notes != is_noted(batch->epoch->number));
            state_epoch_end(&folded.state);
        }
        outcome = batch->outcome;
        story.fault = batch->fault;
    }
    fold_reader_stop(&reader);
    return outcome;
}

static void adds_up_to_what_was_lived(void **state)
{
    for (int beside = 0; beside <= 1; beside++) {
        uint64_t applied;
        assert_int_equal(fold(beside == 1, UINT64_MAX, &applied), LATER);
        assert_int_equal(applied, taken);
        assert_true(state_hash(&folded.state) == state_hash(&live.state));
        world_end(&folded);
    }
}

static void gives_all_before_what_is_damaged_and_then_says_so(void **state)
{
    struct journal_place place = story.place;
    struct epoch damaged;
    char name[DISK_NAME_MAX];
    uint64_t before = 0;

    for (uint64_t number = 1; number < EPOCHS / 2; number++) {
        before += size_of(number);
    }
    place.epoch = EPOCHS / 2;
    assert_int_equal(
        journal_read(&story.journal, &place, JOURNAL_DECISIONS, &damaged, &story.fault), DONE);
    segment_name(place.serial, name);
    disk_sim_flip(&disk, name, 8 * (place.offset - DISK_BLOCK));
    journal_place_close(&story.journal, &place);
    for (int beside = 0; beside <= 1; beside++) {
        uint64_t applied;
        assert_int_equal(fold(beside == 1, UINT64_MAX, &applied), BROKEN);
        assert_int_equal(applied, before);
        assert_int_equal(story.fault.code, FAULT_JOURNAL_CORRUPT);
        world_end(&folded);
    }
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
        cmocka_unit_test_setup_teardown(stops_in_the_middle, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("fold_reader", tests, NULL, NULL);
}
