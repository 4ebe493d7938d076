#include "test/unit.h"

#include "core/velocity.h"
#include "core/world.h"

#define BASE INT64_C(1750000000000)

static const struct state_limits limits = {1 << 20, 1000};

static void begin(struct world *world, int64_t senders_max)
{
    struct rules rules;

    rules_default(&rules);
    rules.senders_max = senders_max;
    world_begin(world, 5, &limits);
    world_rules(world, &rules);
    world_join(world, 0, 0);
}

static struct judgement pay(struct world *world, const char *id, const char *sender,
                            int64_t event_ms)
{
    struct told told = {.offset = world->state.watermark.sources[0].next,
                        .id = id,
                        .sender = sender,
                        .event_ms = event_ms};
    struct judgement judgement = world_take(world, &told);

    assert_int_equal(judgement.verdict, ACCEPTED);
    return judgement;
}

static void counts_this_payment_and_leaves_out_the_far_edge(void **state)
{
    struct world world;

    begin(&world, 10);
    assert_int_equal(pay(&world, "1", "ann", BASE).velocity_60s, 1);
    struct judgement judgement = pay(&world, "2", "ann", BASE + 59999);
    assert_int_equal(judgement.velocity_60s, 2);
    judgement = pay(&world, "3", "ann", BASE + 60000); /* (t - 60 s, t]: the first is out. */
    assert_int_equal(judgement.velocity_60s, 2);
    assert_int_equal(judgement.count_5m, 3);
    judgement = pay(&world, "4", "ann", BASE + 299999);
    assert_int_equal(judgement.count_5m, 4);
    judgement = pay(&world, "5", "ann", BASE + 300000);
    assert_int_equal(judgement.count_5m, 4);
    assert_int_equal(pay(&world, "6", "bob", BASE + 300000).count_5m, 1);
    world_end(&world);
}

static void does_not_count_what_happened_later_than_this_payment(void **state)
{
    struct world world;

    begin(&world, 10);
    (void)pay(&world, "1", "ann", BASE + 1);
    assert_int_equal(pay(&world, "2", "ann", BASE).velocity_60s, 1);
    assert_int_equal(pay(&world, "3", "ann", BASE + 1).velocity_60s, 3);
    world_end(&world);
}

static void remembers_the_32_latest_of_a_sender_and_saturates_there(void **state)
{
    struct world world;
    char id[16];

    begin(&world, 10);
    for (int number = 1; number <= 50; number++) {
        (void)snprintf(id, sizeof(id), "p%d", number);
        int32_t wanted = number <= 32 ? number : 32;
        assert_int_equal(pay(&world, id, "ann", BASE + number).count_5m, wanted);
    }
    world_end(&world);
}

static void lets_go_of_the_sender_who_paid_longest_ago(void **state)
{
    struct world world;

    begin(&world, 2);
    (void)pay(&world, "1", "ann", BASE);
    (void)pay(&world, "2", "bob", BASE);
    (void)pay(&world, "3", "ann", BASE); /* Now bob has waited longest. */
    (void)pay(&world, "4", "eve", BASE);
    assert_int_equal(pay(&world, "5", "ann", BASE).velocity_60s, 3);
    assert_int_equal(pay(&world, "6", "bob", BASE).velocity_60s, 1);
    assert_int_equal(pay(&world, "7", "eve", BASE).velocity_60s, 1);
    world_end(&world);
}

static void lets_senders_go_when_the_rules_allow_fewer(void **state)
{
    struct world world;
    struct rules rules;

    begin(&world, 3);
    (void)pay(&world, "1", "ann", BASE);
    (void)pay(&world, "2", "bob", BASE);
    (void)pay(&world, "3", "eve", BASE);
    rules = world.state.rules;
    rules.senders_max = 1;
    world_rules(&world, &rules);
    assert_int_equal(pay(&world, "4", "eve", BASE).velocity_60s, 2);
    assert_int_equal(pay(&world, "5", "bob", BASE).velocity_60s, 1);
    world_end(&world);
}

/* The id that this payment of 1.00 USD looks like, or "". */
static const char *look_alike(struct world *world, const char *id, int64_t event_ms)
{
    static char text[IDENT_TEXT_MAX + 1];
    struct judgement judgement = pay(world, id, "ann", event_ms);

    memcpy(text, judgement.look_alike_of, judgement.look_alike_size);
    text[judgement.look_alike_size] = '\0';
    return text;
}

static void names_the_latest_look_alike_within_a_minute_either_way(void **state)
{
    struct world world;

    begin(&world, 10);
    assert_string_equal(look_alike(&world, "one", BASE), "");
    assert_string_equal(look_alike(&world, "two", BASE + 60000), "one");
    assert_string_equal(look_alike(&world, "three", BASE + 120001), "");
    assert_string_equal(look_alike(&world, "four", BASE + 60001), "three");
    assert_string_equal(look_alike(&world, "five", BASE), "two");
    world_end(&world);
}

static void tells_look_alikes_with_long_ids_and_uuids_by_their_text(void **state)
{
    struct world world;
    const char *longer = "an-identifier-longer-than-fifteen-letters";
    const char *uuid = "01234567-89ab-4cde-8f01-23456789abcd";

    begin(&world, 10);
    (void)pay(&world, longer, "ann", BASE);
    assert_string_equal(look_alike(&world, uuid, BASE + 1), longer);
    assert_string_equal(look_alike(&world, "short", BASE + 2), uuid);
    world_end(&world);
}

static void needs_sender_receiver_amount_and_currency_to_be_the_same(void **state)
{
    struct world world;
    struct told told = {
        .id = "first", .sender = "ann", .event_ms = BASE, .units = 1050, .scale = 2};
    struct told others[5];

    begin(&world, 10);
    (void)world_take(&world, &told);
    for (size_t index = 0; index < 5; index++) {
        others[index] = told;
        others[index].offset = index + 1;
    }
    others[0].id = "0";
    others[0].sender = "bob";
    others[1].id = "1";
    others[1].receiver = "another shop";
    others[2].id = "2";
    others[2].units = 1051;
    others[3].id = "3";
    others[3].currency = "EUR";
    others[4].id = "4";
    others[4].units = 10500; /* 10.500 is 10.50. */
    others[4].scale = 3;
    for (size_t index = 0; index < 4; index++) {
        assert_int_equal(world_take(&world, &others[index]).look_alike_size, 0);
    }
    assert_int_equal(world_take(&world, &others[4]).look_alike_size, 5);
    world_end(&world);
}

static void does_not_call_the_same_id_its_own_look_alike(void **state)
{
    static const char *const ids[] = {"short", "an-identifier-longer-than-fifteen-letters"};
    struct world world;
    struct rules rules;

    for (size_t index = 0; index < 2; index++) {
        begin(&world, 10);
        rules = world.state.rules;
        rules.retention_ms = 0; /* So that the id may be accepted again soon. */
        rules.lateness_ms = 0;
        world_rules(&world, &rules);
        (void)pay(&world, ids[index], "ann", BASE);
        assert_string_equal(look_alike(&world, ids[index], BASE + 1), "");
        world_end(&world);
    }
}

static void names_no_id_whose_text_has_been_written_over(void **state)
{
    static struct velocity_sender senders[2];
    static uint64_t cells[4];
    static uint8_t texts[IDENT_TEXT_MAX];
    const struct velocity_memory memory = {senders, 2, cells, 4, texts, sizeof(texts)};
    const struct siphash_key key = {1, 2};
    struct velocity velocity;
    struct velocity_answer answer;
    char text[81];
    struct velocity_ask ask = {.sender_kind = IDENT_SHORT, .id_kind = IDENT_LONG};

    velocity_init(&velocity, &key, &memory);
    for (char letter = 'a'; letter <= 'f'; letter++) {
        memset(text, letter, 80);
        ask.long_id = (struct span){text, 80};
        velocity_find(&velocity, &ask, &answer);
        assert_int_equal(answer.look_alike_size, letter == 'a' ? 0 : 80);
        memset(text, letter - 1, 80);
        assert_memory_equal(answer.look_alike, text, answer.look_alike_size);
        memset(text, letter, 80);
        velocity_add(&velocity, &ask);
    }
    memset(text, 'z', 80);
    ask.pair_hash = 1; /* Another payment's text pushes theirs out. */
    velocity_add(&velocity, &ask);
    memset(text, 'y', 80);
    ask.pair_hash = 0;
    velocity_find(&velocity, &ask, &answer);
    assert_int_equal(answer.look_alike_size, 0);
}

static void forgets_nobody_it_should_remember_among_many(void **state)
{
    struct world world;
    char id[24];
    char sender[24];

    begin(&world, 150);
    for (int number = 0; number < 6000; number++) {
        (void)snprintf(id, sizeof(id), "p%d", number);
        (void)snprintf(sender, sizeof(sender), "account-%d", number * 7 % 300);
        /* 300 senders in turn, and 150 remembered: nobody is met again. */
        assert_int_equal(pay(&world, id, sender, BASE).velocity_60s, 1);
    }
    for (int number = 0; number < 1500; number++) {
        (void)snprintf(id, sizeof(id), "q%d", number);
        (void)snprintf(sender, sizeof(sender), "friend-%d", number % 150);
        assert_int_equal(pay(&world, id, sender, BASE).velocity_60s, 1 + number / 150);
    }
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_this_payment_and_leaves_out_the_far_edge),
        cmocka_unit_test(does_not_count_what_happened_later_than_this_payment),
        cmocka_unit_test(remembers_the_32_latest_of_a_sender_and_saturates_there),
        cmocka_unit_test(lets_go_of_the_sender_who_paid_longest_ago),
        cmocka_unit_test(lets_senders_go_when_the_rules_allow_fewer),
        cmocka_unit_test(names_the_latest_look_alike_within_a_minute_either_way),
        cmocka_unit_test(tells_look_alikes_with_long_ids_and_uuids_by_their_text),
        cmocka_unit_test(needs_sender_receiver_amount_and_currency_to_be_the_same),
        cmocka_unit_test(does_not_call_the_same_id_its_own_look_alike),
        cmocka_unit_test(names_no_id_whose_text_has_been_written_over),
        cmocka_unit_test(forgets_nobody_it_should_remember_among_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
