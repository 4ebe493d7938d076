#include "core/watermark.h"

#include "pay/epoch.h"

/* A leaf that holds nothing up. */
#define HOLDS_NOTHING INT64_MAX

void watermark_init(struct watermark *mark, const struct watermark_memory *memory)
{
    *mark = (struct watermark){
        .all_ms = INSTANT_NONE,
        .sources = memory->sources,
        .slowest = memory->nodes,
        .leaves = 1,
    };
    mark->slowest[1] = HOLDS_NOTHING;
}

/* What this source lets the watermark come up to. INSTANT_NONE is below everything: it holds. */
static int64_t leaf_of(const struct watermark_source *source)
{
    return source->standing == SOURCE_ACTIVE ? source->newest_ms : HOLDS_NOTHING;
}

static int64_t smaller_of(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static void tree_put(struct watermark *mark, size_t number)
{
    size_t node = mark->leaves + number;
    int64_t value = leaf_of(&mark->sources[number]);

    while (mark->slowest[node] != value) {
        mark->slowest[node] = value;
        if (node == 1) {
            return;
        }
        value = smaller_of(value, mark->slowest[node ^ 1]);
        node /= 2;
    }
}

static void tree_double(struct watermark *mark)
{
    mark->leaves *= 2;
    for (size_t leaf = 0; leaf < mark->leaves; leaf++) {
        mark->slowest[mark->leaves + leaf] =
            leaf < mark->source_count ? leaf_of(&mark->sources[leaf]) : HOLDS_NOTHING;
    }
    for (size_t node = mark->leaves - 1; node >= 1; node--) {
        mark->slowest[node] = smaller_of(mark->slowest[2 * node], mark->slowest[2 * node + 1]);
    }
}

/* Before anything of it changes. */
static struct watermark_source *touch(struct watermark *mark, uint16_t number)
{
    must(number < mark->source_count);
    struct watermark_source *source = &mark->sources[number];

    if (!source->touched) {
        source->touched = true;
        source->first = source->next;
    }
    return source;
}

void watermark_join(struct watermark *mark, uint64_t start)
{
    must(mark->source_count < SOURCES_MAX);

    size_t number = mark->source_count++;
    mark->sources[number] = (struct watermark_source){
        .newest_ms = INSTANT_NONE,
        .start = start,
        .next = start,
        .standing = SOURCE_ACTIVE,
        .touched = true,
        .first = start,
    };
    if (mark->source_count > mark->leaves) {
        tree_double(mark);
    }
    tree_put(mark, number);
}

void watermark_take(struct watermark *mark, uint16_t number, uint64_t next)
{
    struct watermark_source *source = touch(mark, number);

    must(next >= source->next);
    source->next = next;
}

void watermark_see(struct watermark *mark, uint16_t number, int64_t event_ms)
{
    struct watermark_source *source = touch(mark, number);

    if (event_ms > source->newest_ms || source->standing != SOURCE_ACTIVE) {
        source->newest_ms = event_ms > source->newest_ms ? event_ms : source->newest_ms;
        source->standing = SOURCE_ACTIVE;
        tree_put(mark, number);
    }
}

void watermark_stand(struct watermark *mark, uint16_t number, uint32_t standing)
{
    must(number < mark->source_count);
    if (mark->sources[number].standing != standing) {
        touch(mark, number)->standing = standing;
        tree_put(mark, number);
    }
}

int64_t watermark_slowest(const struct watermark *mark)
{
    return mark->slowest[1];
}

void watermark_advance(struct watermark *mark)
{
    int64_t slowest_ms = watermark_slowest(mark);

    if (slowest_ms == INSTANT_NONE || slowest_ms == HOLDS_NOTHING) {
        return;
    }
    if (mark->all_ms == INSTANT_NONE || slowest_ms - mark->lateness_ms > mark->all_ms) {
        mark->all_ms = slowest_ms - mark->lateness_ms;
    }
}

void watermark_restore(struct watermark *mark, uint16_t number, uint64_t next, int64_t newest_ms,
                       uint32_t standing)
{
    must(number < mark->source_count);
    struct watermark_source *source = &mark->sources[number];

    source->next = next;
    source->first = next;
    source->newest_ms = newest_ms;
    source->standing = standing;
    source->touched = false;
    tree_put(mark, number);
}

void watermark_epoch_end(struct watermark *mark)
{
    for (size_t number = 0; number < mark->source_count; number++) {
        mark->sources[number].touched = false;
    }
}

int64_t watermark_of(const struct watermark *mark, uint16_t number)
{
    must(number < mark->source_count);
    int64_t newest_ms = mark->sources[number].newest_ms;

    if (newest_ms == INSTANT_NONE) {
        return mark->all_ms;
    }
    int64_t own_ms = newest_ms - mark->lateness_ms;
    return own_ms > mark->all_ms ? own_ms : mark->all_ms; /* INSTANT_NONE is below every one. */
}

int64_t watermark_align_limit(const struct watermark *mark, int64_t align_ms,
                              const bool *has_backlog)
{
    int64_t slowest_ms = INT64_MAX;

    for (size_t number = 0; number < mark->source_count; number++) {
        if (has_backlog[number]) {
            slowest_ms = smaller_of(slowest_ms, mark->sources[number].newest_ms);
        }
    }
    return slowest_ms == INT64_MAX || slowest_ms == INSTANT_NONE ? slowest_ms
                                                                 : slowest_ms + align_ms;
}

bool watermark_aligned(const struct watermark *mark, uint16_t number, int64_t align_ms,
                       const bool *has_backlog)
{
    must(number < mark->source_count);

    return mark->sources[number].newest_ms <= watermark_align_limit(mark, align_ms, has_backlog);
}
