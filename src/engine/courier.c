#include "engine/courier.h"

void courier_init(struct courier *courier, struct pipeline *pipeline, struct sink *sink,
                  uint64_t rows_max, void *memory, size_t memory_size)
{
    *courier = (struct courier){
        .pipeline = pipeline,
        .sink = sink,
        .rows_max = rows_max,
        .place = {.file = -1},
        .memory = memory,
        .memory_size = memory_size,
    };
}

bool courier_full(const struct courier *courier)
{
    return courier->count >= COURIER_EPOCHS_MAX || courier->rows >= courier->rows_max;
}

static void gathered(struct courier *courier, const struct epoch *epoch, bool pinned)
{
    courier->epochs[courier->count] = epoch;
    courier->pinned[courier->count] = pinned;
    courier->count++;
    courier->rows += epoch->row_count;
}

/* LATER: the lent memory holds no more; what there is must be delivered first. */
static enum outcome read_one(struct courier *courier, uint64_t number, struct fault *ret_fault)
{
    struct epoch *epoch = &courier->own[courier->count];

    courier->place.epoch = number;
    courier->place.buffer = courier->memory + courier->memory_used;
    courier->place.buffer_size = courier->memory_size - courier->memory_used;
    if (courier->count > 0 && courier->place.buffer_size < courier->memory_size / 2) {
        return LATER;
    }
    enum outcome outcome = journal_read(&courier->pipeline->journal, &courier->place,
                                        JOURNAL_DECISIONS_AND_ROWS, epoch, ret_fault);
    if (outcome == REFUSED) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_GAP,
                        "epoch %llu is not in the journal any more, and sink \"%s\" lacks it",
                        (unsigned long long)number, courier->sink->settings.name);
    }
    if (outcome == DONE) {
        const uint8_t *end = epoch->rows.at + epoch->rows.size;
        size_t used = (size_t)(end - courier->memory);
        courier->memory_used = (used + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
        gathered(courier, epoch, false);
    }
    return outcome;
}

enum outcome courier_gather(struct courier *courier, struct fault *ret_fault)
{
    uint64_t sealed = shelf_sealed_upto(&courier->pipeline->shelf);
    enum outcome outcome = DONE;

    while (outcome == DONE && !courier_full(courier)) {
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
    return outcome == LATER ? DONE : outcome;
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
    courier->memory_used = 0;
}

enum outcome courier_deliver(struct courier *courier, struct fault *ret_fault)
{
    struct pipeline *pipeline = courier->pipeline;

    must(courier->count > 0);
    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    struct rules rules = pipeline->standing.rules;
    struct delivery delivery = {
        .epochs = courier->epochs,
        .epoch_count = courier->count,
        .origins = pipeline->standing.origins, /* Rows below source_count never change. */
        .starts = pipeline->standing.starts,
        .source_count = pipeline->standing.source_count,
        .rules = &rules,
    };
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);

    enum outcome outcome = sink_deliver(courier->sink, &delivery, ret_fault);
    if (outcome == DONE) {
        courier->delivered += courier->count;
        let_go(courier);
    }
    return outcome;
}

void courier_stand(struct courier *courier, uint64_t delivered)
{
    let_go(courier);
    courier->delivered = delivered;
}
