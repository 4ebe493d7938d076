/* Transactions on real brokers: what a mock cluster knows nothing of. */
#include "test/unit.h"

#include "test/kafka/network.h"
#include "test/kafka/transact_place.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WHILE_MS = 1000, /* In which what was written is with the brokers. */
    PATIENCE = 20,
};

/* In a process of its own, for there is no other way to be gone without a word. */
static void who_dies_in_mid_transaction_leaves_nothing_and_the_old_cursor(void **state)
{
    struct place *place = place_make(NULL);
    int ready[2];
    char word;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        place_take_over(place);
        bool applied = place_deliver(place, "one", 1) == KAFKA_APPLIED;
        kafka_transactor_begin(place->transactor);
        place_write(place, "two");
        place_nap(WHILE_MS); /* They are with the brokers by then. */
        (void)!write(ready[1], applied ? "y" : "n", 1);
        (void)pause();
    }
    assert_int_equal(read(ready[0], &word, 1), 1);
    assert_int_equal(word, 'y');
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    place_take_over(place);
    place_assert_cursor(place, 1, "one");
    assert_int_equal(place_see(place), PLACE_ROWS);
    assert_int_equal(place_deliver(place, "again", 2), KAFKA_APPLIED);
    assert_int_equal(place_see(place), 2 * PLACE_ROWS);
    place_let_go(place);
    place_end(place);
}

static void what_is_committed_is_seen_whole(void **state)
{
    struct place *place = place_make(NULL);
    const struct kafka_outgoing tombstone = {.key = {"foobar", 6}};
    size_t tombstones = 0;

    place_take_over(place);
    assert_false(place->cursor.exists);
    kafka_transactor_begin(place->transactor);
    place_write(place, "row");
    kafka_transactor_write(place->transactor, &tombstone);
    assert_int_equal(place_finish(place, 7, "payonce1 journal=0 chain=1"), KAFKA_APPLIED);
    assert_int_equal(place_see(place), PLACE_ROWS + 1);
    for (size_t index = 0; index < PLACE_ROWS + 1; index++) {
        const struct committed_record *record = &place->seen[index];
        if (record->tombstone) {
            assert_string_equal(record->key, "foobar");
            assert_int_equal(record->partition, 0); /* As Java's murmur2 has it. */
            tombstones++;
        } else {
            char value[COMMITTED_TEXT_SIZE];
            int number = atoi(record->key + strlen("row-"));
            (void)snprintf(value, sizeof(value), "row-value-%d", number);
            assert_string_equal(record->value, value);
            assert_string_equal(record->headers, "first=row second=2");
            assert_int_equal(record->stamp_ms, place->made_ms + number);
        }
    }
    assert_int_equal(tombstones, 1);
    place_let_go(place);
    assert_int_equal(place_open(place, false), DONE); /* Whoever only looks disturbs nobody. */
    place_assert_cursor(place, 7, "payonce1 journal=0 chain=1");
    place_let_go(place);
    place_end(place);
}

static void a_cursor_in_an_open_transaction_is_waited_for(void **state)
{
    struct place *place = place_make(NULL);

    assert_int_equal(place_open(place, false), DONE);
    topic_commit_offset(&place->topic, place->topic.name, 0, 3); /* By somebody without a text. */
    place_assert_cursor(place, 3, "");
    struct transaction_open *open =
        topic_offset_in_transaction(&place->topic, place->topic.name, 4, "line\tfeed");
    assert_int_equal(place_read_cursor(place), LATER);
    assert_int_equal(place->fault.code, FAULT_KAFKA_UNREACHABLE);
    topic_commit(open);
    place_assert_cursor(place, 4, "line\\x09feed");
    place_let_go(place);
    place_end(place);
}

static void what_is_aborted_is_never_seen(void **state)
{
    static char large[2 << 20];
    const struct kafka_outgoing record = {.key = {"k", 1}, .value = {large, sizeof(large)}};
    struct place *place = place_make(NULL);

    place_take_over(place);
    assert_int_equal(place_deliver(place, "one", 1), KAFKA_APPLIED);
    kafka_transactor_begin(place->transactor);
    place_write(place, "two");
    place_nap(WHILE_MS); /* The first are with the brokers already. */
    kafka_transactor_write(place->transactor, &record);
    assert_int_equal(place_finish(place, 2, "two"), KAFKA_NOT_APPLIED);
    assert_int_equal(place->outcome, REFUSED);
    place_assert_cursor(place, 1, "one");
    assert_int_equal(place_see(place), PLACE_ROWS);
    place_let_go(place);
    place_take_over(place);
    place_assert_cursor(place, 1, "one");
    assert_int_equal(place_deliver(place, "three", 3), KAFKA_APPLIED);
    place_assert_cursor(place, 3, "three");
    assert_int_equal(place_see(place), 2 * PLACE_ROWS);
    place_let_go(place);
    place_end(place);
}

static void a_record_that_the_topic_finds_too_large_is_told(void **state)
{
    static char large[200000];
    struct kafka_outgoing record = {.key = {"k", 1}, .value = {large, sizeof(large)}};
    struct place *place = place_make(NULL);
    char words[TOPIC_NAME_SIZE + 64];

    for (size_t index = 0; index < sizeof(large); index++) {
        large[index] = (char)rand(); /* So that it does not become small. */
    }
    topic_delete(&place->topic);
    (void)snprintf(words, sizeof(words), "%s-small 3 max.message.bytes=100000", place->topic.name);
    network_brokers_do("topic", words);
    (void)snprintf(place->topic.name + strlen(place->topic.name), 7, "-small");
    place_take_over(place);
    kafka_transactor_begin(place->transactor);
    place_write(place, "one");
    kafka_transactor_write(place->transactor, &record);
    assert_int_equal(place_finish(place, 1, "one"), KAFKA_NOT_APPLIED);
    assert_int_equal(place->outcome, REFUSED);
    assert_non_null(strstr(place->fault.text, "too large"));
    assert_int_equal(place_see(place), 0);
    assert_int_equal(place_deliver(place, "two", 2), KAFKA_ASK_AGAIN); /* Not with this client. */
    place_let_go(place);
    place_take_over(place);
    assert_false(place->cursor.exists);
    assert_int_equal(place_deliver(place, "two", 2), KAFKA_APPLIED);
    assert_int_equal(place_see(place), PLACE_ROWS);
    place_let_go(place);
    place_end(place);
}

/* The first of two, in each place where the second may come in between. */
static void who_is_fenced_is_shut_out_and_moves_nothing(void **state)
{
    struct place *place = place_make(NULL);
    struct place other = {.topic = place->topic, .client = place->client};

    for (int when = 0; when < 3; when++) {
        uint64_t before = (uint64_t)when * 2;
        place_take_over(place);
        assert_int_equal(place->cursor.offset, before);
        assert_int_equal(place_deliver(place, "first", before + 1), KAFKA_APPLIED);
        if (when > 0) {
            kafka_transactor_begin(place->transactor);
            place_write(place, "late");
        }
        if (when > 1) {
            place_nap(WHILE_MS); /* They are with the brokers already. */
        }
        place_take_over(&other);
        place_assert_cursor(&other, before + 1, "first");
        if (when == 0) {
            kafka_transactor_begin(place->transactor);
            place_write(place, "late");
        }
        assert_int_equal(place_finish(place, 99, "late"), KAFKA_SHUT_OUT);
        assert_int_equal(place->fault.code, FAULT_FENCED);
        place_assert_cursor(&other, before + 1, "first");
        kafka_transactor_begin(other.transactor);
        assert_int_equal(place_finish(&other, before + 2, "second"), KAFKA_APPLIED);
        place_assert_cursor(&other, before + 2, "second");
        assert_int_equal(place_see(place), (size_t)(when + 1) * PLACE_ROWS);
        place_let_go(place);
        place_let_go(&other);
    }
    place_end(place);
}

static void a_topic_that_is_not_there_is_refused_and_not_created(void **state)
{
    struct place *place = place_make(NULL);

    topic_delete(&place->topic);
    place_nap(WHILE_MS);
    assert_int_equal(place_open(place, true), REFUSED);
    assert_int_equal(place->fault.code, FAULT_KAFKA_TOPIC);
    place_let_go(place);
    assert_int_equal(place_open(place, true), REFUSED);
    place_let_go(place);
    place_end(place);
}

static void a_topic_deleted_meanwhile_is_refused(void **state)
{
    struct place *place = place_make(NULL);

    place_take_over(place);
    assert_int_equal(place_deliver(place, "one", 1), KAFKA_APPLIED);
    topic_delete(&place->topic);
    place_nap(WHILE_MS);
    assert_int_equal(place_deliver(place, "two", 2), KAFKA_NOT_APPLIED);
    assert_int_equal(place->outcome, REFUSED);
    assert_int_equal(place->fault.code, FAULT_KAFKA_TOPIC);
    place_let_go(place);
    place_end(place);
}

static void allow(struct place *place, const char *operation, const char *kind)
{
    char words[2 * TOPIC_NAME_SIZE];

    (void)snprintf(words, sizeof(words), "payonce %s %s %s", operation, kind, place->topic.name);
    network_brokers_do("allow", words);
    place_nap(WHILE_MS / 2);
}

/* As far as the rights let it: open, read, fence, deliver. */
static enum outcome try_all(struct place *place)
{
    enum outcome outcome = place_open(place, true);

    if (outcome == DONE) {
        outcome = place_read_cursor(place);
    }
    if (outcome == DONE) {
        outcome = kafka_transactor_fence(place->transactor, &place->fault);
    }
    if (outcome == DONE) {
        enum kafka_end end = place_deliver(place, "one", 1);
        assert_true(end == KAFKA_APPLIED || end == KAFKA_NOT_APPLIED);
        outcome = end == KAFKA_APPLIED ? DONE : place->outcome;
    }
    place_let_go(place);
    return outcome;
}

/* All that it takes; in the order in which they are missed. */
static void each_right_that_is_missing_is_told(void **state)
{
    static const char *const rights[][2] = {
        {"describe", "topic"},         {"read", "group"},  {"describe", "transactional_id"},
        {"write", "transactional_id"}, {"write", "topic"}, {"read", "topic"},
    };

    if (getenv("KAFKA_SASL") == NULL) {
        skip();
    }
    (void)setenv("PAYONCE_TEST_PASSWORD", "payonce-secret", 1);
    struct place *place = place_make(getenv("KAFKA_SASL"));
    place->client.protocol = "sasl_plaintext";
    place->client.mechanism = "PLAIN";
    place->client.username = "payonce";
    place->client.password.variable = "PAYONCE_TEST_PASSWORD";
    for (size_t index = 0; index < sizeof(rights) / sizeof(rights[0]); index++) {
        place->fault = (struct fault){0};
        assert_int_equal(try_all(place), REFUSED);
        assert_int_equal(place->fault.code, FAULT_KAFKA_NOT_ALLOWED);
        allow(place, rights[index][0], rights[index][1]);
    }
    enum outcome outcome = REFUSED; /* The brokers hear of a right some time after it was given. */
    for (int patience = PATIENCE; outcome == REFUSED && patience > 0; patience--) {
        outcome = try_all(place);
    }
    assert_int_equal(outcome, DONE);
    assert_int_equal(place_see(place), PLACE_ROWS);
    place_end(place);
}

int main(void)
{
    const char *brokers = NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_dies_in_mid_transaction_leaves_nothing_and_the_old_cursor),
        cmocka_unit_test(what_is_committed_is_seen_whole),
        cmocka_unit_test(a_cursor_in_an_open_transaction_is_waited_for),
        cmocka_unit_test(what_is_aborted_is_never_seen),
        cmocka_unit_test(a_record_that_the_topic_finds_too_large_is_told),
        cmocka_unit_test(who_is_fenced_is_shut_out_and_moves_nothing),
        cmocka_unit_test(a_topic_that_is_not_there_is_refused_and_not_created),
        cmocka_unit_test(a_topic_deleted_meanwhile_is_refused),
        cmocka_unit_test(each_right_that_is_missing_is_told),
    };

    if (!topic_brokers(&brokers)) {
        (void)printf("SKIPPED: no brokers are named in KAFKA_BOOTSTRAP\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
