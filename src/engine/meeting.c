/* What stands behind a topic's name: is it what stood there when it was read? */
#include "engine/engine_parts.h"

#include <string.h>

static bool differ(const char *known, const char *now)
{
    return known[0] != '\0' && now[0] != '\0' && strcmp(known, now) != 0;
}

static enum outcome replaced(const struct origin *origin, const char *what, const char *now,
                             const char *known, struct fault *ret_fault)
{
    (void)fault_is(ret_fault, BROKEN, FAULT_SOURCE_REPLACED,
                   "%.250s/%u is not the partition that was read: %s is %s now, and was %s",
                   origin->topic, origin->partition, what, now, known);
    fault_next(ret_fault,
               "bring the old one back; or read the new one from its start: payonce adopt-topic "
               "%.100s --by WHO",
               origin->topic);
    return BROKEN;
}

enum outcome engine_meet(struct engine *engine, size_t index, struct fault *ret_fault)
{
    const struct origin *origin = &engine->origins[index];
    const struct source_facts *known = &engine->pipeline.facts[engine->numbers[index]];
    struct source_facts *now = &engine->met[index];
    enum outcome outcome = feed_facts(engine->feed, origin, now, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (differ(known->cluster, now->cluster)) {
        return replaced(origin, "the cluster", now->cluster, known->cluster, ret_fault);
    }
    if (differ(known->topic_id, now->topic_id)) {
        return replaced(origin, "the topic's id", now->topic_id, known->topic_id, ret_fault);
    }
    return DONE;
}

void engine_learn(struct engine *engine)
{
    const struct watermark *mark = &engine->pipeline.state.watermark;
    struct fault fault;

    for (size_t index = 0; engine->met != NULL && index < engine->source_count; index++) {
        uint16_t number = engine->numbers[index];
        const struct watermark_source *source = &mark->sources[number];
        bool matched = source->next > source->first || source->next == source->start;
        if (source->touched && matched) {
            must(pipeline_learn(&engine->pipeline, number, &engine->met[index], &fault) == DONE);
        }
    }
}
