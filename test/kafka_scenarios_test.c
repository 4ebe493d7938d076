/*
 * 25 things that brokers do to those who read from them and write to them, on librdkafka's mock
 * cluster. In each the engine runs over a ledger, and in the end every payment stands there once.
 * With a word for an argument: only those whose name holds it.
 */
#include "test/kafka_scenarios.h"
#include "test/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENARIO(number, name)                                                                     \
    {                                                                                              \
        number " " #name, name, NULL, NULL, NULL                                                   \
    }

static const struct CMUnitTest scenarios[] = {
    SCENARIO("01", a_broker_down_at_the_start_is_waited_for_and_then_named),
    SCENARIO("02", a_broker_down_in_mid_fetch_is_read_on_where_it_was),
    SCENARIO("03", all_brokers_down_for_longer_than_30_s_are_connected_anew_by_itself),
    SCENARIO("04", brokers_down_at_the_close_hold_nobody_up),
    SCENARIO("05", a_leader_that_moves_is_followed),
    SCENARIO("06", a_leader_that_moves_at_the_end_of_the_partition_is_followed),
    SCENARIO("07", a_fetch_that_met_no_leader_three_times_is_asked_again),
    SCENARIO("08", an_offset_said_to_be_out_of_range_is_looked_for_by_a_new_client),
    SCENARIO("09", a_topic_said_to_be_unknown_three_times_is_read_on),
    SCENARIO("10", a_right_taken_away_is_told_once_and_read_on_by_itself_when_it_is_back),
    SCENARIO("11", a_round_trip_of_500_ms_is_slow_and_nothing_else),
    SCENARIO("12", metadata_errors_are_waited_out_or_named),
    SCENARIO("13", a_cursor_below_the_oldest_offset_halts_and_says_how_many_are_gone),
    SCENARIO("14", a_cursor_past_the_end_halts_and_takes_nothing),
    SCENARIO("15", another_record_where_ours_stood_halts_and_takes_nothing),
    SCENARIO("16", a_partition_more_is_read_from_its_beginning_without_a_restart),
    SCENARIO("17", a_refused_commit_is_told_and_touches_nothing),
    SCENARIO("18", a_coordinator_that_moves_is_found_again),
    SCENARIO("19", an_id_refused_for_a_while_is_asked_for_again_and_for_good_it_is_named),
    SCENARIO("20", too_few_replicas_five_times_are_waited_for),
    SCENARIO("21", a_right_to_write_taken_away_is_told_and_waited_for),
    SCENARIO("22", partitions_refused_for_a_transaction_under_way_are_added_later),
    SCENARIO("23", a_cursor_without_a_coordinator_is_added_later),
    SCENARIO("24", a_cursor_refused_three_times_for_a_while_is_sent_again),
    SCENARIO("25", a_commit_whose_end_is_not_known_is_settled_by_the_cursor),
};

enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]), HALF = 8 };
_Static_assert(COUNT == 25, "all of them");

static int run(size_t first, size_t next)
{
    return _cmocka_run_group_tests("scenarios", &scenarios[first], next - first, NULL, NULL);
}

/* What another process says waits in a file until we have said ours. */
static pid_t run_beside(FILE *said, size_t first, size_t next)
{
    pid_t process = fork();

    if (process == 0) {
        bool apart =
            dup2(fileno(said), STDOUT_FILENO) >= 0 && dup2(fileno(said), STDERR_FILENO) >= 0;
        exit(apart ? run(first, next) : EXIT_FAILURE);
    }
    return process;
}

/* They wait more than they do: so the two halves run side by side. */
static int run_halves(void)
{
    FILE *said = tmpfile();
    char line[1000];
    int status = 1;

    if (said == NULL) {
        return EXIT_FAILURE;
    }
    pid_t process = run_beside(said, 0, HALF);
    int failed = run(HALF, COUNT);
    if (process < 0 || waitpid(process, &status, 0) != process) {
        return EXIT_FAILURE;
    }
    rewind(said);
    while (fgets(line, sizeof(line), said) != NULL) {
        (void)fputs(line, stderr);
    }
    (void)fclose(said);
    return failed == 0 && status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **words)
{
    char pattern[80];

    if (count > 1) {
        (void)snprintf(pattern, sizeof(pattern), "*%.70s*", words[1]);
        cmocka_set_test_filter(pattern);
        return run(0, COUNT);
    }
    return run_halves();
}
