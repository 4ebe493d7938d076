/*
 * kafka_scenarios: what brokers do to those who read from them and write to them, 25 times.
 *
 * The table is kafka_scenarios_test.c; each function is a cmocka test.
 */
#ifndef TEST_KAFKA_SCENARIOS_H
#define TEST_KAFKA_SCENARIOS_H

/* Brokers that go away, and leaders that move (kafka_scenarios_outage.c). */
void a_broker_down_at_the_start_is_waited_for_and_then_named(void **state);
void a_broker_down_in_mid_fetch_is_read_on_where_it_was(void **state);
void all_brokers_down_for_longer_than_30_s_are_connected_anew_by_itself(void **state);
void brokers_down_at_the_close_hold_nobody_up(void **state);
void a_leader_that_moves_is_followed(void **state);
void a_leader_that_moves_at_the_end_of_the_partition_is_followed(void **state);

/* Brokers that answer with errors, or late (kafka_scenarios_answer.c). */
void a_fetch_that_met_no_leader_three_times_is_asked_again(void **state);
void an_offset_said_to_be_out_of_range_is_looked_for_by_a_new_client(void **state);
void a_topic_said_to_be_unknown_three_times_is_read_on(void **state);
void a_right_taken_away_is_told_once_and_read_on_by_itself_when_it_is_back(void **state);
void a_round_trip_of_500_ms_is_slow_and_nothing_else(void **state);
void metadata_errors_are_waited_out_or_named(void **state);

/* A topic that is not what it was, and the group beside it (kafka_scenarios_cursor.c). */
void a_cursor_below_the_oldest_offset_halts_and_says_how_many_are_gone(void **state);
void a_cursor_past_the_end_halts_and_takes_nothing(void **state);
void another_record_where_ours_stood_halts_and_takes_nothing(void **state);
void a_partition_more_is_read_from_its_beginning_without_a_restart(void **state);
void a_refused_commit_is_told_and_touches_nothing(void **state);
void a_coordinator_that_moves_is_found_again(void **state);

/* The Kafka sink, and what its transactions are answered (kafka_scenarios_sink.c). */
void an_id_refused_for_a_while_is_asked_for_again_and_for_good_it_is_named(void **state);
void too_few_replicas_five_times_are_waited_for(void **state);
void a_right_to_write_taken_away_is_told_and_waited_for(void **state);
void partitions_refused_for_a_transaction_under_way_are_added_later(void **state);
void a_cursor_without_a_coordinator_is_added_later(void **state);
void a_cursor_refused_three_times_for_a_while_is_sent_again(void **state);
void a_commit_whose_end_is_not_known_is_settled_by_the_cursor(void **state);

#endif
