/* The Kafka sink against a cluster that does to it what Kafka's transactions may do. */
#include "test/owner_check.h"
#include "test/transact_double.h"
#include "test/unit.h"

#include <stdlib.h>

enum { STORIES = 400, STEPS = 3000 };

static const struct double_odds calm;
static const struct double_odds rough = {.unreachable = 60,
                                         .answer_lost = 60,
                                         .late_commit = 60,
                                         .too_slow = 40,
                                         .aborted = 60,
                                         .outrun = 40};

static struct fault fault;

/* Which topic of the double's is this? They are numbered as they were met. */
static bool is_of(const struct double_record *record, enum table table)
{
    return record->topic == (uint32_t)table;
}

/* Only payments of this owner's history: the other one's are called otherwise. */
static void check_ids(const struct owner *owner)
{
    size_t at = 0;

    for (uint64_t number = 1; number <= OWNER_EPOCHS; number++) {
        const struct epoch *epoch = owner_epoch(owner, number);
        struct span left = {epoch->rows.at, epoch->rows.size};
        struct row row;
        size_t size;
        while (left.size > 0 && (size = row_read(left, &row)) > 0) {
            left = (struct span){(const uint8_t *)left.at + size, left.size - size};
            if (row.table != TABLE_TRANSACTIONS) {
                continue;
            }
            while (!is_of(double_record(at), TABLE_TRANSACTIONS)) {
                at++;
            }
            const struct double_record *record = double_record(at++);
            assert_int_equal(record->key_size, row.texts[TRANSACTION_ID].size);
            assert_memory_equal(record->key, row.texts[TRANSACTION_ID].at, record->key_size);
        }
    }
}

static int make_room(void **unused)
{
    owner_make_histories();
    return 0;
}

static int give_room_back(void **unused)
{
    owner_free_histories();
    return 0;
}

static void every_row_arrives_once_through_deaths_and_lost_answers(void **unused)
{
    struct owner owner;

    for (uint64_t seed = 1; seed <= STORIES; seed++) {
        owner_write_histories(seed);
        double_start(seed, &rough);
        owner_be_born(&owner, 0);
        for (size_t steps = 0; owner_step(&owner); steps++) {
            assert_true(steps < STEPS);
            assert_false(owner.over);
            if (owner_throw(15) == 0) {
                owner_die(&owner);
                double_forget_clients();
            }
        }
        owner_check_all(&owner);
        check_ids(&owner);
        owner_end(&owner);
        double_stop();
    }
}

static void of_two_owners_one_goes_on_and_nothing_is_mixed(void **unused)
{
    struct owner owners[2];
    size_t finished[2] = {0, 0};
    size_t shut_out = 0;

    for (uint64_t seed = 1; seed <= STORIES; seed++) {
        owner_write_histories(seed);
        double_start(seed, &rough);
        owner_be_born(&owners[0], 0);
        owner_be_born(&owners[1], 1);
        size_t alone = owner_throw(60); /* So long is there only the first. */
        for (size_t steps = 0; steps < STEPS; steps++) {
            size_t turn = steps < alone ? 0 : owner_throw(2);
            if (!owner_step(&owners[turn]) && steps >= alone && !owner_step(&owners[1 - turn])) {
                break;
            }
        }
        for (size_t index = 0; index < 2; index++) {
            if (!owners[index].over && owners[index].delivered == OWNER_EPOCHS) {
                finished[index]++;
                owner_check_all(&owners[index]);
                check_ids(&owners[index]);
            }
            shut_out += owners[index].kafka != NULL && owners[index].kafka->shut_out ? 1 : 0;
        }
        owner_end(&owners[0]);
        owner_end(&owners[1]);
        double_stop();
    }
    assert_true(finished[0] > 10 && finished[1] > 10 &&
                shut_out > 10); /* It was not for nothing. */
}

static enum outcome deliver_one(struct owner *owner, const struct epoch *epoch)
{
    return sample_deliver(owner->sample, &owner->kafka->sink, &epoch, 1, &fault);
}

static void what_does_not_follow_on_what_stands_there_is_refused(void **unused)
{
    struct owner owner;
    struct owner other;

    owner_write_histories(5);
    double_start(5, &calm);
    owner_be_born(&owner, 0);
    owner_be_born(&other, 1);
    while (!owner.standing) {
        assert_true(owner_step(&owner));
    }
    assert_int_equal(deliver_one(&owner, owner_epoch(&owner, 2)), BROKEN); /* One is missing. */
    assert_int_equal(fault.code, FAULT_FENCED);
    for (uint64_t number = 1; number <= OWNER_SHARED + 1; number++) {
        assert_int_equal(deliver_one(&owner, owner_epoch(&owner, number)), DONE);
    }
    uint64_t commits = double_commit_count();
    assert_int_equal(deliver_one(&owner, owner_epoch(&owner, OWNER_SHARED + 1)), DONE); /* Again. */
    assert_int_equal(deliver_one(&owner, owner_epoch(&owner, OWNER_SHARED)), BROKEN);
    assert_int_equal(deliver_one(&owner, owner_epoch(&other, OWNER_SHARED + 2)), BROKEN);
    assert_int_equal(fault.code, FAULT_FENCED);
    assert_int_equal(double_commit_count(), commits);
    owner_end(&owner);
    double_stop();
}

/* By one that died before it had claimed the cursor: so nobody else is there. */
static void a_client_that_was_fenced_at_once_is_let_go(void **unused)
{
    static const struct double_odds outrun = {.outrun = 1000};
    struct owner owner;

    owner_write_histories(7);
    double_start(7, &outrun);
    owner_be_born(&owner, 0);
    for (size_t steps = 0; steps < 4; steps++) {
        assert_true(owner_step(&owner));
        assert_false(owner.standing);
    }
    double_set_odds(&calm);
    owner_finish(&owner);
    owner_check_all(&owner);
    owner_end(&owner);
    double_stop();
}

static void who_only_looks_shuts_nobody_out(void **unused)
{
    struct owner owner;
    struct owner guest;
    struct sink_head head;

    owner_write_histories(6);
    double_start(6, &calm);
    owner_be_born(&owner, 0);
    owner_be_born(&guest, 0);
    while (owner.delivered < 3) {
        assert_true(owner_step(&owner));
    }
    assert_true(owner_step(&guest)); /* It opens. */
    assert_int_equal(sink_read_head(&guest.kafka->sink, &head, &fault), DONE);
    assert_int_equal(head.epoch, owner.delivered);
    owner_finish(&owner);
    owner_check_all(&owner);
    owner_end(&guest);
    owner_end(&owner);
    double_stop();
}

static void a_cursor_that_we_did_not_write_is_damage(void **unused)
{
    static const char *const texts[] = {"", "payonce1 owner=1", "payonce2 x"};
    struct owner owner;
    struct sink_head head;
    char ours[KAFKA_CURSOR_TEXT_SIZE];

    owner_write_histories(1);
    double_start(1, &calm);
    owner_be_born(&owner, 0);
    owner_finish(&owner);
    (void)snprintf(ours, sizeof(ours), "%s", double_cursor());
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        double_set_cursor(texts[index], OWNER_EPOCHS);
        assert_int_equal(sink_read_head(&owner.kafka->sink, &head, &fault), DONE);
        assert_int_equal(sink_audit(&owner.kafka->sink, &fault), BROKEN);
        assert_int_equal(fault.code, FAULT_SINK_DAMAGED);
    }
    double_set_cursor(ours, OWNER_EPOCHS - 1); /* Our text, and another offset. */
    assert_int_equal(sink_audit(&owner.kafka->sink, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SINK_DAMAGED);
    owner_end(&owner);
    double_stop();
}

static void a_mark_is_read_as_it_was_written_and_in_no_other_way(void **unused)
{
    struct kafka_mark mark = {.owner = UINT64_MAX,
                              .journal_id = 1,
                              .begun_by = 0x8000000000000001,
                              .epoch = UINT64_MAX,
                              .seq_next = {1, 2, UINT64_MAX, 4}};
    struct kafka_mark read;
    char text[KAFKA_CURSOR_TEXT_SIZE];
    char spoilt[KAFKA_CURSOR_TEXT_SIZE + 1];

    memset(mark.chain.bytes, 0xa5, sizeof(mark.chain.bytes));
    mark_write(&mark, text);
    assert_true(mark_read(text, &read));
    mark_write(&read, spoilt);
    assert_string_equal(spoilt, text);
    for (size_t index = 0; text[index] != '\0'; index++) {
        for (unsigned byte = 1; byte < 256; byte++) {
            (void)strcpy(spoilt, text);
            spoilt[index] = (char)byte;
            if (mark_read(spoilt, &read)) { /* Another digit is another mark. */
                char again[KAFKA_CURSOR_TEXT_SIZE];
                mark_write(&read, again);
                assert_string_equal(again, spoilt);
            }
        }
        (void)strcpy(spoilt, text);
        spoilt[index] = '\0';
        assert_true(!mark_read(spoilt, &read) || text[index + 1] == '\0' ||
                    strchr(spoilt, ',') != NULL);
    }
    (void)snprintf(spoilt, sizeof(spoilt), "%s ", text);
    assert_false(mark_read(spoilt, &read));
}

static void values_are_json_whatever_stands_in_them(void **unused)
{
    struct owner owner;
    size_t letters = 0;

    owner_write_histories(3);
    double_start(1, &calm);
    owner_be_born(&owner, 0);
    owner_finish(&owner);
    for (size_t index = 0; index < double_record_count(); index++) {
        const struct double_record *record = double_record(index);
        char text[DOUBLE_VALUE_SIZE + 1];
        memcpy(text, record->value, record->value_size);
        text[record->value_size] = '\0';
        if (is_of(record, TABLE_DEAD_LETTERS)) {
            letters++;
            assert_non_null(strstr(text, "\"excerpt\":\"{\\\"amount\\\": ##\\u001f\\ufffd}\""));
            assert_non_null(strstr(text, "\"known_id\":null"));
            assert_non_null(strstr(text, "\"source_topic\":\"input-2.jsonl\""));
        } else if (is_of(record, TABLE_TRANSACTIONS)) {
            assert_non_null(strstr(text, "\"amount\":\"10.25\""));
            assert_non_null(strstr(text, "\"status\":\"\",\"device_id\":\"device-4711\""));
            assert_non_null(strstr(text, "\"ip_address\":null"));
        }
    }
    assert_true(letters > 3);
    owner_end(&owner);
    double_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_arrives_once_through_deaths_and_lost_answers),
        cmocka_unit_test(of_two_owners_one_goes_on_and_nothing_is_mixed),
        cmocka_unit_test(what_does_not_follow_on_what_stands_there_is_refused),
        cmocka_unit_test(a_client_that_was_fenced_at_once_is_let_go),
        cmocka_unit_test(who_only_looks_shuts_nobody_out),
        cmocka_unit_test(a_cursor_that_we_did_not_write_is_damage),
        cmocka_unit_test(a_mark_is_read_as_it_was_written_and_in_no_other_way),
        cmocka_unit_test(values_are_json_whatever_stands_in_them),
    };

    return cmocka_run_group_tests(tests, make_room, give_room_back);
}
