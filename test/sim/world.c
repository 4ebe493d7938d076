#include "test/sim/world.h"

#include <stdio.h>
#include <string.h>

static int64_t sim_wall_ms(struct clock *clock)
{
    return ((struct clock_sim *)clock)->now_ms;
}

static int64_t sim_steady_ns(struct clock *clock)
{
    return ((struct clock_sim *)clock)->now_ms * 1000000;
}

static const struct clock_type clock_sim = {sim_wall_ms, sim_steady_ns};

static void instance_settings(const struct world *world, struct engine_settings *settings)
{
    const struct world_setting *setting = &world->setting;

    memset(settings, 0, sizeof(*settings));
    (void)snprintf(settings->pipeline, sizeof(settings->pipeline), "payments");
    rules_default(&settings->rules);
    settings->rules.retention_ms = setting->retention_s * 1000;
    settings->rules.senders_max = 1000;
    parse_settings_default(&settings->parse);
    settings->epoch_messages_max = EPOCH_MESSAGES_MAX;
    settings->epoch_bytes_max = 64 * 1024;
    settings->memory_limit = 32 << 20;
    settings->journal = (struct journal_settings){.segment_size = setting->segment_size,
                                                  .keep_ms = setting->keep_s * 1000,
                                                  .max_bytes = setting->journal_max_bytes};
    settings->sink_types[0] = &sink_sim;
    settings->sink_count = 1;
    settings->sinks[0].part_rows = 500000;
    (void)snprintf(settings->sinks[0].name, sizeof(settings->sinks[0].name), "ledger");
    (void)snprintf(settings->sinks[0].path, sizeof(settings->sinks[0].path), "memory");
    (void)snprintf(settings->sinks[0].pipeline, sizeof(settings->sinks[0].pipeline), "payments");
}

void world_init(struct world *world, const struct world_setting *setting)
{
    world->setting = *setting;
    world->clock = (struct clock_sim){
        .clock = {&clock_sim},
        .now_ms = WORLD_BEGIN_MS + (int64_t)WORLD_ARRIVAL_S * 1000,
    };
    memset(&world->ledger, 0, offsetof(struct ledger_store, bytes));
    memset(world->state_hashes, 0, sizeof(world->state_hashes));
    world->partition_count = 0;
    world->fuse = 0;
    world->spent = 0;
    for (size_t index = 0; index < setting->message_count; index++) {
        size_t partition = setting->messages[index].partition;
        must(partition < LEDGER_SIM_SOURCES);
        world->partition_count =
            partition >= world->partition_count ? partition + 1 : world->partition_count;
    }
    for (size_t index = 0; index < WORLD_INSTANCES; index++) {
        instance_kill(&world->instances[index]);
        disk_sim_free(&world->instances[index].disk);
        disk_sim_init(&world->instances[index].disk);
        instance_settings(world, &world->instances[index].settings);
        world->instances[index].arrival_s = 0;
        world->instances[index].ledger.trouble_at = 0;
        world->instances[index].reader.trouble_at = 0;
    }
}

void world_burn_on(struct world *world, struct instance *instance)
{
    if (instance == &world->instances[0] && world->fuse > world->spent) {
        disk_sim_cut_at(&instance->disk, world->fuse - world->spent, DISK_SIM_HALF);
    }
}

void world_free(struct world *world)
{
    for (size_t index = 0; index < WORLD_INSTANCES; index++) {
        instance_kill(&world->instances[index]);
        disk_sim_free(&world->instances[index].disk);
    }
}

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
static enum outcome begin(struct world *world, struct instance *instance, struct fault *ret_fault)
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

static enum outcome open_sinks(struct world *world, struct instance *instance,
                               struct fault *ret_fault)
{
    struct ledger_sim *sinks[] = {&instance->ledger, &instance->reader};
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < 2; index++) {
        sinks[index]->store = &world->ledger;
        sinks[index]->dead = &instance->disk.dead;
        sinks[index]->deliveries = 0;
        outcome =
            sink_open(&sinks[index]->sink, &sink_sim, &instance->settings.sinks[0], ret_fault);
    }
    return outcome;
}

/* Invariant I9: what was recovered is what lived. */
static void compare_state(struct world *world, struct instance *instance)
{
    const struct pipeline *pipeline = &instance->pipeline;
    uint64_t epoch = pipeline->next_epoch - 1;

    if (world->hashes_kept && epoch < WORLD_EPOCHS_MAX && world->state_hashes[epoch] != 0 &&
        chain_same(&world->hash_chains[epoch], &pipeline->standing.chain)) {
        must(world->state_hashes[epoch] == state_hash(&pipeline->state));
    }
}

enum outcome instance_start(struct world *world, struct instance *instance, struct fault *ret_fault)
{
    struct pipeline *pipeline = &instance->pipeline;

    instance_kill(instance);
    enum outcome outcome = open_sinks(world, instance, ret_fault);
    if (outcome == DONE) {
        outcome =
            pipeline_open(pipeline, &instance->settings, &instance->disk.disk, &world->clock.clock,
                          &instance->ledger.sink, &instance->reader.sink, ret_fault);
        instance->opened = outcome == DONE;
    }
    if (outcome == DONE) {
        outcome = pipeline_recover(pipeline, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    compare_state(world, instance);
    courier_init(&instance->courier, pipeline, &instance->ledger.sink, 1000,
                 pipeline->courier_memory, &pipeline->head);
    shelf_ledger_down(&pipeline->shelf, true);
    instance->running = true;
    return begin(world, instance, ret_fault);
}

void instance_kill(struct instance *instance)
{
    if (instance->opened) {
        if (instance->running) {
            courier_close(&instance->courier);
        }
        pipeline_close(&instance->pipeline);
        disk_sim_reopen(&instance->disk);
    }
    instance->opened = false;
    instance->running = false;
}

static enum outcome take_one(struct world *world, struct instance *instance, size_t index,
                             struct fault *ret_fault)
{
    struct pipeline *pipeline = &instance->pipeline;
    uint16_t partition = world->setting.messages[index].partition;
    struct message message;

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

static void confirm(struct instance *instance)
{
    shelf_confirm(&instance->pipeline.shelf, instance->courier.delivered);
}

enum outcome instance_audit(struct instance *instance, struct fault *ret_fault)
{
    bool restored;
    enum outcome outcome = courier_audit(&instance->courier, &restored, ret_fault);

    confirm(instance);
    return outcome;
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
    confirm(instance);
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
    return outcome == DONE ? deliver_all(instance, ret_fault) : outcome;
}
