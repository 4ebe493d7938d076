#include "source/feed.h"

#include <string.h>

enum outcome feed_open(struct feed *feed, const struct feed_type *type, const void *settings,
                       struct fault *ret_fault)
{
    memset(feed, 0, type->size);
    feed->type = type;
    enum outcome outcome = type->open(feed, settings, ret_fault);
    must(outcome != REFUSED);
    return outcome;
}

enum outcome feed_list(struct feed *feed, struct origin *ret_origins, size_t *ret_count,
                       struct fault *ret_fault)
{
    enum outcome outcome = feed->type->list(feed, ret_origins, ret_count, ret_fault);

    must(outcome != DONE || *ret_count <= FEED_PARTITIONS_MAX);
    return outcome;
}

enum outcome feed_start(struct feed *feed, const struct origin *origin, bool as_set,
                        uint64_t *ret_offset, struct fault *ret_fault)
{
    return feed->type->start(feed, origin, as_set, ret_offset, ret_fault);
}

enum outcome feed_facts(struct feed *feed, const struct origin *origin,
                        struct source_facts *ret_facts, struct fault *ret_fault)
{
    memset(ret_facts, 0, sizeof(*ret_facts));
    return feed->type->facts == NULL ? DONE : feed->type->facts(feed, origin, ret_facts, ret_fault);
}

enum outcome feed_attach(struct feed *feed, struct source *source, const struct origin *origin,
                         uint64_t start, struct fault *ret_fault)
{
    const struct source_type *type = feed->type->source_type;

    memset(source, 0, type->size);
    source->type = type;
    source->origin = *origin;
    source->start = start;
    return feed->type->attach(feed, source, ret_fault);
}

enum outcome feed_begin(struct feed *feed, struct fault *ret_fault)
{
    return feed->type->begin(feed, ret_fault);
}

void feed_commit(struct feed *feed, const struct feed_position *positions, size_t count)
{
    feed->type->commit(feed, positions, count);
}

bool feed_grown(struct feed *feed)
{
    return feed->type->grown(feed);
}

bool feed_line(struct feed *feed, struct feed_line *ret_line)
{
    return feed->type->line(feed, ret_line);
}

void feed_close(struct feed *feed)
{
    feed->type->close(feed);
}
