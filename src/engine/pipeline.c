/* The pipeline's memory: reserved once, laid out here, touched as it is needed. */
#include "engine/pipeline.h"

#include "journal/frame.h"
#include "os/memory.h"

#include <string.h>

/* A smaller state is not worth the time that making its pages large takes. */
#define LARGE_PAGES_FROM ((size_t)128 << 20)

enum {
    SHELF_SLOTS = 16,
    METRIC_ROW_SIZE = 256, /* At most; all its texts are bounded by GROUP_TEXT_MAX. */
    /* A courier holds this many of the largest frames: one transaction, and the next to read. */
    COURIER_FRAMES = 3,
};

_Static_assert(METRIC_ROW_SIZE >= 8 + 8 * METRIC_NUMBERS + 2 * METRIC_TEXTS + GROUP_TEXT_MAX + 16,
               "a metric's row fits");

static size_t rounded(size_t size)
{
    return (size + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

/* An epoch closes once it is over its limit: one more record fits, the notes, and the metrics. */
static struct shelf_sizes sizes_of(const struct pipeline *pipeline)
{
    const struct engine_settings *settings = pipeline->settings;
    size_t groups = pipeline->state_memory.windows.group_count;

    return (struct shelf_sizes){
        .decisions = rounded(settings->epoch_bytes_max + STANDING_NOTES_SIZE),
        .rows = rounded(settings->epoch_bytes_max + ROW_SIZE_MAX + groups * METRIC_ROW_SIZE),
    };
}

static size_t frame_max(const struct shelf_sizes *sizes)
{
    return rounded(FRAME_HEADER_SIZE + SOURCES_MAX * sizeof(struct epoch_range) +
                   STANDING_TOTALS_MAX * sizeof(struct epoch_total) + sizes->decisions +
                   sizes->rows);
}

_Static_assert((int)EPOCH_TOTALS_MAX <= (int)STANDING_TOTALS_MAX, "one frame size for both");

size_t pipeline_courier_memory_size(const struct pipeline *pipeline)
{
    return COURIER_FRAMES * pipeline->frame_size_max + SOURCES_MAX * sizeof(struct source_facts);
}

/* The state comes first, for what its parts hold tells how large an epoch can become. */
static enum outcome lay_state(struct pipeline *pipeline, struct fault *ret_fault)
{
    struct state_limits limits = {.bytes = pipeline->settings->memory_limit,
                                  .senders_max = pipeline->settings->rules.senders_max};

    pipeline->state_size = state_memory_size(&limits);
    enum outcome outcome =
        memory_reserve(pipeline->state_size, &pipeline->state_reserved, ret_fault);
    if (outcome == DONE) {
        if (pipeline->state_size >= LARGE_PAGES_FROM) {
            memory_large_pages(pipeline->state_reserved, pipeline->state_size);
        }
        state_memory_lay(&limits, pipeline->state_reserved, &pipeline->state_memory);
    }
    return outcome;
}

/* How large each other part is, in the order in which they lie. */
struct shares {
    size_t shelf;
    size_t journal;
    size_t standing;
    size_t horizon;
    size_t fingerprints;
    size_t facts;
    size_t whereabouts;
    size_t frame; /* Twice: fold and lookup. */
    size_t courier;
};

static struct shares shares_of(const struct pipeline *pipeline, const struct shelf_sizes *sizes)
{
    return (struct shares){
        .shelf = rounded(shelf_memory_size(sizes, SHELF_SLOTS)),
        .journal = rounded(journal_memory_size(pipeline->frame_size_max)),
        .standing = rounded(standing_memory_size()),
        .horizon = rounded(HORIZON_ENTRIES_MAX * sizeof(struct horizon_entry)),
        .fingerprints = rounded(SOURCES_MAX * sizeof(struct fingerprint)),
        .facts = rounded(SOURCES_MAX * sizeof(struct source_facts)),
        .whereabouts = rounded(WHEREABOUTS_COUNT * sizeof(struct whereabouts_entry)),
        .frame = pipeline->frame_size_max,
        .courier = pipeline_courier_memory_size(pipeline),
    };
}

static void *part(uint8_t **at, size_t size)
{
    void *start = *at;

    *at += size;
    return start;
}

static struct journal_place place_in(void *buffer, size_t size)
{
    return (struct journal_place){.file = -1, .buffer = buffer, .buffer_size = size};
}

static enum outcome lay(struct pipeline *pipeline, struct fault *ret_fault)
{
    struct shelf_sizes sizes = sizes_of(pipeline);

    pipeline->frame_size_max = frame_max(&sizes);
    struct shares shares = shares_of(pipeline, &sizes);
    pipeline->memory_size = shares.shelf + shares.journal + shares.standing + shares.horizon +
                            shares.fingerprints + shares.facts + shares.whereabouts +
                            2 * shares.frame + shares.courier;
    enum outcome outcome = memory_reserve(pipeline->memory_size, &pipeline->memory, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    uint8_t *at = pipeline->memory;
    shelf_init(&pipeline->shelf, &sizes, SHELF_SLOTS, part(&at, shares.shelf));
    void *journal_memory = part(&at, shares.journal);
    standing_init(&pipeline->standing, part(&at, shares.standing));
    horizon_init(&pipeline->horizon, part(&at, shares.horizon));
    pipeline->fingerprints = part(&at, shares.fingerprints);
    pipeline->facts = part(&at, shares.facts);
    pipeline->whereabouts.entries = part(&at, shares.whereabouts);
    memory_large_pages(pipeline->whereabouts.entries, shares.whereabouts); /* Used all over. */
    pipeline->fold = place_in(part(&at, shares.frame), shares.frame);
    pipeline->lookup = place_in(part(&at, shares.frame), shares.frame);
    pipeline->courier_memory = part(&at, shares.courier);
    outcome = journal_open(&pipeline->journal, pipeline->disk, &pipeline->settings->journal,
                           journal_memory, shares.journal, ret_fault);
    pipeline->journal_open = outcome == DONE;
    return outcome;
}

static int carried_index(const struct parse_names *carry, const char *name)
{
    for (uint32_t index = 0; index < carry->count; index++) {
        if (strcmp(carry->names[index], name) == 0) {
            return (int)index;
        }
    }
    return -1;
}

enum outcome pipeline_open(struct pipeline *pipeline, const struct engine_settings *settings,
                           struct disk *disk, struct clock *clock, struct sink *ledger,
                           struct sink *reader, struct fault *ret_fault)
{
    const struct parse_names *carry = &settings->parse.carry;

    memset(pipeline, 0, sizeof(*pipeline));
    pipeline->settings = settings;
    pipeline->disk = disk;
    pipeline->clock = clock;
    pipeline->ledger = ledger;
    pipeline->reader = reader;
    pipeline->carried = (struct carried){.count = carry->count,
                                         .status = carried_index(carry, "status"),
                                         .region = carried_index(carry, "region")};
    (void)pthread_mutex_init(&pipeline->standing_mutex, NULL);
    enum outcome outcome = lay_state(pipeline, ret_fault);
    if (outcome == DONE) {
        outcome = lay(pipeline, ret_fault);
    }
    if (outcome != DONE) {
        pipeline_close(pipeline);
    }
    return outcome;
}

void pipeline_close(struct pipeline *pipeline)
{
    if (pipeline->journal_open) {
        journal_place_close(&pipeline->journal, &pipeline->fold);
        journal_place_close(&pipeline->journal, &pipeline->lookup);
        journal_close(&pipeline->journal);
        pipeline->journal_open = false;
    }
    if (pipeline->memory != NULL) {
        shelf_destroy(&pipeline->shelf);
        memory_release(pipeline->memory, pipeline->memory_size);
        pipeline->memory = NULL;
    }
    memory_release(pipeline->state_reserved, pipeline->state_size);
    pipeline->state_reserved = NULL;
    (void)pthread_mutex_destroy(&pipeline->standing_mutex);
}
