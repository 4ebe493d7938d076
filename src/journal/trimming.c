/* Letting go of the oldest segments, one by one. */
#include "journal/segment.h"

/*
 * May the oldest one go? Only if the next one has a snapshot from which everything needed can be
 * folded, and by age, or because there is more than there may be.
 */
static bool may_go(const struct journal *journal, uint64_t needed, int64_t now_ms)
{
    const struct journal_segment *next = &journal->segments[1];

    if (journal->segment_count < 2 || next->snapshot >= needed) {
        return false;
    }
    if (journal->settings.max_bytes != 0 && journal->bytes > journal->settings.max_bytes) {
        return true;
    }
    return now_ms - journal->settings.keep_ms >= next->begun_ms;
}

static void take_off(struct journal *journal)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->bytes -= journal->segments[0].size;
    journal->segment_count--;
    for (size_t index = 0; index < journal->segment_count; index++) {
        journal->segments[index] = journal->segments[index + 1];
    }
    journal->first_epoch = journal->segments[0].after + 1;
    (void)pthread_mutex_unlock(&journal->mutex);
}

enum outcome journal_trim(struct journal *journal, uint64_t needed, int64_t now_ms,
                          struct fault *ret_fault)
{
    enum outcome outcome = DONE;
    bool any = false;

    must(journal->ready);
    if (journal->failed) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO,
                        "the journal failed before: nothing more is written to it");
    }
    while (outcome == DONE && may_go(journal, needed, now_ms)) {
        struct journal_segment oldest = journal->segments[0];
        take_off(journal); /* First: nobody begins to read it any more. */
        outcome = segment_drop(journal, oldest.serial, oldest.size, ret_fault);
        any = any || outcome == DONE;
    }
    if (any && outcome != BROKEN) { /* Or a name would lead to a file that was used again. */
        enum outcome synced = journal_sync_directory(journal, ret_fault);
        outcome = synced == DONE ? outcome : synced;
    }
    return outcome;
}
