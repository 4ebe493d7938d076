/* What an instance does once it runs: the verbs of the pipeline, one by one. */
#include "test/sim/world.h"

#include <string.h>

static const struct watermark_source *source_of(const struct instance *instance, size_t partition)
{
    return &instance->pipeline.state.watermark.sources[instance->numbers[partition]];
}

enum { ANY_PARTITION = UINT16_MAX };

/* The first message of the list that has not been decided; message_count: none. */
static size_t next_message(const struct world *world, const struct instance *instance,
                           uint16_t wanted)
{
    size_t index = 0;

    while (index < world->setting.message_count) {
        uint16_t partition = world->setting.messages[index].partition;
        if ((wanted == ANY_PARTITION || wanted == partition) &&
            message_offset(&world->setting, index) >= source_of(instance, partition)->next) {
            break;
        }
        index++;
    }
    return index;
}

bool instance_has_more(const struct world *world, const struct instance *instance)
{
    return next_message(world, instance, ANY_PARTITION) < world->setting.message_count;
}

static enum outcome end_source(const struct world *world, struct instance *instance,
                               size_t partition, struct fault *ret_fault)
{
    const struct watermark_source *source = source_of(instance, partition);
    struct decision note = {.kind = NOTE_ENDED,
                            .source = instance->numbers[partition],
                            .offset = source->next,
                            .event_ms = INT64_MIN,
                            .arrival_ms = world->clock.now_ms};

    if (source->next <= message_last_offset(&world->setting, partition) ||
        source->standing == SOURCE_ENDED) {
        return DONE;
    }
    return pipeline_note(&instance->pipeline, &note, ret_fault);
}

/* What a start tells of itself: notes, sources, those that have nothing more. */
enum outcome instance_begin(struct world *world, struct instance *instance, struct fault *ret_fault)
{
    struct pipeline *pipeline = &instance->pipeline;
    enum outcome outcome = pipeline_begin(pipeline, 0, ret_fault);

    if (outcome == DONE) {
        outcome = pipeline_start_notes(pipeline, ret_fault);
    }
    for (size_t partition = 0; outcome == DONE && partition < world->partition_count; partition++) {
        struct origin origin = {.topic = "payments", .partition = (uint32_t)partition};
        outcome = pipeline_join(pipeline, &origin, 1, &instance->numbers[partition], ret_fault);
    }
    for (size_t partition = 0; outcome == DONE && partition < world->partition_count; partition++) {
        outcome = end_source(world, instance, partition, ret_fault);
    }
    return outcome;
}

/* As if an operator had decided so where it halted; each time the same decision. */
static enum outcome take_lost(const struct world *world, struct instance *instance, size_t index,
                              struct fault *ret_fault)
{
    char text[RULING_TEXT_MAX];
    uint64_t offset = message_offset(&world->setting, index);
    struct ruling ruling = {.kind = RULING_GAP, .by = {"Eve", 3}, .id = index};
    struct decision gap = {.kind = NOTE_GAP,
                           .source = instance->numbers[world->setting.messages[index].partition],
                           .offset = offset,
                           .event_ms = (int64_t)offset + 1,
                           .arrival_ms = WORLD_BEGIN_MS,
                           .text = {text, ruling_write(&ruling, text)}};

    return pipeline_note(&instance->pipeline, &gap, ret_fault);
}

static enum outcome take_one(struct world *world, struct instance *instance, size_t index,
                             struct fault *ret_fault)
{
    struct pipeline *pipeline = &instance->pipeline;
    uint16_t partition = world->setting.messages[index].partition;
    struct message message;

    if (world->setting.messages[index].id == world_lost) {
        enum outcome lost = take_lost(world, instance, index, ret_fault);
        return lost == DONE ? end_source(world, instance, partition, ret_fault) : lost;
    }
    message_fill(&world->setting, index, &pipeline->state.key, &message);
    message.source = instance->numbers[partition];
    if (instance->arrival_s != 0) {
        message.arrival_ms = WORLD_BEGIN_MS + (int64_t)instance->arrival_s * 1000;
    }
    enum outcome outcome = pipeline_take(pipeline, &message, ret_fault);
    if (outcome == DONE) {
        memcpy(pipeline->fingerprints[message.source].bytes, &message.offset,
               sizeof(message.offset));
        outcome = end_source(world, instance, partition, ret_fault);
    }
    return outcome;
}

enum outcome instance_take(struct world *world, struct instance *instance, size_t count,
                           struct fault *ret_fault)
{
    return instance_take_from(world, instance, ANY_PARTITION, count, ret_fault);
}

enum outcome instance_take_from(struct world *world, struct instance *instance, uint16_t partition,
                                size_t count, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    must(instance->running);
    if (instance->pipeline.open == NULL) {
        outcome = pipeline_begin(&instance->pipeline, 0, ret_fault);
    }
    for (size_t taken = 0; outcome == DONE && taken < count; taken++) {
        size_t index = next_message(world, instance, partition);
        if (index == world->setting.message_count) {
            break;
        }
        outcome = take_one(world, instance, index, ret_fault);
    }
    return outcome;
}

static void keep_hash(struct world *world, const struct pipeline *pipeline, uint64_t number)
{
    if (world->hashes_kept && number < WORLD_EPOCHS_MAX) {
        world->state_hashes[number] = state_hash(&pipeline->state);
        world->hash_chains[number] = pipeline->standing.chain;
    }
}

enum outcome instance_seal(struct world *world, struct instance *instance, struct fault *ret_fault)
{
    struct pipeline *pipeline = &instance->pipeline;
    struct epoch *epoch;
    enum outcome outcome = DONE;

    if (pipeline->open != NULL) {
        pipeline_finish(pipeline);
    }
    while (outcome == DONE && (epoch = shelf_take_closed(&pipeline->shelf, 0)) != NULL) {
        outcome = pipeline_seal(pipeline, epoch, ret_fault);
        if (outcome == DONE) {
            keep_hash(world, pipeline, epoch->number);
            shelf_sealed(&pipeline->shelf, epoch);
        }
    }
    return outcome;
}

enum outcome instance_audit(struct instance *instance, struct fault *ret_fault)
{
    bool restored;

    return courier_audit(&instance->courier, &restored, ret_fault);
}

enum outcome instance_deliver(struct instance *instance, size_t epochs_max, struct fault *ret_fault)
{
    struct courier *courier = &instance->courier;
    uint64_t before = courier->delivered;
    uint64_t sealed = shelf_sealed_upto(&instance->pipeline.shelf);
    uint64_t upto = before + epochs_max < sealed ? before + epochs_max : sealed;

    courier->rows_max = 1000;
    if (upto < sealed) { /* A small transaction: as if the rest were not sealed yet. */
        instance->pipeline.shelf.sealed = upto;
    }
    enum outcome outcome = courier_gather(courier, ret_fault);
    instance->pipeline.shelf.sealed = sealed;
    if (outcome != DONE || courier->count == 0) {
        return outcome;
    }
    outcome = courier_deliver(courier, ret_fault);
    if (outcome == BROKEN && ret_fault->code == FAULT_FENCED) {
        struct fault refused = *ret_fault;
        outcome = instance_audit(instance, ret_fault);
        if (outcome == DONE && courier->delivered == before) {
            *ret_fault = refused;
            outcome = BROKEN;
        }
    }
    return outcome;
}

/* Unknown outcomes are asked again until all is there. */
static enum outcome deliver_all(struct instance *instance, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while ((outcome == DONE || outcome == LATER) &&
           instance->courier.delivered < shelf_sealed_upto(&instance->pipeline.shelf)) {
        outcome = instance_deliver(instance, 5, ret_fault);
    }
    return outcome;
}

enum outcome instance_finish(struct world *world, struct instance *instance,
                             struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while (outcome == DONE && instance_has_more(world, instance)) {
        outcome = instance_take(world, instance, world->setting.per_epoch, ret_fault);
        if (outcome == DONE) {
            outcome = instance_seal(world, instance, ret_fault);
        }
    }
    if (outcome == DONE) {
        outcome = instance_seal(world, instance, ret_fault);
    }
    if (outcome == DONE) {
        outcome = deliver_all(instance, ret_fault);
    }
    return outcome == DONE ? follower_finish(instance, ret_fault) : outcome;
}
