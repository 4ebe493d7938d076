/* The follower of an instance: the same verbs as the ledger's. */
#include "test/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

static void *memory_for(struct instance *instance)
{
    size_t size = pipeline_courier_memory_size(&instance->pipeline);

    if (instance->follower_memory_size < size) {
        free(instance->follower_memory);
        instance->follower_memory = aligned_alloc(DISK_BLOCK, size);
        instance->follower_memory_size = size;
        must(instance->follower_memory != NULL);
    }
    return instance->follower_memory;
}

enum outcome follower_start(struct world *world, struct instance *instance, struct fault *ret_fault)
{
    static const struct sink_head nowhere;
    struct ledger_sim *sinks[] = {&instance->copy, &instance->view};
    struct sink_settings settings = instance->settings.sinks[0];
    enum outcome outcome;

    (void)snprintf(settings.name, sizeof(settings.name), "copy");
    for (size_t index = 0; index < 2; index++) {
        sinks[index]->store = index == 0 ? &world->copy : &world->ledger;
        sinks[index]->dead = &instance->disk.dead;
        sinks[index]->deliveries = 0;
        sinks[index]->death = instance == &world->instances[0] ? &world->death : NULL;
    }
    outcome = sink_open(&instance->copy.sink, &sink_sim, &settings, ret_fault);
    if (outcome == DONE) {
        refill_init(&instance->refill, &instance->pipeline, &instance->view.sink);
        courier_init(&instance->follower, &instance->pipeline, &instance->copy.sink, 1000,
                     memory_for(instance), &nowhere);
        instance->following = true;
        outcome = courier_follow(&instance->follower, &instance->refill, 0, ret_fault);
    }
    return outcome;
}

enum outcome follower_audit(struct instance *instance, struct fault *ret_fault)
{
    bool restored;

    return courier_audit(&instance->follower, &restored, ret_fault);
}

enum outcome follower_deliver(struct instance *instance, size_t epochs_max, struct fault *ret_fault)
{
    struct courier *courier = &instance->follower;
    size_t again = courier->again;

    must(instance->following);
    if (again == 0) {
        courier->again = epochs_max; /* A small transaction. */
    }
    enum outcome outcome = courier_gather(courier, ret_fault);
    courier->again = again;
    if (outcome != DONE || courier->count == 0) {
        return outcome;
    }
    outcome = courier_deliver(courier, ret_fault);
    if (outcome == BROKEN && ret_fault->code == FAULT_FENCED) {
        outcome = follower_audit(instance, ret_fault);
    }
    return outcome;
}

enum outcome follower_finish(struct instance *instance, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while (instance->following && (outcome == DONE || outcome == LATER) &&
           instance->follower.delivered < shelf_confirmed_upto(&instance->pipeline.shelf)) {
        outcome = follower_deliver(instance, WORLD_EPOCHS_MAX, ret_fault);
    }
    return outcome;
}

void follower_kill(struct instance *instance)
{
    if (instance->following) {
        courier_close(&instance->follower);
        refill_close(&instance->refill);
        instance->following = false;
    }
}
