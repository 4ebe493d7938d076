#include "base/plural.h"
#include "engine/reconcile_parts.h"

#include <stdlib.h>
#include <string.h>

enum { TRUTH_LINE_LEAST = 8, TRUTH_LINE_USUAL = 60 };

static uint64_t rows_with_id(const struct reconcile *reconcile)
{
    return reconcile->head.seq_next[TABLE_TRANSACTIONS] +
           reconcile->head.seq_next[TABLE_DEAD_LETTERS];
}

enum outcome reconcile_match_begin(struct reconcile *reconcile, struct fault *ret_fault)
{
    uint64_t truth_size = reconcile->settings.truth == NULL ? 0 : reconcile->truth.size;
    uint64_t wanted =
        (rows_with_id(reconcile) + truth_size / TRUTH_LINE_USUAL) * sizeof(struct match);
    uint64_t sent_most = truth_size / TRUTH_LINE_LEAST + 1;

    reconcile->share_count = wanted / reconcile->settings.match_bytes + 1;
    reconcile->known.capacity = rows_with_id(reconcile);
    reconcile->sent.capacity = sent_most;
    reconcile->known.entries =
        reconcile_reserve(reconcile, reconcile->known.capacity * sizeof(struct match), ret_fault);
    reconcile->sent.entries =
        reconcile_reserve(reconcile, sent_most * sizeof(struct match), ret_fault);
    reconcile->suspects = reconcile_reserve(
        reconcile, RECONCILE_SUSPECTS_MAX * sizeof(*reconcile->suspects), ret_fault);
    if (reconcile->known.entries == NULL || reconcile->sent.entries == NULL ||
        reconcile->suspects == NULL) {
        return BROKEN;
    }
    return DONE;
}

void reconcile_match_row(struct reconcile *reconcile, struct span id, struct money amount,
                         const char *currency, enum verdict verdict)
{
    uint64_t digest = match_id(&reconcile->key, id);

    if (digest % reconcile->share_count == reconcile->share) {
        match_add(&reconcile->known, digest,
                  match_content(&reconcile->key, amount, currency, verdict));
    }
}

static void suspect(struct reconcile *reconcile, enum reconcile_kind kind, uint64_t id)
{
    reconcile->report.found[kind]++;
    if (reconcile->suspect_count < RECONCILE_SUSPECTS_MAX) {
        reconcile->suspects[reconcile->suspect_count++] =
            (struct reconcile_suspect){.id = id, .kind = kind};
    }
}

/* What the ledger has of one id. */
struct known_group {
    const struct match *entries;
    size_t count;
    size_t accepted;
};

/* Is there one of this money and verdict? MATCH_UNKNOWN: of this money, set aside. */
static bool group_has(const struct known_group *group, const struct match *sent, unsigned verdict)
{
    for (size_t index = 0; index < group->count; index++) {
        unsigned became = match_verdict(&group->entries[index]);
        bool fits = verdict == MATCH_UNKNOWN ? became != ACCEPTED : became == verdict;
        if (fits && match_same_money(&group->entries[index], sent)) {
            return true;
        }
    }
    return false;
}

/* A payment that is to be accepted, or about which nothing is said. */
static void lay_accepted(struct reconcile *reconcile, const struct match *sent,
                         const struct known_group *group)
{
    if (group_has(group, sent, ACCEPTED)) {
        reconcile->report.truth_accepted++;
    } else if (group->accepted > 0) {
        suspect(reconcile, RECONCILE_AMOUNT, sent->id);
    } else if (match_verdict(sent) == MATCH_UNKNOWN && group_has(group, sent, MATCH_UNKNOWN)) {
        reconcile->report.truth_aside++;
    } else {
        suspect(reconcile, group->count > 0 ? RECONCILE_VERDICT : RECONCILE_MISSING, sent->id);
    }
}

static void lay_aside(struct reconcile *reconcile, const struct match *sent,
                      const struct known_group *group)
{
    if (match_verdict(sent) == INVALID && group->count == 0) {
        reconcile->sent_invalid++; /* Its row names no id; such rows are only counted. */
    } else if (group_has(group, sent, match_verdict(sent))) {
        reconcile->report.truth_aside++;
    } else {
        suspect(reconcile, group->count > 0 ? RECONCILE_VERDICT : RECONCILE_MISSING, sent->id);
    }
}

/* One id: what the truth says of it, and what the ledger has. */
static void lay_group(struct reconcile *reconcile, uint64_t id, const struct match *sent,
                      size_t sent_count, const struct known_group *group)
{
    if (group->accepted > 1) {
        suspect(reconcile, RECONCILE_REACCEPTED, id);
    }
    if (reconcile->settings.truth == NULL) {
        return;
    }
    if (sent_count == 0) {
        suspect(reconcile, RECONCILE_EXTRA, id);
    }
    for (size_t index = 0; index < sent_count; index++) {
        unsigned expected = match_verdict(&sent[index]);
        if (index > 0 && index >= group->accepted) {
            suspect(reconcile, RECONCILE_MISSING, id); /* Named more often than it is there. */
        } else if (expected == ACCEPTED || expected == MATCH_UNKNOWN) {
            lay_accepted(reconcile, &sent[index], group);
        } else {
            lay_aside(reconcile, &sent[index], group);
        }
    }
}

/* The two sorted lists side by side, id by id. */
static void lay_lists(struct reconcile *reconcile)
{
    const struct match_list *known = &reconcile->known;
    const struct match_list *sent = &reconcile->sent;
    size_t at_known = 0;
    size_t at_sent = 0;

    while (at_known < known->count || at_sent < sent->count) {
        uint64_t id = at_known == known->count ? sent->entries[at_sent].id
                      : at_sent == sent->count ? known->entries[at_known].id
                      : known->entries[at_known].id < sent->entries[at_sent].id
                          ? known->entries[at_known].id
                          : sent->entries[at_sent].id;
        struct known_group group = {.entries = known->entries + at_known};
        size_t sent_first = at_sent;
        if (at_known < known->count && known->entries[at_known].id == id) {
            group.count = match_group(known, at_known);
        }
        if (at_sent < sent->count && sent->entries[at_sent].id == id) {
            at_sent += match_group(sent, at_sent);
        }
        for (size_t index = 0; index < group.count; index++) {
            group.accepted += match_verdict(&group.entries[index]) == ACCEPTED ? 1 : 0;
        }
        lay_group(reconcile, id, sent->entries + sent_first, at_sent - sent_first, &group);
        at_known += group.count;
    }
}

static void count_sent(struct reconcile *reconcile, const struct truth_row *row)
{
    struct reconcile_sum *sum = &reconcile->sums[reconcile_currency_index(row->currency)];
    bool aside = row->expectation && row->expected != ACCEPTED;

    reconcile->report.truth_rows++;
    *(aside ? &sum->sent_aside : &sum->sent) += 1;
    if (!money_add(aside ? &sum->sent_aside_sum : &sum->sent_sum, row->amount)) {
        reconcile_tell(reconcile, RECONCILE_VALUE, "the truth's sum of %s is too large to be true",
                       row->currency);
    }
}

/* Some lines more of the truth into the list. */
static enum outcome read_truth(struct reconcile *reconcile, struct fault *ret_fault)
{
    struct truth_row row;

    for (size_t count = 0; count < RECONCILE_STEP_ROWS; count++) {
        enum outcome outcome = truth_read(&reconcile->truth, &row, ret_fault);
        if (outcome != DONE) {
            return outcome == LATER ? DONE : outcome;
        }
        uint64_t id = match_id(&reconcile->key, row.id);
        if (reconcile->share == 0) {
            count_sent(reconcile, &row);
        }
        if (id % reconcile->share_count == reconcile->share) {
            if (reconcile->sent.count == reconcile->sent.capacity) {
                return fault_is(ret_fault, BROKEN, FAULT_TRUTH, "%s grows while it is read",
                                reconcile->settings.truth);
            }
            match_add(&reconcile->sent, id,
                      match_content(&reconcile->key, row.amount, row.currency,
                                    row.expectation ? row.expected : MATCH_UNKNOWN));
        }
    }
    return LATER;
}

static int compare_suspects(const void *left, const void *right)
{
    const struct reconcile_suspect *one = left;
    const struct reconcile_suspect *other = right;

    if (one->id != other->id) {
        return one->id < other->id ? -1 : 1;
    }
    return one->kind < other->kind ? -1 : one->kind > other->kind;
}

static void end_shares(struct reconcile *reconcile)
{
    uint64_t found = reconcile->report.counts[INVALID];
    uint64_t sent = reconcile->sent_invalid;

    reconcile->report.truth_aside += sent < found ? sent : found;
    if (sent > found) {
        reconcile_tell(reconcile, RECONCILE_MISSING,
                       "%llu payment%s expected to be invalid and without a row",
                       (unsigned long long)(sent - found), plural(sent - found));
        reconcile->report.found[RECONCILE_MISSING] += sent - found - 1;
    }
    qsort(reconcile->suspects, reconcile->suspect_count, sizeof(*reconcile->suspects),
          compare_suspects);
}

enum outcome reconcile_match_truth(struct reconcile *reconcile, struct fault *ret_fault)
{
    if (reconcile->settings.truth != NULL) {
        enum outcome outcome = DONE;
        if (!reconcile->truth_opened) {
            outcome = truth_open(&reconcile->truth, reconcile->settings.truth, ret_fault);
            reconcile->truth_opened = true;
        }
        if (outcome == DONE) {
            outcome = read_truth(reconcile, ret_fault);
        }
        if (outcome != DONE) {
            return outcome;
        }
        truth_close(&reconcile->truth);
        reconcile->truth_opened = false;
    }
    match_sort(&reconcile->known);
    match_sort(&reconcile->sent);
    lay_lists(reconcile);
    reconcile->known.count = 0;
    reconcile->sent.count = 0;
    reconcile->share++;
    if (reconcile->share == reconcile->share_count) {
        end_shares(reconcile);
    }
    return DONE;
}
