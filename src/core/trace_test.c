#include "test/unit.h"

#include "core/trace.h"

#include <stdlib.h>

enum { TRACES = 2000, EPOCHS_MAX = TRACE_STEPS + 2, TOTALS_KEPT = 128 };

static const struct state_limits limits = {1 << 20, 100};

/* What the engine would have written down at the end of an epoch. */
struct epoch_kept {
    size_t records_end;
    int64_t newest_accepted_ms;
    int64_t settled_ms;
    int64_t watermark_ms;
    struct rules rules;
    struct epoch_range ranges[MODEL_SOURCES];
    struct epoch_total totals[TOTALS_KEPT];
    size_t total_count;
};

struct run {
    struct trace trace;
    struct model model;
    struct world live;
    struct world other; /* Of another key. */
    struct world uncut; /* The same key, and never an epoch's end. */
    uint8_t records[TRACE_STEPS * 1200];
    size_t records_size;
    struct epoch_kept epochs[EPOCHS_MAX]; /* [0]: before the first message. */
    size_t epoch_count;
    int64_t longest_ms; /* Of windows. */
};

static struct run run;

static void record(const struct decision *decision)
{
    struct epoch_kept *open = &run.epochs[run.epoch_count];
    struct fault fault;

    run.records_size += decision_write(decision, run.records + run.records_size);
    assert_true(run.records_size < sizeof(run.records) - DECISION_SIZE_MAX);
    assert_int_equal(state_apply(&run.live.state, decision, &fault), DONE);
    assert_int_equal(state_apply(&run.uncut.state, decision, &fault), DONE);
    if (decision->kind == ACCEPTED && decision->event_ms > open->newest_accepted_ms) {
        open->newest_accepted_ms = decision->event_ms;
    }
    if (decision->kind == NOTE_RULES) {
        open->settled_ms = state_settled_ms(&run.live.state);
    }
}

static void assert_same_judgement(const struct judgement *left, const struct judgement *right)
{
    assert_int_equal(left->verdict, right->verdict);
    assert_int_equal(left->known_id, right->known_id);
    assert_int_equal(left->earlier, right->earlier);
    if (left->verdict == DUPLICATE || left->verdict == CONFLICT) {
        assert_int_equal(left->first_source, right->first_source);
        assert_int_equal(left->first_offset, right->first_offset);
        assert_int_equal(left->first_event_ms, right->first_event_ms);
    }
    assert_int_equal(left->velocity_60s, right->velocity_60s);
    assert_int_equal(left->count_5m, right->count_5m);
    assert_int_equal(left->look_alike_size, right->look_alike_size);
    assert_memory_equal(left->look_alike_of, right->look_alike_of, left->look_alike_size);
}

static void take_message(const struct told *told)
{
    struct message message = world_message(&run.live, told);
    struct judgement found;
    struct decision decision;

    state_judge(&run.live.state, &message, &found);
    struct judgement wanted = model_take(&run.model, told);
    assert_same_judgement(&found, &wanted);
    struct judgement other = world_take(&run.other, told);
    assert_same_judgement(&found, &other);
    assert_int_equal(found.fraud_score, other.fraud_score);
    state_decide(&message, &found, &decision);
    record(&decision);
}

static void skip_message(const struct told *told)
{
    struct decision decision = {.kind = SKIPPED, .source = told->source, .offset = told->offset};
    struct fault fault;

    run.model.sources[told->source].next++;
    run.model.counts[told->source][SKIPPED]++;
    record(&decision);
    assert_int_equal(state_apply(&run.other.state, &decision, &fault), DONE);
}

static void note(const struct decision *decision)
{
    struct fault fault;

    record(decision);
    assert_int_equal(state_apply(&run.other.state, decision, &fault), DONE);
}

static void assert_row_tells(const struct row *row, const struct model_group *group)
{
    assert_int_equal(row->numbers[METRIC_START_MS], group->start_ms);
    assert_int_equal(row->numbers[METRIC_COUNT], group->count);
    assert_int_equal(row->numbers[METRIC_TOTAL_LOW], group->thousandths * 1000000);
    assert_int_equal(row->numbers[METRIC_CLOSED], group->closed);
    assert_int_equal(row->texts[METRIC_REGION].size, strlen(group->region));
    assert_memory_equal(row->texts[METRIC_REGION].at, group->region, strlen(group->region));
    assert_memory_equal(row->texts[METRIC_CURRENCY].at, group->currency, CURRENCY_SIZE);
    struct money least = {row->numbers[METRIC_MIN_UNITS], row->numbers[METRIC_MIN_SCALE]};
    struct money most = {row->numbers[METRIC_MAX_UNITS], row->numbers[METRIC_MAX_SCALE]};
    assert_int_equal(money_compare(least, (struct money){group->least, 3}), 0);
    assert_int_equal(money_compare(most, (struct money){group->most, 3}), 0);
}

static void cut(void)
{
    struct epoch_kept *kept = &run.epochs[run.epoch_count];
    const struct state *state = &run.live.state;
    size_t count = state_metric_count(state);

    assert_int_equal(count, state_metric_count(&run.other.state));
    for (size_t index = 0; index < count; index++) {
        struct row row;
        struct row other;
        state_metric_row(state, index, &row);
        state_metric_row(&run.other.state, index, &other);
        const struct model_group *group = model_touched(&run.model, (int)index);
        assert_non_null(group);
        assert_row_tells(&row, group);
        assert_memory_equal(row.numbers, other.numbers, sizeof(row.numbers));
    }
    assert_null(model_touched(&run.model, (int)count));
    kept->records_end = run.records_size;
    kept->watermark_ms = state->watermark.all_ms;
    kept->rules = state->rules;
    for (size_t number = 0; number < state->source_count; number++) {
        const struct watermark_source *source = &state->watermark.sources[number];
        kept->ranges[number] = (struct epoch_range){.source = (uint32_t)number,
                                                    .standing = source->standing,
                                                    .first = source->next,
                                                    .next = source->next,
                                                    .newest_ms = source->newest_ms};
    }
    kept->total_count = state_total_all_count(state);
    assert_true(kept->total_count <= TOTALS_KEPT);
    for (size_t index = 0; index < kept->total_count; index++) {
        state_total_any(state, index, &kept->totals[index]);
    }
    state_epoch_end(&run.live.state);
    state_epoch_end(&run.other.state);
    model_epoch_end(&run.model);
    run.epochs[++run.epoch_count] =
        (struct epoch_kept){.newest_accepted_ms = INSTANT_NONE, .settled_ms = INSTANT_NONE};
}

static void change_rules(const struct rules *rules)
{
    struct decision decision = {.kind = NOTE_RULES, .text = {rules, sizeof(*rules)}};

    run.longest_ms = rules->window_ms > run.longest_ms ? rules->window_ms : run.longest_ms;
    note(&decision);
    model_rules(&run.model, rules);
}

static void join(uint16_t source)
{
    struct origin origin = {.topic = "payments", .partition = source};
    struct decision decision = {.kind = NOTE_SOURCE,
                                .source = source,
                                .offset = source * 1000U,
                                .text = {&origin, sizeof(origin)}};

    note(&decision);
    model_join(&run.model, source * 1000U);
}

static void begin(uint64_t seed)
{
    struct rules rules;

    world_begin(&run.live, seed * 3, &limits);
    world_begin(&run.uncut, seed * 3, &limits);
    world_begin(&run.other, ~seed, &limits);
    model_begin(&run.model);
    trace_begin(&run.trace, seed, &rules);
    run.records_size = 0;
    run.epoch_count = 0;
    run.longest_ms = 0;
    run.epochs[0] =
        (struct epoch_kept){.newest_accepted_ms = INSTANT_NONE, .settled_ms = INSTANT_NONE};
    for (uint16_t source = 0; source < run.trace.source_count; source++) {
        join(source);
    }
    change_rules(&rules);
    cut();
}

static void end(void)
{
    world_end(&run.live);
    world_end(&run.uncut);
    world_end(&run.other);
}

static void take_step(const struct trace_step *step)
{
    struct decision decision = {.kind = NOTE_START, .event_ms = INSTANT_NONE};

    switch (step->kind) {
    case TRACE_MESSAGE:
        take_message(&step->told);
        return;
    case TRACE_SKIPPED:
        skip_message(&step->told);
        return;
    case TRACE_STAND:
        decision.kind = (uint8_t)step->standing;
        decision.source = step->told.source;
        note(&decision);
        model_stand(&run.model, step->told.source, step->standing == NOTE_ACTIVE);
        return;
    case TRACE_START:
        note(&decision);
        model_start(&run.model);
        return;
    case TRACE_RULES:
        change_rules(&step->rules);
        return;
    case TRACE_CUT:
        cut();
        return;
    }
}

static void play(uint64_t seed)
{
    begin(seed);
    for (int step = 0; step < TRACE_STEPS; step++) {
        struct trace_step next;
        trace_step(&run.trace, &run.model, &next);
        take_step(&next);
        assert_int_equal(run.live.state.watermark.all_ms,
                         run.model.has_watermark ? run.model.watermark_ms : INSTANT_NONE);
    }
    cut();
}

/* Apply the records in [from, end of epoch `last`), ending every epoch where it ended. */
static void fold(struct world *world, size_t first, size_t last)
{
    size_t at = first == 0 ? 0 : run.epochs[first - 1].records_end;

    for (size_t epoch = first; epoch <= last; epoch++) {
        while (at < run.epochs[epoch].records_end) {
            struct decision decision;
            struct fault fault;
            size_t size = decision_read((struct span){run.records + at, run.records_size - at},
                                        &world->state.key, &decision);
            assert_int_not_equal(size, 0);
            assert_int_equal(state_apply(&world->state, &decision, &fault), DONE);
            at += size;
        }
        state_epoch_end(&world->state);
    }
}

static void restore(struct world *world, const struct epoch_kept *kept)
{
    for (uint16_t source = 0; source < run.trace.source_count; source++) {
        struct origin origin = {.topic = "payments", .partition = source};
        struct decision decision = {.kind = NOTE_SOURCE,
                                    .source = source,
                                    .offset = source * 1000U,
                                    .text = {&origin, sizeof(origin)}};
        struct fault fault;
        assert_int_equal(state_apply(&world->state, &decision, &fault), DONE);
    }
    world_rules(world, &kept->rules);
    for (uint16_t source = 0; source < run.trace.source_count; source++) {
        state_restore_range(&world->state, &kept->ranges[source]);
    }
    for (size_t index = 0; index < kept->total_count; index++) {
        assert_true(state_restore_total(&world->state, &kept->totals[index]));
    }
    state_restore_watermark(&world->state, kept->watermark_ms);
}

static bool epoch_alive(const struct epoch_kept *epoch, int64_t watermark_ms, int64_t span_ms)
{
    return (epoch->newest_accepted_ms != INSTANT_NONE &&
            (watermark_ms == INSTANT_NONE || epoch->newest_accepted_ms + span_ms > watermark_ms)) ||
           epoch->settled_ms > watermark_ms;
}

/* The oldest epoch that a fold has to see. */
static size_t seed_epoch(size_t last)
{
    const struct epoch_kept *now = &run.epochs[last];
    int64_t span_ms = VELOCITY_LONG_MS;
    size_t epoch = 1;

    span_ms = now->rules.retention_ms > span_ms ? now->rules.retention_ms : span_ms;
    span_ms = run.longest_ms > span_ms ? run.longest_ms : span_ms;
    while (epoch <= last && !epoch_alive(&run.epochs[epoch], now->watermark_ms, span_ms)) {
        epoch++;
    }
    return epoch;
}

static void judges_random_histories_as_a_slow_model_does(void **state)
{
    for (uint64_t seed = 1; seed <= TRACES; seed++) {
        play(seed);
        end();
    }
}

static void adds_up_to_the_same_wherever_epochs_are_cut(void **state)
{
    for (uint64_t seed = 1; seed <= TRACES / 4; seed++) {
        play(seed);
        assert_int_equal(state_hash(&run.live.state), state_hash(&run.uncut.state));
        end();
    }
}

static void folds_to_the_same_from_the_first_epoch_and_from_the_seed_epoch(void **state)
{
    size_t shorter = 0;

    for (uint64_t seed = 1; seed <= TRACES / 4; seed++) {
        struct world all;
        struct world part;
        play(seed);
        size_t last = run.epoch_count - 1;
        uint64_t wanted = state_hash(&run.live.state);
        world_begin(&all, seed * 3, &limits);
        fold(&all, 0, last);
        assert_int_equal(state_hash(&all.state), wanted);
        size_t first = seed_epoch(last);
        world_begin(&part, seed * 3, &limits);
        restore(&part, &run.epochs[first - 1]);
        fold(&part, first, last);
        assert_int_equal(state_hash(&part.state), wanted);
        shorter += first > 1;
        world_end(&all);
        world_end(&part);
        end();
    }
    assert_true(shorter > TRACES / 16); /* Else the test would say nothing. */
}

static void counts_every_offset_once(void **state)
{
    for (uint64_t seed = 1; seed <= TRACES / 10; seed++) {
        uint64_t counts[MODEL_SOURCES][TALLY_COUNT] = {0};
        play(seed);
        const struct epoch_kept *kept = &run.epochs[run.epoch_count - 1];
        for (size_t index = 0; index < kept->total_count; index++) {
            counts[kept->totals[index].source][kept->totals[index].tally] +=
                kept->totals[index].count;
        }
        for (uint16_t source = 0; source < run.trace.source_count; source++) {
            uint64_t sum = 0;
            for (size_t tally = 0; tally < TALLY_COUNT; tally++) {
                assert_int_equal(counts[source][tally], run.model.counts[source][tally]);
                sum += counts[source][tally];
            }
            assert_int_equal(sum, kept->ranges[source].next - source * 1000U);
        }
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_random_histories_as_a_slow_model_does),
        cmocka_unit_test(adds_up_to_the_same_wherever_epochs_are_cut),
        cmocka_unit_test(folds_to_the_same_from_the_first_epoch_and_from_the_seed_epoch),
        cmocka_unit_test(counts_every_offset_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
