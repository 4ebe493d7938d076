#include "test/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
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
    memset(&world->copy, 0, offsetof(struct ledger_store, bytes));
    memset(world->state_hashes, 0, sizeof(world->state_hashes));
    world->partition_count = 0;
    for (size_t index = 0; index < setting->message_count; index++) {
        size_t partition = setting->messages[index].partition;
        must(partition < LEDGER_SIM_SOURCES);
        world->partition_count =
            partition >= world->partition_count ? partition + 1 : world->partition_count;
    }
    for (size_t index = 0; index < WORLD_INSTANCES; index++) {
        instance_kill(world, &world->instances[index]);
        disk_sim_free(&world->instances[index].disk);
        disk_sim_init(&world->instances[index].disk);
        instance_settings(world, &world->instances[index].settings);
        world->instances[index].arrival_s = 0;
        world->instances[index].real_ledger = NULL;
        world->instances[index].real_reader = NULL;
        world->instances[index].ledger.trouble_at = 0;
        world->instances[index].reader.trouble_at = 0;
        world->instances[index].copy.trouble_at = 0;
        world->instances[index].follows = setting->follows;
    }
    world->fuse = 0;
    world->spent = 0;
    world->death = (struct ledger_death){.at = 0};
}

void world_leave_disk(struct world *world, const struct instance *instance)
{
    if (instance == &world->instances[0]) {
        world->spent += instance->disk.operations;
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
        instance_kill(world, &world->instances[index]);
        disk_sim_free(&world->instances[index].disk);
        free(world->instances[index].follower_memory);
        world->instances[index].follower_memory = NULL;
        world->instances[index].follower_memory_size = 0;
    }
}

static enum outcome open_simulated(struct world *world, struct instance *instance,
                                   struct fault *ret_fault)
{
    struct ledger_sim *sinks[] = {&instance->ledger, &instance->reader};
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < 2; index++) {
        sinks[index]->store = &world->ledger;
        sinks[index]->dead = &instance->disk.dead;
        sinks[index]->deliveries = 0;
        sinks[index]->death = instance == &world->instances[0] ? &world->death : NULL;
        outcome =
            sink_open(&sinks[index]->sink, &sink_sim, &instance->settings.sinks[0], ret_fault);
    }
    return outcome;
}

static enum outcome open_real(struct instance *instance, struct fault *ret_fault)
{
    const struct sink_type *type = instance->settings.sink_types[0];
    struct sink_settings looking = instance->settings.sinks[0];

    memset(instance->real_ledger, 0, type->size);
    memset(instance->real_reader, 0, type->size);
    looking.read_only = true;
    enum outcome outcome =
        sink_open(instance->real_ledger, type, &instance->settings.sinks[0], ret_fault);
    if (outcome == DONE) {
        outcome = sink_open(instance->real_reader, type, &looking, ret_fault);
    }
    instance->real_open = outcome == DONE;
    return outcome;
}

static enum outcome open_sinks(struct world *world, struct instance *instance,
                               struct fault *ret_fault)
{
    return instance->real_ledger == NULL ? open_simulated(world, instance, ret_fault)
                                         : open_real(instance, ret_fault);
}

static struct sink *ledger_of(struct instance *instance)
{
    return instance->real_ledger == NULL ? &instance->ledger.sink : instance->real_ledger;
}

static struct sink *reader_of(struct instance *instance)
{
    return instance->real_reader == NULL ? &instance->reader.sink : instance->real_reader;
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

    instance_kill(world, instance);
    enum outcome outcome = open_sinks(world, instance, ret_fault);
    if (outcome == DONE) {
        outcome =
            pipeline_open(pipeline, &instance->settings, &instance->disk.disk, &world->clock.clock,
                          ledger_of(instance), reader_of(instance), ret_fault);
        instance->opened = outcome == DONE;
        pipeline->holder = instance->follows && world->copy.head.epoch > 0 ? "copy" : NULL;
    }
    if (outcome == DONE) {
        outcome = pipeline_recover(pipeline, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    compare_state(world, instance);
    courier_init(&instance->courier, pipeline, ledger_of(instance), 1000, pipeline->courier_memory,
                 &pipeline->head);
    shelf_ledger_down(&pipeline->shelf, true);
    instance->running = true;
    if (instance->follows) {
        outcome = follower_start(world, instance, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
    }
    return instance_begin(world, instance, ret_fault);
}

void instance_kill(struct world *world, struct instance *instance)
{
    if (instance->opened) {
        if (instance->running) {
            courier_close(&instance->courier);
        }
        follower_kill(instance);
        pipeline_close(&instance->pipeline);
        world_leave_disk(world, instance);
        disk_sim_reopen(&instance->disk);
        world_burn_on(world, instance);
    }
    if (instance->real_open) {
        sink_close(instance->real_reader);
        sink_close(instance->real_ledger);
    }
    instance->real_open = false;
    instance->opened = false;
    instance->running = false;
}
