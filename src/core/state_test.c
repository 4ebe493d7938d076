#include "test/unit.h"

#include "core/world.h"

#define BASE INT64_C(1750000000000)

static const struct state_limits limits = {1 << 20, 100};

static void begin(struct world *world)
{
    struct rules rules;

    rules_default(&rules);
    world_begin(world, 5, &limits);
    world_rules(world, &rules);
    world_join(world, 0, 10);
    world_join(world, 1, 0);
}

static struct told told_of(uint64_t offset, const char *id)
{
    return (struct told){.offset = offset, .id = id, .event_ms = BASE};
}

/* A record that the state must refuse without a change; what its fault says. */
static const char *refusal(struct world *world, const struct decision *decision)
{
    static struct fault fault;
    uint64_t before = state_hash(&world->state);

    fault.code = FAULT_NONE;
    assert_int_equal(state_apply(&world->state, decision, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_JOURNAL_CORRUPT);
    assert_int_equal(state_hash(&world->state), before);
    return fault.text;
}

static struct decision accepted(const struct world *world, uint64_t offset, const char *id)
{
    static struct message message;
    struct told told = told_of(offset, id);
    struct judgement judgement;
    struct decision decision;

    message = world_message(world, &told);
    state_judge(&world->state, &message, &judgement);
    state_decide(&message, &judgement, &decision);
    return decision;
}

static void refuses_a_message_that_cannot_be_the_next(void **state)
{
    struct world world;
    struct told told = told_of(10, "paid");

    begin(&world);
    struct decision decision = accepted(&world, 10, "fresh");
    decision.source = 2;
    assert_non_null(strstr(refusal(&world, &decision), "has not joined"));
    decision.source = 0;
    decision.offset = 9;
    assert_non_null(strstr(refusal(&world, &decision), "decided already"));
    decision.offset = OFFSET_MAX + 1;
    assert_non_null(strstr(refusal(&world, &decision), "no offset"));
    decision.offset = 10;
    decision.kind = SKIPPED + 1;
    assert_non_null(strstr(refusal(&world, &decision), "no such kind"));
    decision.kind = ACCEPTED;
    decision.event_ms = INSTANT_MAX_MS;
    assert_non_null(strstr(refusal(&world, &decision), "time or amount"));
    decision.event_ms = BASE;
    decision.scale = MONEY_SCALE_MAX + 1;
    assert_non_null(strstr(refusal(&world, &decision), "time or amount"));
    decision.scale = 0;
    decision.id_kind = IDENT_NONE;
    assert_non_null(strstr(refusal(&world, &decision), "its id is none"));
    (void)world_take(&world, &told);
    decision = accepted(&world, 11, "paid");
    decision.kind = ACCEPTED;
    decision.id_kind = IDENT_SHORT;
    decision.id = world_message(&world, &told).payment.id;
    decision.id_hash = world_message(&world, &told).payment.id_hash;
    assert_non_null(strstr(refusal(&world, &decision), "remembered"));
    decision = accepted(&world, 11, "other");
    decision.event_ms = BASE - world.state.rules.lateness_ms;
    assert_non_null(strstr(refusal(&world, &decision), "watermark"));
    world_end(&world);
}

static void refuses_a_note_that_cannot_follow(void **state)
{
    struct world world;
    struct origin origin = {.topic = "topic-1", .partition = 1};
    struct rules rules;
    struct decision note = {.kind = NOTE_IDLE, .source = 2};

    begin(&world);
    assert_non_null(strstr(refusal(&world, &note), "has not joined"));
    note = (struct decision){.kind = NOTE_END};
    assert_non_null(strstr(refusal(&world, &note), "no such kind"));
    note = (struct decision){.kind = NOTE_SOURCE, .source = 2, .text = {&origin, sizeof(origin)}};
    assert_non_null(strstr(refusal(&world, &note), "known already"));
    origin.partition = 2;
    note.source = 3;
    assert_non_null(strstr(refusal(&world, &note), "not the next"));
    note.source = 2;
    note.text.size--;
    assert_non_null(strstr(refusal(&world, &note), "no origin"));
    rules_default(&rules);
    rules.lateness_ms = -1;
    note = (struct decision){.kind = NOTE_RULES, .text = {&rules, sizeof(rules)}};
    assert_non_null(strstr(refusal(&world, &note), "cannot be"));
    rules.lateness_ms = 0;
    rules.window_ms = 0;
    assert_non_null(strstr(refusal(&world, &note), "cannot be"));
    note = (struct decision){.kind = NOTE_GAP, .offset = 9, .event_ms = 12};
    assert_non_null(strstr(refusal(&world, &note), "not a range"));
    note = (struct decision){.kind = NOTE_GAP, .offset = 12, .event_ms = 12};
    assert_non_null(strstr(refusal(&world, &note), "not a range"));
    world_end(&world);
}

/* count and sum in billionths of a total, "-" if there is none. */
static const char *total_of(const struct world *world, uint32_t source, uint8_t tally,
                            const char *currency)
{
    static char text[64];

    for (size_t index = 0; index < state_total_all_count(&world->state); index++) {
        struct epoch_total total;
        state_total_any(&world->state, index, &total);
        if (total.source == source && total.tally == tally &&
            memcmp(total.currency, currency, CURRENCY_SIZE) == 0) {
            (void)snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)total.count,
                           (unsigned long long)total.sum_low);
            return text;
        }
    }
    return "-";
}

static void counts_gaps_and_offsets_nobody_showed(void **state)
{
    static const char none[CURRENCY_SIZE];
    struct world world;
    struct fault fault;
    struct told told = told_of(13, "late in coming"); /* 10, 11 and 12 were markers. */
    struct decision gap = {.kind = NOTE_GAP, .offset = 20, .event_ms = 50};

    begin(&world);
    (void)world_take(&world, &told);
    assert_int_equal(state_apply(&world.state, &gap, &fault), DONE);
    assert_string_equal(total_of(&world, 0, SKIPPED, none), "9 0");
    assert_string_equal(total_of(&world, 0, TALLY_GAP, none), "30 0");
    assert_string_equal(total_of(&world, 0, ACCEPTED, "USD"), "1 100000000000");
    assert_int_equal(world.state.watermark.sources[0].next, 50);
    world_end(&world);
}

static void adds_up_money_by_verdict_and_currency_in_128_bits(void **state)
{
    static const char none[CURRENCY_SIZE];
    struct world world;
    struct told told = told_of(0, NULL);
    char id[32];

    begin(&world);
    told.source = 1;
    told.id = id;
    told.units = INT64_MAX;
    for (int count = 0; count < 3; count++) {
        (void)snprintf(id, sizeof(id), "huge-%d", count);
        (void)world_take(&world, &told);
        told.offset++;
    }
    struct epoch_total total;
    assert_int_equal(state_total_count(&world.state), 1);
    state_total(&world.state, 0, &total);
    money_wide wanted = (money_wide)INT64_MAX * 1000000000 * 3;
    assert_memory_equal(&total.sum_low, &wanted, sizeof(wanted));
    told.currency = "EUR"; /* Of an id that was paid in USD. */
    assert_int_equal(world_take(&world, &told).verdict, CONFLICT);
    told.offset++;
    told.invalid = true;
    (void)world_take(&world, &told);
    assert_int_equal(state_total_count(&world.state), 3);
    assert_string_equal(total_of(&world, 1, INVALID, none), "1 0");
    state_epoch_end(&world.state);
    assert_int_equal(state_total_count(&world.state), 0);
    assert_int_equal(state_total_all_count(&world.state), 3);
    world_end(&world);
}

static void keeps_no_rejected_id(void **state)
{
    struct world world;
    struct told told = {.offset = 10, .id = "clock", .event_ms = BASE};

    begin(&world);
    world_note(&world, NOTE_IDLE, 1);
    (void)world_take(&world, &told);
    told = (struct told){.offset = 11, .id = "retry", .event_ms = BASE - 3600000};
    assert_int_equal(world_take(&world, &told).verdict, LATE);
    told =
        (struct told){.offset = 12, .id = "retry", .event_ms = BASE + 300001, .arrival_ms = BASE};
    assert_int_equal(world_take(&world, &told).verdict, FUTURE);
    told = (struct told){.offset = 13, .id = "retry", .event_ms = BASE};
    assert_int_equal(world_take(&world, &told).verdict, ACCEPTED);
    told = (struct told){.offset = 14, .id = "retry", .event_ms = BASE - 1, .units = 7};
    struct judgement judgement = world_take(&world, &told);
    assert_int_equal(judgement.verdict, CONFLICT);
    assert_int_equal(judgement.first_offset, 13);
    told = (struct told){.offset = 15, .id = "retry", .event_ms = BASE - 1};
    judgement = world_take(&world, &told); /* The first content stays. */
    assert_int_equal(judgement.verdict, DUPLICATE);
    assert_true(judgement.earlier);
    told = (struct told){.offset = 16, .id = "retry", .event_ms = BASE - 3600000};
    judgement = world_take(&world, &told);
    assert_int_equal(judgement.verdict, LATE);
    assert_true(judgement.known_id);
    world_end(&world);
}

static void leaves_forgotten_what_was_forgotten_when_retention_grows(void **state)
{
    struct world world;
    struct rules rules;
    struct told told = {.offset = 10, .id = "paid", .event_ms = BASE};

    begin(&world);
    world_note(&world, NOTE_IDLE, 1);
    rules = world.state.rules;
    rules.retention_ms = 0;
    rules.lateness_ms = 0;
    world_rules(&world, &rules);
    (void)world_take(&world, &told); /* Forgotten at once. */
    rules.retention_ms = 1000000;
    world_rules(&world, &rules);
    told.offset++;
    told.event_ms++;
    assert_int_equal(world_take(&world, &told).verdict, ACCEPTED);
    world_end(&world);
}

/* Pay until it is full; the message that found no room, and what was said. */
static void fill(struct world *world, struct told *told, char *id, size_t id_size,
                 struct fault *ret_fault)
{
    for (enum outcome outcome = DONE; outcome == DONE; told->offset++) {
        struct judgement judgement;
        struct decision decision;
        (void)snprintf(id, id_size, "p%llu", (unsigned long long)told->offset);
        told->event_ms = BASE + (int64_t)told->offset;
        struct message message = world_message(world, told);
        state_judge(&world->state, &message, &judgement);
        state_decide(&message, &judgement, &decision);
        outcome = state_apply(&world->state, &decision, ret_fault);
        if (outcome != DONE) { /* Once more: nothing that can be seen changes. */
            uint64_t before = state_hash(&world->state);
            assert_int_equal(state_apply(&world->state, &decision, ret_fault), BROKEN);
            assert_int_equal(state_hash(&world->state), before);
            assert_int_equal(world->state.watermark.sources[0].next, told->offset);
        }
    }
    told->offset--;
}

static void names_the_memory_the_data_needs_when_it_is_full(void **state)
{
    struct world world;
    struct fault fault = {.code = FAULT_NONE};
    char id[32];
    struct told told = {.offset = 10, .id = id, .sender = "ann"};

    begin(&world);
    fill(&world, &told, id, sizeof(id), &fault);
    assert_int_equal(fault.code, FAULT_STATE_FULL);
    assert_non_null(strstr(fault.text, "ids"));
    assert_non_null(strstr(fault.next, "MiB"));
    /* Time goes on (in both sources), ids are forgotten, and there is room again. */
    told.event_ms += 3 * 3600000;
    world_note(&world, NOTE_IDLE, 1);
    struct told clock = {
        .source = 1, .offset = 0, .id = "p11", .sender = "ann", .event_ms = told.event_ms};
    assert_int_equal(world_take(&world, &clock).verdict, DUPLICATE);
    world_note(&world, NOTE_IDLE, 0);
    assert_int_equal(world_take(&world, &told).verdict, ACCEPTED);
    world_end(&world);
}

enum { ROWS = 200 };

/* Pay so many times, a minute after another; what was decided. */
static void pay_rows(struct world *world, struct decision *ret_decisions)
{
    char id[32];

    for (uint64_t number = 0; number < ROWS; number++) {
        struct told told = {.offset = 10 + number, .id = id, .sender = "ann"};
        struct judgement judgement;
        struct fault fault;
        (void)snprintf(id, sizeof(id), "p%llu", (unsigned long long)number);
        told.event_ms = BASE + (int64_t)number * 60000;
        struct message message = world_message(world, &told);
        state_judge(&world->state, &message, &judgement);
        state_decide(&message, &judgement, &ret_decisions[number]);
        assert_int_equal(state_apply(&world->state, &ret_decisions[number], &fault), DONE);
        state_epoch_end(&world->state);
    }
}

static void restore_standing(struct world *to, const struct world *from)
{
    for (uint32_t source = 0; source < 2; source++) {
        const struct watermark_source *stands = &from->state.watermark.sources[source];
        struct epoch_range range = {.source = source,
                                    .standing = stands->standing,
                                    .first = stands->next,
                                    .next = stands->next,
                                    .newest_ms = stands->newest_ms};
        state_restore_range(&to->state, &range);
    }
    for (size_t index = 0; index < state_total_all_count(&from->state); index++) {
        struct epoch_total total;
        state_total_any(&from->state, index, &total);
        assert_true(state_restore_total(&to->state, &total));
    }
    state_restore_watermark(&to->state, from->state.watermark.all_ms);
}

static void rebuilds_ids_senders_and_windows_from_a_ledger_s_rows(void **state)
{
    static struct decision decisions[ROWS];
    struct world live;
    struct world seeded;
    struct fault fault;

    begin(&live);
    begin(&seeded);
    world_note(&live, NOTE_IDLE, 1);
    pay_rows(&live, decisions);
    restore_standing(&seeded, &live);
    for (uint64_t number = 20; number < ROWS; number++) { /* The first ones are long dead. */
        assert_int_equal(state_seed(&seeded.state, &decisions[number], &fault), DONE);
    }
    state_epoch_end(&seeded.state);
    assert_int_equal(state_hash(&seeded.state), state_hash(&live.state));
    assert_int_equal(state_seed(&seeded.state, &decisions[ROWS - 1], &fault), BROKEN);
    world_end(&live);
    world_end(&seeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_message_that_cannot_be_the_next),
        cmocka_unit_test(refuses_a_note_that_cannot_follow),
        cmocka_unit_test(counts_gaps_and_offsets_nobody_showed),
        cmocka_unit_test(adds_up_money_by_verdict_and_currency_in_128_bits),
        cmocka_unit_test(keeps_no_rejected_id),
        cmocka_unit_test(leaves_forgotten_what_was_forgotten_when_retention_grows),
        cmocka_unit_test(names_the_memory_the_data_needs_when_it_is_full),
        cmocka_unit_test(rebuilds_ids_senders_and_windows_from_a_ledger_s_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
