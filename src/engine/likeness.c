#include "engine/likeness.h"

#include <string.h>

/* Both number their sources as they met them: the same way, as long as all is well. */
static enum outcome same_sources(struct sink *ledger, struct sink *follower,
                                 struct fault *ret_fault)
{
    struct sink_cursor left;
    struct sink_cursor right;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE; index++) {
        outcome = sink_read_cursor(follower, index, &right, ret_fault);
        if (outcome == DONE) {
            outcome = sink_read_cursor(ledger, index, &left, ret_fault);
            if (outcome == LATER ||
                (outcome == DONE && !origin_same(&left.origin, &right.origin))) {
                return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                                "sink \"%s\" has a cursor of %s/%u as its source %zu; the ledger "
                                "has not",
                                follower->settings.name, right.origin.topic, right.origin.partition,
                                index);
            }
        }
    }
    return outcome == LATER ? DONE : outcome;
}

static enum outcome on_history(struct likeness *likeness, struct sink *ledger,
                               struct sink *follower, struct sink_head *ret_head,
                               struct fault *ret_fault)
{
    struct sink_head head;
    uint64_t found = 0;
    enum outcome outcome = sink_read_head(follower, ret_head, ret_fault);

    if (outcome == DONE) { /* The ledger's moment is the later one. */
        outcome = sink_read_head(ledger, &head, ret_fault);
    }
    if (outcome == DONE && ret_head->epoch > 0) {
        outcome = sink_find_chain(ledger, &ret_head->chain, &found, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    likeness->epoch = ret_head->epoch;
    likeness->ledger_epoch = head.epoch;
    if (found != ret_head->epoch) {
        return fault_is(ret_fault, BROKEN,
                        ret_head->epoch > head.epoch ? FAULT_FOLLOWER_AHEAD
                                                     : FAULT_LEDGER_OTHER_HISTORY,
                        "sink \"%s\" stands at epoch %llu, and not on the history of the ledger, "
                        "which stands at epoch %llu",
                        follower->settings.name, (unsigned long long)ret_head->epoch,
                        (unsigned long long)head.epoch);
    }
    return DONE;
}

/* The row as it is drawn; 0: it is not there. */
static enum outcome draw(struct sink *sink, enum table table, uint64_t seq, uint8_t *to,
                         size_t *ret_size, uint64_t *ret_epoch, struct fault *ret_fault)
{
    struct row row;
    int64_t decided_ms;
    enum outcome outcome = sink_read_row(sink, table, seq, &row, ret_epoch, &decided_ms, ret_fault);

    *ret_size = 0;
    if (outcome == DONE && row.numbers[0] == (int64_t)seq) {
        *ret_size = row_write(&row, to);
    }
    return outcome == LATER ? DONE : outcome;
}

static enum outcome compare(struct likeness *likeness, struct sink *ledger, struct sink *follower,
                            enum table table, uint64_t seq, struct fault *ret_fault)
{
    size_t sizes[2];
    uint64_t epochs[2] = {0, 0};
    enum outcome outcome =
        draw(ledger, table, seq, likeness->left, &sizes[0], &epochs[0], ret_fault);

    if (outcome == DONE) {
        outcome = draw(follower, table, seq, likeness->right, &sizes[1], &epochs[1], ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    likeness->rows++;
    if (sizes[0] == 0 || sizes[0] != sizes[1] || epochs[0] != epochs[1] ||
        memcmp(likeness->left, likeness->right, sizes[0]) != 0) {
        if (likeness->different++ == 0) {
            likeness->table = table;
            likeness->seq = seq;
        }
    }
    return DONE;
}

enum outcome likeness_look(struct likeness *likeness, struct sink *ledger, struct sink *follower,
                           struct fault *ret_fault)
{
    struct sink_head head;

    likeness->rows = 0;
    likeness->different = 0;
    enum outcome outcome = on_history(likeness, ledger, follower, &head, ret_fault);
    if (outcome == DONE) {
        outcome = same_sources(ledger, follower, ret_fault);
    }
    for (enum table table = 0; outcome == DONE && table < TABLE_METRICS; table++) {
        for (uint64_t seq = 1; outcome == DONE && seq < head.seq_next[table]; seq++) {
            outcome = compare(likeness, ledger, follower, table, seq, ret_fault);
        }
    }
    return outcome;
}
