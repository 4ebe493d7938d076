#include "cmd/simulate_parts.h"

#include "cmd/say.h"
#include "cmd/simulate_scenario.h"
#include "os/clock.h"

#include <string.h>

static void take_number(const struct simulate_words *words, enum simulate_option option,
                        uint64_t *value)
{
    if (words->values[option - OPTION_OWN] >= 0) {
        *value = (uint64_t)words->values[option - OPTION_OWN];
    }
}

static void take_numbers(const struct simulate_words *words, struct simulator_settings *simulator)
{
    uint64_t out_of_order_ms = (uint64_t)simulator->out_of_order_ms;
    uint64_t lateness_ms = (uint64_t)simulator->lateness_ms;
    uint64_t accounts = simulator->mint.account_count;
    int64_t duration_ms = words->values[SIMULATE_DURATION - OPTION_OWN];

    take_number(words, SIMULATE_COUNT, &simulator->count);
    take_number(words, SIMULATE_RATE, &simulator->rate);
    take_number(words, SIMULATE_SEED, &simulator->mint.seed);
    take_number(words, SIMULATE_DUPLICATES, &simulator->duplicates);
    take_number(words, SIMULATE_CONFLICTS, &simulator->conflicts);
    take_number(words, SIMULATE_LATE, &simulator->late);
    take_number(words, SIMULATE_FUTURE, &simulator->future);
    take_number(words, SIMULATE_BROKEN, &simulator->broken);
    take_number(words, SIMULATE_OUT_OF_ORDER, &out_of_order_ms);
    take_number(words, SIMULATE_LATENESS, &lateness_ms);
    take_number(words, SIMULATE_ACCOUNTS, &accounts);
    simulator->out_of_order_ms = (int64_t)out_of_order_ms;
    simulator->lateness_ms = (int64_t)lateness_ms;
    simulator->mint.account_count = (uint32_t)accounts;
    if (words->copies[0] >= 0) {
        simulator->copies_min = (uint64_t)words->copies[0];
        simulator->copies_max = (uint64_t)words->copies[1];
    }
    if (words->after_ms[0] >= 0) {
        simulator->after_min_ms = words->after_ms[0];
        simulator->after_max_ms = words->after_ms[1];
    }
    if (duration_ms >= 0) {
        simulator->count = (uint64_t)duration_ms / 1000 * simulator->rate +
                           (uint64_t)duration_ms % 1000 * simulator->rate / 1000;
    }
}

static bool fit_clock(struct simulate_words *words)
{
    struct simulate_request *ask = words->request;
    struct simulator_settings *simulator = &ask->simulator;
    bool live = ask->to_stdout || ask->kafka.wanted;
    const char *clock = words->clock != NULL ? words->clock : live ? "real" : "virtual";

    ask->real_clock = strcmp(clock, "real") == 0;
    if (!ask->real_clock && strcmp(clock, "virtual") != 0) {
        (void)say_usage("simulate", "--clock \"%s\": real or virtual is expected", clock);
        return false;
    }
    if (words->start_given && ask->real_clock) {
        if (words->clock != NULL) {
            (void)say_usage("simulate", "--start: with --clock real the first payment is now");
            return false;
        }
        ask->real_clock = false;
    }
    if (ask->real_clock) {
        simulator->start_ms = clock_wall_ms(&clock_real);
    }
    uint64_t seconds = simulator->count / simulator->rate;
    if (seconds > (uint64_t)(YEARS_MAX_MS / 1000) ||
        simulator->start_ms < simulator_start_least_ms(simulator) ||
        simulator->start_ms + (int64_t)seconds * 1000 + simulator->after_max_ms >=
            simulator->future_start_ms) {
        (void)say_usage("simulate", "not all of the payments would happen between 2000 and 2099");
        return false;
    }
    return true;
}

/* Whose offsets are set back: payonce's, as its settings have it by default. */
static bool fit_group(struct simulate_kafka *kafka)
{
    if (kafka->group != NULL && (kafka->set_back == 0 || kafka->group[0] == '\0')) {
        (void)say_usage("simulate", "--group NAME is for --scenario consumer-crash");
        return false;
    }
    if (kafka->group == NULL) {
        kafka->group = "payonce-payments";
    }
    return true;
}

static bool fit_scenario(struct simulate_words *words)
{
    struct simulate_request *ask = words->request;
    const char *name = words->scenario;

    if ((ask->kafka.property_count > 0 || ask->kafka.password_file != NULL) && !ask->kafka.wanted) {
        (void)say_usage("simulate", "--property and --password-file are for --to kafka://");
        return false;
    }
    if (name == NULL) {
        return true;
    }
    if (!scenario_apply(name, ask)) {
        (void)say_usage("simulate", "--scenario \"%s\": one of %s", name, scenario_names);
        return false;
    }
    if (scenario_needs_kafka(name) && !ask->kafka.wanted) {
        (void)say_usage("simulate",
                        "--scenario %s: a broker is part of it; --to kafka:// is needed", name);
        return false;
    }
    return true;
}

bool simulate_fit(struct simulate_words *words)
{
    struct simulate_request *ask = words->request;
    struct simulator_settings *simulator = &ask->simulator;

    if (words->values[SIMULATE_COUNT - OPTION_OWN] >= 0 &&
        words->values[SIMULATE_DURATION - OPTION_OWN] >= 0) {
        (void)say_usage("simulate", "either --count or --duration");
        return false;
    }
    if (!fit_scenario(words) || !fit_group(&ask->kafka)) {
        return false;
    }
    take_numbers(words, simulator);
    if (simulator->late + simulator->future + simulator->broken > ALL_OF_THEM) {
        (void)say_usage("simulate", "--late, --future and --broken together are more than 100%%");
        return false;
    }
    ask->to_stdout = words->output_count == 0 && !ask->kafka.wanted;
    simulator->output_count = words->output_count == 0 ? 1 : words->output_count;
    return fit_clock(words);
}
