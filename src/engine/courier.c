#include "engine/courier.h"

#include "journal/frame.h"
#include "os/crash.h"

#include <string.h>

void courier_init(struct courier *courier, struct pipeline *pipeline, struct sink *sink,
                  uint64_t rows_max, void *memory, const struct sink_head *head)
{
    *courier = (struct courier){
        .pipeline = pipeline,
        .sink = sink,
        .rows_max = rows_max,
        .delivered = head->epoch,
        .chain = head->chain,
        .rules = head->rules,
        .place = {.file = -1},
        .memory = memory,
        .memory_size = pipeline_courier_memory_size(pipeline),
    };
}

bool courier_full(const struct courier *courier)
{
    return courier->count >= COURIER_EPOCHS_MAX || courier->rows >= courier->rows_max ||
           courier->bytes + courier->pipeline->frame_size_max > courier->memory_size;
}

/* What is gathered again must be all of what was sent, and no more. */
static bool more_wanted(const struct courier *courier)
{
    return courier->again > 0 ? courier->count < courier->again : !courier_full(courier);
}

static void gathered(struct courier *courier, const struct epoch *epoch, bool pinned)
{
    courier->epochs[courier->count] = epoch;
    courier->pinned[courier->count] = pinned;
    courier->count++;
    courier->rows += epoch->row_count;
    courier->bytes += frame_size(epoch);
}

static enum outcome read_one(struct courier *courier, uint64_t number, struct fault *ret_fault)
{
    struct epoch *epoch = &courier->own[courier->count];

    courier->place.epoch = number;
    courier->place.buffer = courier->memory + courier->memory_used;
    courier->place.buffer_size = courier->memory_size - courier->memory_used;
    enum outcome outcome = journal_read(&courier->pipeline->journal, &courier->place,
                                        JOURNAL_DECISIONS_AND_ROWS, epoch, ret_fault);
    if (outcome == REFUSED) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_GAP,
                        "epoch %llu is not in the journal any more, and sink \"%s\" lacks it",
                        (unsigned long long)number, courier->sink->settings.name);
    }
    if (outcome == DONE) {
        courier->memory_used += frame_size(epoch);
        gathered(courier, epoch, false);
    }
    return outcome;
}

enum outcome courier_gather(struct courier *courier, struct fault *ret_fault)
{
    uint64_t sealed = shelf_sealed_upto(&courier->pipeline->shelf);
    enum outcome outcome = DONE;

    while (outcome == DONE && more_wanted(courier)) {
        uint64_t number = courier->delivered + courier->count + 1;
        if (number > sealed) {
            break;
        }
        const struct epoch *epoch = shelf_pin(&courier->pipeline->shelf, number);
        if (epoch != NULL) {
            gathered(courier, epoch, true);
        } else {
            outcome = read_one(courier, number, ret_fault);
        }
    }
    return outcome;
}

static void let_go(struct courier *courier)
{
    for (size_t index = 0; index < courier->count; index++) {
        if (courier->pinned[index]) {
            shelf_unpin(&courier->pipeline->shelf, courier->epochs[index]);
        }
    }
    courier->count = 0;
    courier->rows = 0;
    courier->bytes = 0;
    courier->memory_used = 0;
}

void courier_close(struct courier *courier)
{
    let_go(courier);
    journal_place_close(&courier->pipeline->journal, &courier->place);
}

static void learn_rules(struct courier *courier, const struct epoch *epoch)
{
    struct span left = {epoch->decisions.at, epoch->decisions.size};
    struct decision decision;
    size_t size;

    while (left.size > 0 &&
           (size = decision_read(left, &courier->pipeline->state.key, &decision)) > 0) {
        if (decision.kind == NOTE_RULES && decision.text.size == sizeof(courier->rules)) {
            memcpy(&courier->rules, decision.text.at, sizeof(courier->rules));
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
}

/* The names and rules for this transaction. Origins below source_count never change. */
static struct delivery prepare(struct courier *courier)
{
    struct pipeline *pipeline = courier->pipeline;
    uint64_t last = courier->delivered + courier->count;

    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    struct delivery delivery = {
        .epochs = courier->epochs,
        .epoch_count = courier->count,
        .origins = pipeline->standing.origins,
        .starts = pipeline->standing.starts,
        .source_count = pipeline->standing.source_count,
        .rules = &courier->rules,
    };
    bool rules_sent = pipeline->standing.rules_epoch <= last;
    if (rules_sent && pipeline->standing.rules_known) {
        courier->rules = pipeline->standing.rules;
    }
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);
    for (size_t index = 0; !rules_sent && index < courier->count; index++) {
        learn_rules(courier, courier->epochs[index]);
    }
    return delivery;
}

/* What the ledger has and what it lacks is what trimming and the shelf go by. */
static void confirm(const struct courier *courier)
{
    if (courier->sink == courier->pipeline->ledger) {
        shelf_confirm(&courier->pipeline->shelf, courier->delivered);
    }
}

enum outcome courier_deliver(struct courier *courier, struct fault *ret_fault)
{
    must(courier->count > 0);

    struct delivery delivery = prepare(courier);
    size_t count = courier->count;
    struct chain last = courier->epochs[count - 1]->chain;
    enum outcome outcome = sink_deliver(courier->sink, &delivery, ret_fault);

    let_go(courier);
    courier->again = outcome == LATER ? count : 0;
    if (outcome == DONE) {
        courier->delivered += count;
        courier->chain = last;
        crash_point("before_ack");
        confirm(courier);
        crash_point("after_ack");
    }
    return outcome;
}

static void stand(struct courier *courier, uint64_t epoch, const struct sink_head *head)
{
    let_go(courier);
    courier->again = 0;
    courier->delivered = epoch;
    courier->chain = head->chain;
    courier->rules = head->rules;
    confirm(courier);
}

/* The ledger lost our row: begin again, if the journal still holds everything from epoch 1. */
static enum outcome begin_again(struct courier *courier, struct sink_head *head,
                                struct fault *ret_fault)
{
    struct pipeline *pipeline = courier->pipeline;

    if (head->other_payments) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                        "sink \"%s\" holds payments, but no row of pipeline \"%s\" any more",
                        courier->sink->settings.name, courier->sink->settings.pipeline);
    }
    if (!pipeline_reaches_back(pipeline, &courier->place, courier->memory, courier->memory_size)) {
        return pipeline_gap(pipeline, head, ret_fault);
    }
    enum outcome outcome = sink_begin(courier->sink, pipeline->journal.journal_id,
                                      &pipeline->settings->rules, ret_fault);
    return outcome == DONE ? sink_read_head(courier->sink, head, ret_fault) : outcome;
}

static enum outcome reacquire(struct courier *courier, struct sink_head *head, bool *ret_restored,
                              struct fault *ret_fault)
{
    struct pipeline *pipeline = courier->pipeline;
    enum outcome outcome = DONE;
    uint64_t epoch = 0;

    if (!head->exists) {
        outcome = begin_again(courier, head, ret_fault);
    } else if (head->epoch > 0) {
        outcome = journal_find_chain(&pipeline->journal, &head->chain, &epoch, ret_fault);
        if (outcome == DONE && epoch == 0) {
            return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                            "sink \"%s\" stands at epoch %llu with a chain that is not ours: "
                            "another owner of pipeline \"%s\" was here",
                            courier->sink->settings.name, (unsigned long long)head->epoch,
                            courier->sink->settings.pipeline);
        }
    } else if (!pipeline_reaches_back(pipeline, &courier->place, courier->memory,
                                      courier->memory_size)) {
        return pipeline_gap(pipeline, head, ret_fault);
    }
    if (outcome == DONE) {
        *ret_restored = epoch < courier->delivered;
        stand(courier, epoch, head);
    }
    return outcome;
}

enum outcome courier_audit(struct courier *courier, bool *ret_restored, struct fault *ret_fault)
{
    struct sink_head head;

    *ret_restored = false;
    enum outcome outcome = sink_audit(courier->sink, ret_fault);
    if (outcome == DONE) {
        outcome = sink_read_head(courier->sink, &head, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    if (head.exists && head.epoch == courier->delivered &&
        chain_same(&head.chain, &courier->chain)) {
        return DONE;
    }
    return reacquire(courier, &head, ret_restored, ret_fault);
}
