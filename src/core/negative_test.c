/*
 * Negative controls: rules that are almost ours, and pay twice.
 *
 * The judge here is a few lines of its own, with the boundaries as parameters. With ours no id
 * is accepted twice within its retention, over many random histories; with each of the
 * wrong pairs it soon is. So the traces are sharp enough to tell, and the pair is
 * what keeps money.
 */
#include "test/unit.h"

#include "core/trace.h"

enum { HISTORIES = 4000, MESSAGES = 60, IDS = 3, SOURCES = 3 };

enum pair {
    OURS,              /* Late at or before max(W_p, G); forgotten when G >= first + R. */
    EXPIRY_AT_EVENT,   /* Forgotten when G >= first. */
    LATE_STRICTLY,     /* Late before the watermark, forgotten inclusively. */
    LATE_BY_OLDER,     /* Late by the watermark of the batch before. */
    LATE_BY_OWN,       /* Late by W_p alone, though the source has been idle. */
    FORGET_BY_FASTEST, /* Forgotten by the newest source's watermark. */
};

struct source {
    bool idle;
    bool seen;
    int64_t newest;
};

struct judge {
    enum pair pair;
    int64_t lateness;
    int64_t retention;
    struct source sources[SOURCES];
    int64_t all; /* G; -1: none. */
    int64_t older;
    int64_t first[IDS];    /* -1: not remembered. */
    int64_t accepted[IDS]; /* What must not be accepted again; -1: nothing. */
};

static int64_t fastest(const struct judge *judge)
{
    int64_t newest = -1;

    for (int source = 0; source < SOURCES; source++) {
        if (judge->sources[source].seen && judge->sources[source].newest > newest) {
            newest = judge->sources[source].newest;
        }
    }
    return newest - judge->lateness;
}

static void advance(struct judge *judge)
{
    int64_t smallest = INT64_MAX;

    for (int source = 0; source < SOURCES; source++) {
        if (judge->sources[source].idle) {
            continue;
        }
        if (!judge->sources[source].seen) {
            return;
        }
        if (judge->sources[source].newest < smallest) {
            smallest = judge->sources[source].newest;
        }
    }
    if (smallest != INT64_MAX && smallest - judge->lateness > judge->all) {
        judge->all = smallest - judge->lateness;
    }
}

static bool late(const struct judge *judge, const struct source *source, int64_t event)
{
    int64_t own = source->seen ? source->newest - judge->lateness : -1;
    int64_t mark = own > judge->all ? own : judge->all;

    switch (judge->pair) {
    case LATE_STRICTLY:
        return event < mark;
    case LATE_BY_OLDER:
        return event <= judge->older;
    case LATE_BY_OWN:
        return event <= own;
    case OURS:
    case EXPIRY_AT_EVENT:
    case FORGET_BY_FASTEST:
        break;
    }
    return event <= mark;
}

static bool forgotten(const struct judge *judge, int64_t first)
{
    switch (judge->pair) {
    case EXPIRY_AT_EVENT:
        return judge->all >= first;
    case FORGET_BY_FASTEST:
        return fastest(judge) >= first + judge->retention;
    case OURS:
    case LATE_STRICTLY:
    case LATE_BY_OLDER:
    case LATE_BY_OWN:
        break;
    }
    return judge->all >= first + judge->retention;
}

/* True: an id was accepted again with an event time up to its first one's + retention. */
static bool take(struct judge *judge, int number, int id, int64_t event)
{
    struct source *source = &judge->sources[number];
    bool twice = false;

    source->idle = false;
    if (!late(judge, source, event) &&
        (judge->first[id] < 0 || forgotten(judge, judge->first[id]))) {
        twice = judge->accepted[id] >= 0 && event <= judge->accepted[id] + judge->retention;
        judge->first[id] = event;
        judge->accepted[id] = event;
    }
    if (!source->seen || event > source->newest) {
        source->newest = event;
    }
    source->seen = true;
    advance(judge);
    return twice;
}

static bool pays_twice(enum pair pair, uint64_t seed)
{
    struct dice dice = {seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    struct judge judge = {
        .pair = pair, .all = -1, .older = -1, .first = {-1, -1, -1}, .accepted = {-1, -1, -1}};
    int64_t now = 100;
    bool twice = false;

    (void)dice_throw(&dice, 2);
    judge.lateness = dice_throw(&dice, 12);
    judge.retention = dice_throw(&dice, 16);
    for (int message = 0; message < MESSAGES && !twice; message++) {
        int source = (int)dice_throw(&dice, SOURCES);
        now += dice_throw(&dice, 3);
        if (dice_throw(&dice, 12) == 0) {
            judge.sources[source].idle = true;
            advance(&judge);
        }
        if (message % 8 == 0) {
            judge.older = judge.all;
        }
        source = (int)dice_throw(&dice, SOURCES);
        twice = take(&judge, source, (int)dice_throw(&dice, IDS),
                     now + (int64_t)dice_throw(&dice, 24) - 12);
    }
    return twice;
}

static int histories_that_pay_twice(enum pair pair)
{
    int count = 0;

    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        count += pays_twice(pair, seed);
    }
    return count;
}

static void never_pays_twice_within_the_retention_by_our_pair(void **state)
{
    assert_int_equal(histories_that_pay_twice(OURS), 0);
}

static void pays_twice_by_every_pair_that_does_not_match(void **state)
{
    for (enum pair pair = EXPIRY_AT_EVENT; pair <= FORGET_BY_FASTEST; pair++) {
        assert_true(histories_that_pay_twice(pair) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_pays_twice_within_the_retention_by_our_pair),
        cmocka_unit_test(pays_twice_by_every_pair_that_does_not_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
