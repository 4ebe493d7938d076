#include "sink/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 12, JOURNAL = 4711, TOGETHER_MAX = 3 };

static const char *const topics[TABLE_COUNT] = {"accepted", "duplicates", "dead", "metrics"};
static struct sink_kafka kafka_settings;
static struct sample_epoch histories[2][OWNER_EPOCHS];
static struct sample samples[2];

static uint64_t dice;

uint32_t owner_throw(uint32_t sides)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice >> 33) % sides;
}

static void fill_epoch(struct sample *sample, struct sample_epoch *epoch)
{
    int64_t minute_ms = SAMPLE_START_MS + INT64_C(60000) * (int64_t)(sample->number / 5);

    sample_begin(sample, epoch);
    for (uint32_t index = owner_throw(4); index < 5; index++) {
        char id[48];
        (void)snprintf(id, sizeof(id), "t%llu-%u", (unsigned long long)sample->next[0],
                       sample->future);
        sample_accept(sample, epoch, 0, id, "10.25");
    }
    if (owner_throw(2) == 0) {
        sample_repeat(sample, epoch, 1, "t1-0", 1);
        sample_set_aside(sample, epoch, 2, INVALID, "{\"amount\": ##\x1f\xff}");
    }
    for (uint32_t index = owner_throw(3); index < 2; index++) {
        sample_metric(sample, epoch, minute_ms, index == 0 ? "EU" : "", (int64_t)sample->number,
                      1025);
    }
    sample_end(sample, epoch);
}

/* Both histories have the first OWNER_SHARED epochs, and then go on each in its way. */
void owner_write_histories(uint64_t seed)
{
    dice = seed;
    sample_init(&samples[0]);
    for (size_t index = 0; index < OWNER_EPOCHS; index++) {
        if (index == OWNER_SHARED) {
            samples[1] = samples[0];
            samples[1].future = 1;
        }
        fill_epoch(&samples[0], &histories[0][index]);
    }
    for (size_t index = OWNER_SHARED; index < OWNER_EPOCHS; index++) {
        fill_epoch(&samples[1], &histories[1][index]);
    }
}

const struct epoch *owner_epoch(const struct owner *owner, uint64_t number)
{
    const struct sample_epoch *history = number <= OWNER_SHARED ? histories[0] : owner->history;

    return &history[number - 1].epoch;
}

void owner_be_born(struct owner *owner, size_t history)
{
    *owner = (struct owner){.history = histories[history], .sample = &samples[history]};
}

/* What the sink had of memory goes with the process. */
void owner_die(struct owner *owner)
{
    if (owner->kafka != NULL) {
        free(owner->kafka->text);
        free(owner->kafka->windows.at);
        free(owner->kafka);
    }
    owner->kafka = NULL;
    owner->open = false;
    owner->standing = false;
    owner->count = 0;
}

static void open_sink(struct owner *owner)
{
    struct sink_settings settings;

    if (owner->kafka == NULL) {
        owner->kafka = calloc(1, sizeof(*owner->kafka));
        must(owner->kafka != NULL);
    }
    sample_settings(&settings, topics[TABLE_TRANSACTIONS]);
    memcpy(kafka_settings.topics, topics, sizeof(topics));
    settings.kafka = &kafka_settings;
    enum outcome outcome =
        sink_open(&owner->kafka->sink, sink_type_named("kafka"), &settings, &owner->fault);
    owner->open = outcome == DONE;
    owner->over = outcome == BROKEN;
}

/* As a follower's courier does: is the head on our history? */
static void stand(struct owner *owner)
{
    struct sink_head head;
    enum outcome outcome = sink_take(&owner->kafka->sink, &owner->fault);

    if (outcome == DONE) {
        outcome = sink_read_head(&owner->kafka->sink, &head, &owner->fault);
    }

    if (outcome == DONE && !head.exists) {
        outcome = sink_begin(&owner->kafka->sink, JOURNAL, &owner->sample->rules, &owner->fault);
    } else if (outcome == DONE) {
        owner->delivered = head.epoch;
        owner->over =
            head.epoch > 0 && !chain_same(&head.chain, &owner_epoch(owner, head.epoch)->chain);
    }
    owner->over = owner->over || outcome == BROKEN;
    owner->standing = outcome == DONE && head.exists;
    owner->count = 0;
}

static void deliver(struct owner *owner)
{
    const struct epoch *epochs[TOGETHER_MAX];
    size_t left = OWNER_EPOCHS - (size_t)owner->delivered;

    if (owner->count == 0) {
        owner->count = 1 + owner_throw(TOGETHER_MAX);
        owner->count = owner->count > left ? left : owner->count;
    }
    for (size_t index = 0; index < owner->count; index++) {
        epochs[index] = owner_epoch(owner, owner->delivered + index + 1);
    }
    switch (
        sample_deliver(owner->sample, &owner->kafka->sink, epochs, owner->count, &owner->fault)) {
    case DONE:
        owner->delivered += owner->count;
        owner->count = 0;
        break;
    case LATER:
        break;
    case BROKEN:
        owner->over = true;
        break;
    case REFUSED:
        must_failed("a delivery is never refused", __FILE__, __LINE__);
    }
}

bool owner_step(struct owner *owner)
{
    if (owner->over || (owner->standing && owner->delivered == OWNER_EPOCHS)) {
        return false;
    }
    if (!owner->open) {
        open_sink(owner);
    } else if (!owner->standing) {
        stand(owner);
    } else if (owner_throw(20) == 0) {
        enum outcome outcome = sink_audit(&owner->kafka->sink, &owner->fault);
        owner->over = outcome == BROKEN;
        owner->standing = outcome != DONE;
    } else {
        deliver(owner);
    }
    return true;
}

void owner_make_histories(void)
{
    for (size_t index = 0; index < OWNER_EPOCHS; index++) {
        sample_epoch_init(&histories[0][index], ROWS);
        sample_epoch_init(&histories[1][index], ROWS);
    }
}

void owner_free_histories(void)
{
    for (size_t index = 0; index < OWNER_EPOCHS; index++) {
        sample_epoch_free(&histories[0][index]);
        sample_epoch_free(&histories[1][index]);
    }
}

void owner_end(struct owner *owner)
{
    if (owner->open) {
        sink_close(&owner->kafka->sink);
    }
    owner_die(owner);
}
