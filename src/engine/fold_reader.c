#include "engine/fold_reader.h"

#include "journal/frame.h"
#include "os/memory.h"

/* Where a frame of the largest size fits. False: not before some are given back. */
static bool find_room(struct fold_reader *reader)
{
    bool empty = reader->epochs_read == reader->epochs_done;

    if (empty) {
        reader->head = 0;
        reader->tail = 0;
        return true;
    }
    if (reader->epochs_read - reader->epochs_done == FOLD_EPOCHS) {
        return false;
    }
    if (reader->head > reader->tail && reader->tail >= reader->frame_size_max) {
        reader->head = 0; /* As near the front as can be: pages once touched are used again. */
    }
    size_t end = reader->head > reader->tail ? reader->memory_size : reader->tail;
    return end - reader->head >= reader->frame_size_max;
}

static bool ready_to_fill(struct fold_reader *reader)
{
    return reader->filled - reader->taken < FOLD_BATCHES && (reader->within || find_room(reader));
}

/* Bytes of the frame that the epoch needs: not its rows. */
static size_t taken_up(const struct epoch *epoch, const uint8_t *frame)
{
    const uint8_t *end = epoch->decisions.at + epoch->decisions.size;

    return ((size_t)(end - frame) + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

static enum outcome read_epoch(struct fold_reader *reader, struct fault *ret_fault)
{
    size_t number = reader->epochs_read % FOLD_EPOCHS;
    struct epoch *epoch = &reader->epochs[number];

    reader->place->buffer = reader->memory + reader->head;
    reader->place->buffer_size = reader->frame_size_max;
    enum outcome outcome =
        journal_read(reader->journal, reader->place, JOURNAL_DECISIONS, epoch, ret_fault);
    if (outcome == DONE) {
        epoch->without_notes = true; /* Until one is met. */
        reader->left = (struct span){epoch->decisions.at, epoch->decisions.size};
        reader->within = true;
        reader->head += taken_up(epoch, reader->place->buffer);
        reader->ends[number] = reader->head;
        reader->epochs_read++;
    }
    return outcome;
}

/* The one whose records are being decoded. */
static struct epoch *newest_epoch(struct fold_reader *reader)
{
    return &reader->epochs[(reader->epochs_read - 1) % FOLD_EPOCHS];
}

/* Up to a batch of records, or to one that is none. */
static enum outcome decode(struct fold_reader *reader, size_t *ret_count, struct fault *ret_fault)
{
    *ret_count = 0;
    while (*ret_count < FOLD_BATCH && reader->left.size > 0) {
        struct decision *decision = &reader->decisions[*ret_count];
        size_t size = decision_read(reader->left, &reader->state->key, decision);
        if (size == 0) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu holds a record that is none",
                            (unsigned long long)newest_epoch(reader)->number);
        }
        if (decision_is_note(decision)) {
            newest_epoch(reader)->without_notes = false;
        }
        reader->left =
            (struct span){(const uint8_t *)reader->left.at + size, reader->left.size - size};
        ++*ret_count;
    }
    return DONE;
}

/* To all but ids and senders; what is left to these goes into the batch. */
static enum outcome apply(struct fold_reader *reader, struct fold_batch *batch, size_t count,
                          struct fault *ret_fault)
{
    struct state *state = reader->state;
    bool seed = batch->epoch->kind == EPOCH_SEED;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < count; index++) {
        const struct decision *decision = &reader->decisions[index];
        bool left = state_leave_accepted(state, decision, &batch->accepted[batch->count]);
        outcome =
            seed ? state_seed(state, decision, ret_fault) : state_apply(state, decision, ret_fault);
        batch->count += outcome == DONE && left ? 1 : 0;
    }
    return outcome;
}

/* A record that cannot follow comes before one behind it that is none. */
static enum outcome take_records(struct fold_reader *reader, struct fold_batch *batch)
{
    size_t count;
    enum outcome decoded = decode(reader, &count, &batch->fault);
    enum outcome applied = apply(reader, batch, count, &batch->fault);

    if (applied != DONE || decoded != DONE) {
        return applied != DONE ? applied : decoded;
    }
    batch->last = reader->left.size == 0;
    reader->within = !batch->last;
    if (batch->last) {
        state_epoch_end(reader->state);
        batch->settled_ms = state_settled_ms(reader->state);
    }
    return DONE;
}

/* There is room for it. */
static void fill(struct fold_reader *reader, struct fold_batch *batch)
{
    batch->count = 0;
    batch->last = false;
    batch->epoch = NULL;
    batch->outcome = reader->within ? DONE : read_epoch(reader, &batch->fault);
    if (batch->outcome == DONE) {
        batch->epoch = newest_epoch(reader);
        batch->outcome = take_records(reader, batch);
    }
}

static void back(struct span ahead, struct span *backed)
{
    if (ahead.size > 0 && (ahead.at != backed->at || ahead.size != backed->size)) {
        memory_back((void *)(uintptr_t)ahead.at, ahead.size);
        *backed = ahead;
    }
}

/*
 * To wake another thread costs as much as a batch. So the reading side sleeps until half of its
 * batches are free, and the caller until a few are filled, or no other can be.
 */
enum { BATCHES_ENOUGH = FOLD_BATCHES / 4 };

static void wake_reading(struct fold_reader *reader)
{
    if (reader->sated && reader->filled - reader->taken <= FOLD_BATCHES / 2) {
        (void)pthread_cond_signal(&reader->changed);
    }
}

static void wake_caller(struct fold_reader *reader, bool going)
{
    if (reader->hungry &&
        (reader->filled - reader->taken >= BATCHES_ENOUGH || !going || !ready_to_fill(reader))) {
        reader->hungry = false;
        (void)pthread_cond_signal(&reader->changed);
    }
}

static void wait_for_room(struct fold_reader *reader)
{
    while (!reader->stopping && !ready_to_fill(reader)) {
        reader->sated = true;
        (void)pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    reader->sated = false;
}

static void *run(void *argument)
{
    struct fold_reader *reader = argument;
    struct span backed = {NULL, 0};
    bool going = true;

    (void)pthread_mutex_lock(&reader->mutex);
    while (going) {
        wait_for_room(reader);
        if (reader->stopping) {
            break;
        }
        struct fold_batch *batch = &reader->batches[reader->filled % FOLD_BATCHES];
        struct span ahead = reader->ahead;
        (void)pthread_mutex_unlock(&reader->mutex);
        back(ahead, &backed);
        fill(reader, batch);
        going = batch->outcome == DONE;
        (void)pthread_mutex_lock(&reader->mutex);
        reader->filled++;
        wake_caller(reader, going);
    }
    (void)pthread_mutex_unlock(&reader->mutex);
    return NULL;
}

void fold_reader_start(struct fold_reader *reader, struct journal *journal,
                       struct journal_place *place, void *memory, size_t memory_size,
                       size_t frame_size_max, struct state *state, bool beside)
{
    must(memory_size >= 2 * frame_size_max);
    reader->journal = journal;
    reader->place = place;
    reader->state = state;
    state_accepted_apart(state, true);
    reader->lent = *place;
    reader->memory = memory;
    reader->memory_size = memory_size;
    reader->frame_size_max = frame_size_max;
    reader->head = 0;
    reader->epochs_read = 0;
    reader->left = (struct span){NULL, 0};
    reader->within = false;
    reader->tail = 0;
    reader->epochs_done = 0;
    reader->filled = 0;
    reader->taken = 0;
    reader->ahead = (struct span){NULL, 0};
    reader->stopping = false;
    reader->begun = false;
    reader->hungry = false;
    reader->sated = false;
    (void)pthread_mutex_init(&reader->mutex, NULL);
    (void)pthread_cond_init(&reader->changed, NULL);
    reader->threaded = beside && pthread_create(&reader->thread, NULL, run, reader) == 0;
}

/* The batch that was taken last: it and, with its epoch's last one, the epoch are free again. */
static void give_back(struct fold_reader *reader)
{
    const struct fold_batch *batch = &reader->batches[reader->taken % FOLD_BATCHES];

    if (batch->last) {
        reader->tail = reader->ends[reader->epochs_done % FOLD_EPOCHS];
        reader->epochs_done++;
    }
    reader->taken++;
    wake_reading(reader);
}

void fold_reader_back(struct fold_reader *reader, struct span ahead)
{
    (void)pthread_mutex_lock(&reader->mutex);
    reader->ahead = ahead;
    (void)pthread_mutex_unlock(&reader->mutex);
}

const struct fold_batch *fold_reader_next(struct fold_reader *reader)
{
    struct fold_batch *batch;

    (void)pthread_mutex_lock(&reader->mutex);
    if (reader->begun) {
        give_back(reader);
    }
    reader->begun = true;
    batch = &reader->batches[reader->taken % FOLD_BATCHES];
    if (!reader->threaded) {
        bool ready = ready_to_fill(reader);
        must(ready);
        fill(reader, batch);
        reader->filled++;
    }
    while (reader->filled == reader->taken) {
        reader->hungry = true;
        (void)pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    (void)pthread_mutex_unlock(&reader->mutex);
    return batch;
}

const struct fold_batch *fold_reader_peek(struct fold_reader *reader)
{
    (void)pthread_mutex_lock(&reader->mutex);
    bool ready = reader->filled - reader->taken > 1;
    (void)pthread_mutex_unlock(&reader->mutex);
    return ready ? &reader->batches[(reader->taken + 1) % FOLD_BATCHES] : NULL;
}

void fold_reader_stop(struct fold_reader *reader)
{
    if (reader->threaded) {
        (void)pthread_mutex_lock(&reader->mutex);
        reader->stopping = true;
        (void)pthread_cond_signal(&reader->changed);
        (void)pthread_mutex_unlock(&reader->mutex);
        (void)pthread_join(reader->thread, NULL);
    }
    (void)pthread_cond_destroy(&reader->changed);
    (void)pthread_mutex_destroy(&reader->mutex);
    state_accepted_apart(reader->state, false);
    reader->place->buffer = reader->lent.buffer;
    reader->place->buffer_size = reader->lent.buffer_size;
}
