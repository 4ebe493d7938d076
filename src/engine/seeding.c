/* Rule R3: a new journal, seeded from what the ledger holds, written before anything acts on it. */
#include "engine/seed_rules.h"

#include "os/crash.h"

#include <string.h>

static void add_facts(struct epoch *snapshot, struct decision note,
                      const struct source_facts *facts)
{
    if (facts->cluster[0] != '\0' || facts->topic_id[0] != '\0') {
        note.kind = NOTE_FACTS;
        note.text = (struct span){facts, sizeof(*facts)};
        epoch_add_decision(snapshot, &note);
    }
}

/* Where the ledger stands, as a snapshot: its cursors become our sources, in its order. */
static enum outcome read_cursors(struct pipeline *pipeline, struct epoch *snapshot,
                                 struct fault *ret_fault)
{
    struct sink_cursor cursor;
    enum outcome outcome;

    while ((outcome = sink_read_cursor(pipeline->ledger, snapshot->range_count, &cursor,
                                       ret_fault)) == DONE) {
        struct decision note = {.kind = NOTE_SOURCE,
                                .source = (uint16_t)snapshot->range_count,
                                .offset = cursor.start,
                                .event_ms = INSTANT_NONE,
                                .text = {&cursor.origin, sizeof(cursor.origin)}};
        if (snapshot->range_count >= SOURCES_MAX) {
            return fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT, "more than %d sources",
                            SOURCES_MAX);
        }
        cursor.range.source = note.source;
        cursor.range.first = cursor.range.next;
        epoch_add_decision(snapshot, &note);
        add_facts(snapshot, note, &cursor.facts);
        snapshot->ranges[snapshot->range_count++] = cursor.range;
    }
    return outcome == LATER ? DONE : outcome;
}

static enum outcome read_totals(struct pipeline *pipeline, struct epoch *snapshot,
                                struct fault *ret_fault)
{
    struct epoch_total total;
    enum outcome outcome;

    while ((outcome = sink_read_total(pipeline->ledger, snapshot->total_count, &total,
                                      ret_fault)) == DONE) {
        if (snapshot->total_count >= EPOCH_TOTALS_MAX || total.source >= snapshot->range_count) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\": total %zu belongs to no cursor",
                            pipeline->ledger->settings.name, snapshot->total_count);
        }
        snapshot->totals[snapshot->total_count++] = total;
    }
    return outcome == LATER ? DONE : outcome;
}

static enum outcome read_snapshot(struct pipeline *pipeline, struct epoch *snapshot,
                                  struct fault *ret_fault)
{
    const struct sink_head *head = &pipeline->head;

    epoch_clear(snapshot);
    snapshot->number = head->epoch;
    snapshot->chain = head->chain;
    snapshot->prev_chain = head->chain;
    snapshot->watermark_ms = head->watermark_ms;
    snapshot->seed_epoch = head->seed_epoch;
    memcpy(snapshot->seq_next, head->seq_next, sizeof(snapshot->seq_next));
    enum outcome outcome = read_cursors(pipeline, snapshot, ret_fault);
    if (outcome == DONE) {
        outcome = seed_rules_snapshot(pipeline, snapshot, ret_fault);
    }
    if (outcome == DONE) {
        outcome = read_totals(pipeline, snapshot, ret_fault);
    }
    return outcome;
}

/* Rows are dense: this one is there, or the ledger is damaged. */
static enum outcome read_accepted(struct pipeline *pipeline, uint64_t seq, struct row *ret_row,
                                  uint64_t *ret_epoch, struct fault *ret_fault)
{
    int64_t decided_ms;
    enum outcome outcome = sink_read_row(pipeline->ledger, TABLE_TRANSACTIONS, seq, ret_row,
                                         ret_epoch, &decided_ms, ret_fault);

    if (outcome == LATER ||
        (outcome == DONE && ret_row->numbers[TRANSACTION_SEQ] != (int64_t)seq)) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\": accepted row %llu is missing",
                        pipeline->ledger->settings.name, (unsigned long long)seq);
    }
    return outcome;
}

/* The first accepted row of epoch seed_epoch or later: seq and epoch grow together. */
static enum outcome first_row(struct pipeline *pipeline, uint64_t *ret_seq, struct fault *ret_fault)
{
    uint64_t low = 1;
    uint64_t high = pipeline->head.seq_next[TABLE_TRANSACTIONS];

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct row row;
        uint64_t epoch = 0;
        enum outcome outcome = read_accepted(pipeline, middle, &row, &epoch, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        if (epoch < pipeline->head.seed_epoch) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_seq = low;
    return DONE;
}

/* A piece of the seed: written, synced, and emptied for the next. */
static enum outcome seal_piece(struct pipeline *pipeline, struct epoch *piece, bool last,
                               struct fault *ret_fault)
{
    struct epoch snapshot;

    piece->kind = EPOCH_SEED;
    piece->seed_last = last;
    piece->number = pipeline->head.epoch;
    piece->prev_chain = pipeline->head.chain;
    piece->chain = pipeline->head.chain;
    piece->watermark_ms = pipeline->head.watermark_ms;
    piece->decided_ms = clock_wall_ms(pipeline->clock);
    piece->sealed_ms = piece->decided_ms;
    memcpy(piece->seq_next, pipeline->head.seq_next, sizeof(piece->seq_next));
    horizon_add(&pipeline->horizon, piece->seed_epoch, piece->newest_accepted_ms);
    bool wanted = journal_wants_snapshot(&pipeline->journal, piece);
    if (wanted) {
        standing_snapshot(&pipeline->standing, &snapshot);
    }
    enum outcome outcome =
        journal_seal(&pipeline->journal, piece, wanted ? &snapshot : NULL, ret_fault);
    crash_point("half_seed");
    epoch_clear(piece);
    piece->seed_epoch = 0;
    state_epoch_end(&pipeline->state);
    return outcome;
}

static enum outcome learn_row(struct pipeline *pipeline, struct epoch *piece, const struct row *row,
                              struct fault *ret_fault)
{
    struct judgement judgement = {.verdict = ACCEPTED};
    struct message message = {.offset = (uint64_t)row->numbers[TRANSACTION_OFFSET],
                              .arrival_ms = row->numbers[TRANSACTION_ARRIVAL_MS],
                              .source = (uint16_t)row->numbers[TRANSACTION_SOURCE],
                              .selected = true};
    struct decision decision;

    if (message.source >= pipeline->standing.source_count) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\": accepted row %lld belongs to no cursor",
                        pipeline->ledger->settings.name, (long long)row->numbers[TRANSACTION_SEQ]);
    }
    drawing_payment(row, &pipeline->carried, &message.payment);
    payment_derive(&message.payment, &pipeline->state.key);
    payment_place(&message.payment, &pipeline->state.key);
    state_decide(&message, &judgement, &decision);
    enum outcome outcome = state_seed(&pipeline->state, &decision, ret_fault);
    if (outcome == DONE) {
        epoch_add_decision(piece, &decision);
    }
    return outcome;
}

static enum outcome seed_rows(struct pipeline *pipeline, struct epoch *piece,
                              struct fault *ret_fault)
{
    uint64_t end = pipeline->head.seq_next[TABLE_TRANSACTIONS];
    uint64_t seq = end;
    struct seed_rules rules;
    enum outcome outcome = first_row(pipeline, &seq, ret_fault);

    seed_rules_init(&rules, pipeline);
    epoch_clear(piece);
    piece->seed_epoch = 0;
    for (; outcome == DONE && seq < end; seq++) {
        struct row row;
        uint64_t epoch = 0;
        outcome = read_accepted(pipeline, seq, &row, &epoch, ret_fault);
        if (outcome == DONE && piece->seed_epoch == 0) {
            piece->seed_epoch = epoch;
        }
        if (outcome == DONE) {
            outcome = seed_rules_upto(&rules, epoch, piece, ret_fault);
        }
        if (outcome == DONE) {
            outcome = learn_row(pipeline, piece, &row, ret_fault);
        }
        if (outcome == DONE && piece->decisions.size >= pipeline->settings->epoch_bytes_max) {
            outcome = seal_piece(pipeline, piece, false, ret_fault);
        }
    }
    if (outcome == DONE) {
        outcome = seed_rules_upto(&rules, pipeline->head.epoch, piece, ret_fault);
    }
    if (outcome == DONE && piece->seed_epoch == 0) {
        piece->seed_epoch = pipeline->head.epoch;
    }
    return outcome == DONE ? seal_piece(pipeline, piece, true, ret_fault) : outcome;
}

enum outcome pipeline_seed(struct pipeline *pipeline, struct fault *ret_fault)
{
    bool rows = pipeline->head.epoch > 0;

    if (rows && pipeline->settings->sinks[0].cursors_only) {
        (void)fault_is(
            ret_fault, BROKEN, FAULT_LEDGER_GAP,
            "the journal does not reach to epoch %llu, where sink \"%s\" stands: the ids it "
            "remembered are gone, and a ledger of cursors keeps no payments to learn them from",
            (unsigned long long)pipeline->head.epoch, pipeline->ledger->settings.name);
        fault_next(ret_fault, "restore the volume of data_dir; if it is lost, read all anew: an "
                              "empty data_dir, empty topics, and best a SQLite sink before them, "
                              "from which a journal can be rebuilt");
        return BROKEN;
    }
    struct epoch *epoch = shelf_open(&pipeline->shelf, 0);

    must(epoch != NULL);
    pipeline->recovered_seed = true;
    standing_clear(&pipeline->standing);
    enum outcome outcome = read_snapshot(pipeline, epoch, ret_fault);
    if (outcome == DONE) {
        outcome = journal_begin(&pipeline->journal, epoch, rows, ret_fault);
    }
    if (outcome == DONE) {
        state_init(&pipeline->state, &pipeline->journal.key, &pipeline->state_memory);
        outcome = pipeline_fold_snapshot(pipeline, epoch, ret_fault);
    }
    if (outcome == DONE && rows) {
        outcome = seed_rows(pipeline, epoch, ret_fault);
    }
    crash_point("after_seed");
    shelf_return(&pipeline->shelf, epoch);
    return outcome;
}
