/*
 * The power goes at every operation of every story, with every kind of damage, and again at every
 * operation of the recovery. What was sealed is there; what is there was sealed.
 *
 * A story is a row of verbs; what stands before the '|' happens on a good day.
 *
 *     B     a first run begins                     o     the process ends and opens again
 *     s     one epoch is sealed                    t     trim: all but the last epoch may go
 *     k     keep all that open found               K     the same, and the ledger has it all
 *     x     keep all but the last epoch            S     a new journal at epoch 40, with a seed
 */
#include "journal/segment.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

enum { SEED_EPOCH = 40, SEED_FRAMES = 3, DAMAGES = 10 };

static const char *const stories[] = {
    "|Bssssss",
    "Bssss|oksss",
    "Bsss|oKss",
    "Bssssss|oxss",
    "Bs|oxs",
    "B|okoks",
    "Bsssssssssssss|okssssts",
    "Bsssssssssssssssss|oKtsssssss",
    "Bsssssssoksss|kssokts",
    "Bssss|oSsss",
    "|Ss",
    "BsssoSsss|oks",
    "BsssoS|okss",
    "BsssoSsssss|oKtss",
};

/* What may be there after the power cut. */
struct truth {
    bool nothing;   /* Perhaps nothing at all. */
    bool empty;     /* Perhaps the beginning of a seed. */
    bool old;       /* Perhaps still the journal before the new one, */
    uint64_t least; /* with the last epoch not below this one */
    uint64_t most;  /* nor above this one. */
    uint64_t old_least;
    uint64_t old_most;
    uint64_t needed; /* This epoch and what follows was never let go. */
};

static struct disk_sim base;
static struct disk_sim first;
static struct disk_sim second;
static struct story story;
static uint64_t runs;

static enum outcome seal_seed(uint64_t index)
{
    story_make(&story, SEED_EPOCH);
    story.epoch.kind = EPOCH_SEED;
    story.epoch.seed_last = index + 1 == SEED_FRAMES;
    story.epoch.message_count = index;
    return journal_seal(&story.journal, &story.epoch, NULL, &story.fault);
}

static enum outcome begin_seeded(struct truth *truth)
{
    if (!truth->old && !truth->nothing) {
        truth->old = true;
        truth->old_least = truth->least;
        truth->old_most = truth->most;
    }
    truth->empty = true;
    truth->least = SEED_EPOCH;
    truth->most = SEED_EPOCH;
    story_snapshot(&story, SEED_EPOCH);
    enum outcome outcome = journal_begin(&story.journal, &story.snapshot, true, &story.fault);
    truth->old = truth->old && outcome != DONE;
    truth->nothing = truth->nothing && outcome != DONE;
    for (uint64_t index = 0; outcome == DONE && index < SEED_FRAMES; index++) {
        outcome = seal_seed(index);
    }
    if (outcome == DONE) {
        truth->empty = false;
        truth->needed = SEED_EPOCH + 1;
    }
    return outcome;
}

static enum outcome begin_first(struct truth *truth)
{
    enum outcome outcome = story_first(&story);

    truth->nothing = truth->nothing && outcome != DONE;
    truth->empty = truth->empty && outcome != DONE;
    return outcome;
}

static enum outcome keep(struct truth *truth, uint64_t confirmed, uint64_t last_kept)
{
    if (truth->least > last_kept) {
        truth->least = last_kept;
    }
    enum outcome outcome = story_keep(&story, confirmed, last_kept);
    if (outcome == DONE) {
        truth->least = last_kept;
        truth->most = last_kept;
        truth->empty = false;
        truth->old = false;
    }
    return outcome;
}

static enum outcome seal_one(struct truth *truth)
{
    truth->most = story.journal.last_epoch + 1;
    enum outcome outcome = story_seal(&story);
    truth->least = outcome == DONE ? truth->most : truth->least;
    return outcome;
}

static enum outcome trim(struct truth *truth)
{
    truth->needed = story.journal.last_epoch;
    return journal_trim(&story.journal, truth->needed, INT64_MAX, &story.fault);
}

static enum outcome play_verb(char verb, struct truth *truth)
{
    uint64_t last = story.journal.last_epoch;

    switch (verb) {
    case 'B':
        return begin_first(truth);
    case 'S':
        return begin_seeded(truth);
    case 's':
        return seal_one(truth);
    case 'k':
        return keep(truth, 0, last);
    case 'K':
        return keep(truth, last, last);
    case 'x':
        return keep(truth, last - 1, last - 1);
    case 't':
        return trim(truth);
    case 'o':
        story_close(&story);
        return story_open(&story);
    default:
        fail_msg("no such verb: %c", verb);
        return BROKEN;
    }
}

static enum outcome play(const char *verbs, struct truth *truth)
{
    enum outcome outcome = DONE;

    for (; outcome == DONE && *verbs != '\0' && *verbs != '|'; verbs++) {
        outcome = play_verb(*verbs, truth);
    }
    return outcome;
}

/* Is what is there true? Afterwards the truth is what was found. */
static void check(struct truth *truth, const char *where)
{
    const struct journal *journal = &story.journal;

    runs++;
    if (journal->empty) {
        if (!(journal->segment_count == 0 ? truth->nothing : truth->empty)) {
            fail_msg("%s: the journal is gone", where);
        }
        return;
    }
    bool is_old = truth->old && journal->last_epoch >= truth->old_least &&
                  journal->last_epoch <= truth->old_most;
    if (!is_old && (journal->last_epoch < truth->least || journal->last_epoch > truth->most)) {
        fail_msg("%s: ends at %llu, not in %llu to %llu", where,
                 (unsigned long long)journal->last_epoch, (unsigned long long)truth->least,
                 (unsigned long long)truth->most);
    }
    if (!is_old && truth->needed != 0 && journal->first_epoch > truth->needed) {
        fail_msg("%s: begins at %llu, but %llu was needed", where,
                 (unsigned long long)journal->first_epoch, (unsigned long long)truth->needed);
    }
    uint64_t wrong = story_first_wrong(&story, true);
    if (wrong != 0) {
        fail_msg("%s: epoch %llu is not as it was sealed: %s", where, (unsigned long long)wrong,
                 story.fault.text);
    }
}

/* A fold that must cover this epoch finds it and all behind it, and a seed whole and in order. */
static void check_fold(uint64_t start, const char *where)
{
    struct epoch epoch;
    uint64_t next = 0;
    uint64_t seeds = 0;

    if (journal_snapshot(&story.journal, start, &story.place, &epoch, &story.fault) != DONE) {
        fail_msg("%s: no snapshot for %llu: %s", where, (unsigned long long)start,
                 story.fault.text);
    }
    next = epoch.number + 1;
    while (journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault) ==
           DONE) {
        seeds += epoch.kind == EPOCH_SEED ? 1 : 0;
        next = epoch.number + 1;
    }
    if (next != story.journal.last_epoch + 1 || (seeds != 0 && seeds != SEED_FRAMES) ||
        story.place.epoch != next) {
        fail_msg("%s: the fold ends at %llu after %llu seeds: %s", where,
                 (unsigned long long)story.place.epoch, (unsigned long long)seeds,
                 story.fault.text);
    }
}

static void check_folds(const struct truth *truth, const char *where)
{
    uint64_t start = story.journal.first_epoch;
    struct epoch snapshot;

    if (story.journal.empty) {
        return;
    }
    start = truth->needed > start ? truth->needed : start;
    check_fold(story.journal.last_epoch + 1, where);
    check_fold(start, where);
    if (journal_snapshot(&story.journal, start, &story.place, &snapshot, &story.fault) != DONE ||
        snapshot.number >= start) {
        fail_msg("%s: a fold of %llu would begin behind it", where, (unsigned long long)start);
    }
}

static void open_must(const char *where)
{
    if (story_open(&story) != DONE) {
        fail_msg("%s: %s", where, story.fault.text);
    }
}

static const char *recovery(void)
{
    return story.journal.empty ? "Bss" : "kss";
}

/* The cut comes again, at every operation of the recovery; then it may run to its end. */
static void cut_again(struct truth truth, uint64_t damage, const char *where)
{
    for (uint64_t fuse = 1;; fuse++) {
        struct truth again = truth;
        disk_sim_copy(&second, &first);
        story.disk = &second.disk;
        disk_sim_cut_at(&second, fuse, fuse % 2 == 0 ? DISK_SIM_BEFORE : DISK_SIM_HALF);
        open_must(where);
        if (story.journal.empty) {
            again = (struct truth){.nothing = true, .empty = true};
        }
        (void)play(recovery(), &again);
        story_close(&story);
        bool cut = second.dead;
        disk_sim_restart(&second, damage);
        open_must(where);
        check(&again, where);
        check_folds(&again, where);
        story_close(&story);
        if (!cut) {
            return;
        }
    }
}

/* False: the story ran to its end. */
static bool cut_once(const char *verbs, struct truth truth, uint64_t fuse, uint64_t damage,
                     enum disk_sim_moment moment)
{
    char where[128];

    (void)snprintf(where, sizeof(where), "%s, cut at %llu (%s), damage %llu", verbs,
                   (unsigned long long)fuse, moment == DISK_SIM_HALF ? "half" : "before",
                   (unsigned long long)damage);
    disk_sim_copy(&first, &base);
    story.disk = &first.disk;
    disk_sim_cut_at(&first, fuse, moment);
    open_must(where);
    (void)play(verbs, &truth);
    story_close(&story);
    bool cut = first.dead;
    disk_sim_restart(&first, damage);
    open_must(where);
    check(&truth, where);
    check_folds(&truth, where);
    if (!story.journal.empty && truth.old && story.journal.last_epoch < SEED_EPOCH) {
        truth = (struct truth){.least = truth.old_least, .most = truth.old_most};
    }
    truth.most = story.journal.empty ? truth.most : story.journal.last_epoch;
    story_close(&story);
    cut_again(truth, (damage + fuse) % DAMAGES, where);
    return cut;
}

static void tell(const char *text)
{
    const char *bar = strchr(text, '|');
    struct truth truth = {.nothing = true};

    disk_sim_free(&base);
    disk_sim_init(&base);
    story.disk = &base.disk;
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(play(text, &truth), DONE);
    story_close(&story);
    /* The good day ends with everything on the medium. */
    disk_sim_restart(&base, DISK_SIM_ALL_KEPT);
    for (uint64_t damage = 0; damage < DAMAGES; damage++) {
        enum disk_sim_moment moment = damage % 2 == 0 ? DISK_SIM_BEFORE : DISK_SIM_HALF;
        for (uint64_t fuse = 1; cut_once(bar + 1, truth, fuse, damage, moment); fuse++) {
        }
    }
}

static void no_power_cut_loses_or_invents_an_epoch(void **state)
{
    story_init(&story);
    story.settings.segment_size = 8 * DISK_BLOCK;
    for (size_t index = 0; index < sizeof(stories) / sizeof(stories[0]); index++) {
        tell(stories[index]);
    }
    print_message("%llu recoveries\n", (unsigned long long)runs);
    story_free(&story);
    disk_sim_free(&base);
    disk_sim_free(&first);
    disk_sim_free(&second);
}

/* Else frames that nobody keeps could be found again behind those of the old segment. */
static void what_was_cut_off_does_not_come_back(void **state)
{
    enum { SEALED = 4 };

    story_init(&story);
    for (uint64_t kept = 1; kept <= SEALED; kept++) {
        disk_sim_init(&first);
        story.disk = &first.disk;
        assert_int_equal(story_open(&story), DONE);
        assert_int_equal(story_first(&story), DONE);
        assert_int_equal(story_seal_upto(&story, SEALED), DONE);
        story_close(&story);
        disk_sim_restart(&first, DISK_SIM_ALL_KEPT);
        assert_int_equal(story_open(&story), DONE);
        uint64_t found = story.journal.segments[0].size;
        assert_int_equal(story_keep(&story, kept, kept), DONE);
        assert_int_equal(story.journal.segment_count, 2);
        uint64_t cut = story.journal.segments[0].size;
        assert_true(cut < found);
        story_close(&story);
        disk_sim_restart(&first, DISK_SIM_ALL_LOST);
        assert_int_equal(story_open(&story), DONE);
        assert_int_equal(story.journal.segments[0].size, cut);
        assert_int_equal(story_first_wrong(&story, true), 0);
        story_close(&story);
        disk_sim_free(&first);
    }
    story_free(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_cut_off_does_not_come_back),
        cmocka_unit_test(no_power_cut_loses_or_invents_an_epoch),
    };
    return cmocka_run_group_tests_name("power_cut", tests, NULL, NULL);
}
