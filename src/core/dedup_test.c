#include "test/unit.h"

#include "core/dedup.h"
#include "pay/decision.h"

#include <stdlib.h>

enum { RETENTION = 1000, UNITS_SMALL = DEDUP_UNITS_MIN, UNITS_LARGE = 1 << 18 };

#define BASE INT64_C(1750000000000)

static const struct siphash_key key = {3, 4};
static const struct dedup_now always = {INSTANT_NONE, RETENTION};

/* A dedup in memory of its own. */
struct holder {
    struct dedup dedup;
    void *units;
};

static void begin(struct holder *holder, size_t unit_count)
{
    struct dedup_memory memory = {.unit_count = unit_count};

    assert_int_equal(posix_memalign(&holder->units, 64, unit_count * DEDUP_UNIT_SIZE), 0);
    memset(holder->units, 0, unit_count * DEDUP_UNIT_SIZE);
    memory.units = holder->units;
    dedup_init(&holder->dedup, &key, &memory);
}

static void end(struct holder *holder)
{
    free(holder->units);
}

static struct dedup_id id_of(const char *text)
{
    struct dedup_id id = {.text = {text, strlen(text)}};

    id.kind = ident_from(&key, id.text, &id.ident);
    id.hash = ident_hash(&key, id.kind, &id.ident, id.text);
    return id;
}

/* An id by its number, short or long; the text is the test's until the next call. */
static struct dedup_id numbered(uint64_t number, bool is_long)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), is_long ? "a-payment-with-a-long-name-%llu" : "p%llu",
                   (unsigned long long)number);
    return id_of(text);
}

static bool add(struct holder *holder, const struct dedup_id *id, uint64_t offset, int64_t event_ms,
                const struct dedup_now *now)
{
    struct dedup_first first = {9, offset, event_ms, (uint32_t)offset * 7};
    struct dedup_first found;

    assert_false(dedup_find(&holder->dedup, id, now, &found));
    if (!dedup_make_room(&holder->dedup, id, now)) {
        return false;
    }
    dedup_add(&holder->dedup, id, &first, now);
    return true;
}

static void tells_all_that_was_remembered_to_the_last_bit(void **state)
{
    static const int64_t times[] = {INSTANT_MIN_MS, BASE, INSTANT_MAX_MS - 1};
    static const uint64_t offsets[] = {0, 1, OFFSET_MAX};
    struct holder holder;
    struct dedup_first found;
    uint64_t number = 0;

    begin(&holder, UNITS_SMALL);
    for (size_t time = 0; time < 3; time++) {
        for (size_t offset = 0; offset < 3; offset++) {
            struct dedup_id id = numbered(number++, false);
            struct dedup_first first = {(uint16_t)(time == 0 ? 0 : SOURCES_MAX - 1),
                                        offsets[offset], times[time], 0xfedcba98};
            assert_true(dedup_make_room(&holder.dedup, &id, &always));
            dedup_add(&holder.dedup, &id, &first, &always);
            assert_true(dedup_find(&holder.dedup, &id, &always, &found));
            assert_int_equal(found.source, first.source);
            assert_int_equal(found.offset, first.offset);
            assert_int_equal(found.event_ms, first.event_ms);
            assert_int_equal(found.digest, first.digest);
        }
    }
    end(&holder);
}

static void compares_the_whole_id_and_never_only_its_hash(void **state)
{
    struct holder holder;
    struct dedup_first found;
    struct dedup_id mine = id_of("short");
    struct dedup_id other = id_of("sHort");
    struct dedup_id text = id_of("a-payment-with-a-long-name-1");
    struct dedup_id other_text = id_of("a-payment-with-a-long-name-2");

    begin(&holder, UNITS_SMALL);
    assert_true(add(&holder, &mine, 1, BASE, &always));
    other.hash = mine.hash; /* As if the hash had failed us. */
    assert_false(dedup_find(&holder.dedup, &other, &always, &found));
    assert_true(add(&holder, &text, 2, BASE, &always));
    other_text.hash = text.hash;
    other_text.ident = text.ident;
    assert_false(dedup_find(&holder.dedup, &other_text, &always, &found));
    other_text.text.size--; /* A beginning of it is another id, too. */
    assert_false(dedup_find(&holder.dedup, &other_text, &always, &found));
    struct dedup_id as_uuid = mine;
    as_uuid.kind = IDENT_UUID; /* The same sixteen bytes, another kind. */
    assert_false(dedup_find(&holder.dedup, &as_uuid, &always, &found));
    end(&holder);
}

static void finds_every_one_of_a_million_ids_while_it_grows(void **state)
{
    enum { IDS = 1000000 };
    struct holder holder;
    struct dedup_first found;

    begin(&holder, UNITS_LARGE);
    for (uint64_t number = 0; number < IDS; number++) {
        struct dedup_id id = numbered(number, false);
        assert_true(add(&holder, &id, number, BASE + (int64_t)number, &always));
        if (number % 4099 == 0) { /* One long ago, found in its new place. */
            struct dedup_id old = numbered(number / 2, false);
            assert_true(dedup_find(&holder.dedup, &old, &always, &found));
            assert_int_equal(found.offset, number / 2);
        }
    }
    for (uint64_t number = 0; number < IDS; number++) {
        struct dedup_id id = numbered(number, false);
        assert_true(dedup_find(&holder.dedup, &id, &always, &found));
        assert_int_equal(found.offset, number);
        assert_int_equal(found.event_ms, BASE + (int64_t)number);
    }
    assert_true(dedup_bytes_touched(&holder.dedup) < UINT64_C(50) * IDS);
    end(&holder);
}

static void remembers_the_same_however_many_it_was_told_to_expect(void **state)
{
    static const uint64_t expected[] = {1, 28, 42, 12000, 114688, UINT64_MAX};
    enum { IDS = 20000 };
    struct dedup_first found;
    struct holder grown;

    begin(&grown, UNITS_LARGE / 16);
    for (uint64_t number = 0; number < IDS; number++) {
        struct dedup_id id = numbered(number, number % 64 == 0);
        assert_true(add(&grown, &id, number, BASE, &always));
    }
    for (size_t which = 0; which < sizeof(expected) / sizeof(expected[0]); which++) {
        struct holder holder;
        begin(&holder, UNITS_LARGE / 16);
        struct span buckets = dedup_expect(&holder.dedup, expected[which]);
        assert_ptr_equal(buckets.at, holder.units);
        assert_int_equal(buckets.size, dedup_bytes_touched(&holder.dedup));
        for (uint64_t number = 0; number < IDS; number++) {
            struct dedup_id id = numbered(number, number % 64 == 0);
            assert_true(add(&holder, &id, number, BASE, &always));
            struct dedup_id old = numbered(number / 2, number / 2 % 64 == 0);
            assert_true(dedup_find(&holder.dedup, &old, &always, &found));
            assert_int_equal(found.offset, number / 2);
        }
        assert_true(dedup_hash(&holder.dedup, &always) == dedup_hash(&grown.dedup, &always));
        if (expected[which] < IDS) { /* Just as it would have grown. */
            assert_int_equal(dedup_bytes_touched(&holder.dedup) / 4096,
                             dedup_bytes_touched(&grown.dedup) / 4096);
        }
        end(&holder);
    }
    end(&grown);
}

static void keeps_the_texts_of_live_ids_and_uses_the_others_places_again(void **state)
{
    enum { IDS = 40000, ALIVE = 2000 };
    struct holder holder;
    struct dedup_first found;

    begin(&holder, 4096); /* For some 6,000 long ids. */
    for (uint64_t number = 0; number < IDS; number++) {
        struct dedup_now now = {BASE + (int64_t)number, ALIVE};
        struct dedup_id id = numbered(number, true);
        assert_true(add(&holder, &id, number, BASE + (int64_t)number, &now));
        uint64_t back = number % ALIVE < number ? number % ALIVE : number;
        struct dedup_id alive = numbered(number - back, true);
        assert_true(dedup_find(&holder.dedup, &alive, &now, &found));
        assert_int_equal(found.offset, number - back);
        dedup_sweep(&holder.dedup, &now);
    }
    end(&holder);
}

static void sweep_twice_around(struct holder *holder, const struct dedup_now *now)
{
    for (uint32_t step = 0; step < 2 * holder->dedup.bucket_count + 2; step++) {
        dedup_sweep(&holder->dedup, now);
    }
}

static void sweeps_all_there_is_a_bucket_at_a_time(void **state)
{
    struct holder holder;

    begin(&holder, 4096);
    for (int64_t round = 0; round < 4; round++) { /* Not in the first circle only. */
        struct dedup_now now = {BASE + round * 100000, RETENTION};
        for (uint64_t number = 0; number < 3000; number++) {
            struct dedup_id id = numbered(number, false);
            assert_true(
                add(&holder, &id, number, now.watermark_ms + 1 + (int64_t)number % 2, &now));
        }
        now.watermark_ms += 1 + RETENTION;
        sweep_twice_around(&holder, &now);
        assert_int_equal(holder.dedup.entry_count, 1500);
        now.watermark_ms++;
        sweep_twice_around(&holder, &now);
        assert_int_equal(holder.dedup.entry_count, 0);
    }
    end(&holder);
}

static void says_no_when_full_and_keeps_every_live_id(void **state)
{
    for (int is_long = 0; is_long <= 1; is_long++) {
        struct holder holder;
        struct dedup_first found;
        uint64_t count = 0;
        struct dedup_id id = numbered(count, is_long != 0);
        begin(&holder, UNITS_SMALL);
        while (add(&holder, &id, count, BASE, &always)) {
            id = numbered(++count, is_long != 0);
        }
        assert_true(count > UNITS_SMALL);
        assert_int_equal(holder.dedup.entry_count, count);
        for (uint64_t number = 0; number < count; number++) {
            id = numbered(number, is_long != 0);
            assert_true(dedup_find(&holder.dedup, &id, &always, &found));
        }
        end(&holder);
    }
}

static void has_room_again_when_ids_are_forgotten(void **state)
{
    for (int is_long = 0; is_long <= 1; is_long++) {
        struct holder holder;
        struct dedup_now now = always;
        uint64_t count = 0;
        struct dedup_id id = numbered(count, is_long != 0);
        begin(&holder, 1024);
        while (add(&holder, &id, count, BASE + (int64_t)count, &now)) {
            id = numbered(++count, is_long != 0);
        }
        now.watermark_ms = BASE + RETENTION + (int64_t)count / 2;
        for (uint64_t more = 0; more < count / 3; more++) {
            id = numbered(1000000 + more, is_long != 0);
            assert_true(add(&holder, &id, more, BASE + 100000, &now));
        }
        end(&holder);
    }
}

static void lives_for_ever_in_memory_for_what_is_alive(void **state)
{
    struct holder holder;
    struct dedup_now now = {BASE, RETENTION};

    begin(&holder, 512);
    for (uint64_t number = 0; number < 200000; number++) {
        struct dedup_id id = numbered(number, number % 3 == 0);
        now.watermark_ms = BASE + (int64_t)number;
        assert_true(add(&holder, &id, number, BASE + (int64_t)number, &now));
        dedup_sweep(&holder.dedup, &now);
    }
    assert_true(holder.dedup.entry_count < 2 * RETENTION);
    end(&holder);
}

static void treats_what_is_forgotten_as_absent_before_it_is_swept(void **state)
{
    struct holder holder;
    struct dedup_first found;
    struct dedup_now at = {BASE + RETENTION, RETENTION};
    struct dedup_now before = {BASE + RETENTION - 1, RETENTION};
    struct dedup_id id = id_of("paid");

    begin(&holder, UNITS_SMALL);
    assert_true(add(&holder, &id, 1, BASE, &always));
    assert_true(dedup_find(&holder.dedup, &id, &before, &found));
    assert_false(dedup_find(&holder.dedup, &id, &at, &found));
    uint64_t unswept = dedup_hash(&holder.dedup, &at);
    assert_true(add(&holder, &id, 2, BASE + 5000, &at)); /* Two in the bucket, one alive. */
    assert_true(dedup_find(&holder.dedup, &id, &at, &found));
    assert_int_equal(found.offset, 2);
    uint64_t both = dedup_hash(&holder.dedup, &at);
    dedup_sweep_all(&holder.dedup, &at);
    assert_int_equal(holder.dedup.entry_count, 1);
    assert_int_equal(dedup_hash(&holder.dedup, &at), both);
    assert_int_equal(unswept, 0);
    end(&holder);
}

static void stands_a_flood_of_ids_into_one_bucket(void **state)
{
    struct holder holder;
    struct dedup_first found;
    uint64_t flooded = 0;

    begin(&holder, 4096);
    for (uint64_t number = 0; flooded < 3000; number++) {
        struct dedup_id id = numbered(number, false);
        if (id.hash % 64 == 5) { /* Whoever knew the key could choose them so. */
            assert_true(add(&holder, &id, number, BASE, &always));
            flooded++;
        }
    }
    for (uint64_t number = 0; number < 3000 * 64; number += 61) {
        struct dedup_id id = numbered(number, false);
        bool there = dedup_find(&holder.dedup, &id, &always, &found);
        assert_true(!there || (found.offset == number && id.hash % 64 == 5));
    }
    end(&holder);
}

static void hashes_alike_whatever_the_key_the_size_and_the_order(void **state)
{
    struct holder small;
    struct holder large;

    begin(&small, 512);
    begin(&large, 4096);
    large.dedup.key = (struct siphash_key){5, 6};
    for (uint64_t number = 0; number < 900; number++) {
        struct dedup_id id = numbered(number, number % 5 == 0);
        assert_true(add(&small, &id, number, BASE + (int64_t)number, &always));
    }
    for (uint64_t number = 900; number-- > 0;) {
        struct dedup_id id = numbered(number, number % 5 == 0);
        id.hash = ident_hash(&large.dedup.key, id.kind, &id.ident, id.text);
        assert_true(add(&large, &id, number, BASE + (int64_t)number, &always));
    }
    assert_int_equal(dedup_hash(&small.dedup, &always), dedup_hash(&large.dedup, &always));
    struct dedup_now later = {BASE + RETENTION, RETENTION};
    assert_int_not_equal(dedup_hash(&small.dedup, &always), dedup_hash(&small.dedup, &later));
    end(&small);
    end(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all_that_was_remembered_to_the_last_bit),
        cmocka_unit_test(compares_the_whole_id_and_never_only_its_hash),
        cmocka_unit_test(finds_every_one_of_a_million_ids_while_it_grows),
        cmocka_unit_test(remembers_the_same_however_many_it_was_told_to_expect),
        cmocka_unit_test(keeps_the_texts_of_live_ids_and_uses_the_others_places_again),
        cmocka_unit_test(sweeps_all_there_is_a_bucket_at_a_time),
        cmocka_unit_test(says_no_when_full_and_keeps_every_live_id),
        cmocka_unit_test(has_room_again_when_ids_are_forgotten),
        cmocka_unit_test(lives_for_ever_in_memory_for_what_is_alive),
        cmocka_unit_test(treats_what_is_forgotten_as_absent_before_it_is_swept),
        cmocka_unit_test(stands_a_flood_of_ids_into_one_bucket),
        cmocka_unit_test(hashes_alike_whatever_the_key_the_size_and_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
