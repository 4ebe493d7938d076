#include "engine/crew.h"

#include <string.h>
#include <time.h>

enum { PAGE = 4096 };

static size_t pages(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

/* How large things are, for so many lanes. */
struct measure {
    size_t block_count;
    size_t target;
    size_t capacity;
    size_t line_capacity;
    size_t scratch_size;
    size_t block_size; /* All of a block's memory. */
};

static size_t within(size_t value, size_t low, size_t high)
{
    return value < low ? low : value > high ? high : value;
}

static struct measure measure(size_t lane_count)
{
    struct measure size;
    size_t share = CREW_BYTES / lane_count;

    size.block_count = within(share / CREW_TARGET_MAX, CREW_BLOCKS_MIN, CREW_BLOCKS_MAX);
    size.target = within(share / size.block_count, CREW_TARGET_MIN, CREW_TARGET_MAX);
    size.capacity = pages(size.target < SOURCE_BLOCK_MIN ? SOURCE_BLOCK_MIN : size.target);
    size.line_capacity = size.target / CREW_LINE_SIZE;
    size.scratch_size = pages(PARSE_COPIES_MAX * size.capacity + PARSE_SCRATCH_MAX);
    size.block_size = size.capacity + size.scratch_size +
                      pages(size.line_capacity * sizeof(struct source_line)) +
                      pages(size.line_capacity * sizeof(struct message));
    return size;
}

static size_t lanes_size(size_t lane_count)
{
    return pages(lane_count * (sizeof(struct crew_lane) + sizeof(struct crew_lane *)));
}

size_t crew_memory_size(size_t lane_count)
{
    struct measure size = measure(lane_count);
    size_t block_count = lane_count * size.block_count;

    return lanes_size(lane_count) + pages(block_count * sizeof(struct crew_block)) +
           block_count * size.block_size;
}

static void lay_block(struct crew_block *block, const struct measure *size, uint8_t *memory)
{
    uint8_t *scratch = memory + size->capacity;
    uint8_t *lines = scratch + size->scratch_size;
    uint8_t *messages = lines + pages(size->line_capacity * sizeof(struct source_line));

    block->block.bytes = memory;
    block->block.capacity = size->capacity;
    block->block.target = size->target;
    block->block.lines = (void *)lines;
    block->block.line_capacity = size->line_capacity;
    block->messages = (void *)messages;
    block->scratch.at = (char *)scratch;
    block->scratch.size = size->scratch_size;
}

static void init_waiting(struct crew *crew)
{
    pthread_condattr_t monotonic;

    (void)pthread_mutex_init(&crew->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&crew->arrived, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_cond_init(&crew->work, NULL);
}

void crew_init(struct crew *crew, size_t lane_count, void *memory)
{
    struct measure size = measure(lane_count);
    uint8_t *at = memory;
    struct crew_block *blocks = (void *)(at + lanes_size(lane_count));
    uint8_t *block_memory =
        (uint8_t *)blocks + pages(lane_count * size.block_count * sizeof(*blocks));

    memset(crew, 0, sizeof(*crew));
    crew->lanes = (void *)at;
    crew->queue = (void *)(at + lane_count * sizeof(struct crew_lane));
    crew->lane_count = lane_count;
    crew->block_count = size.block_count;
    crew->target = size.target;
    for (size_t index = 0; index < lane_count * size.block_count; index++) {
        lay_block(&blocks[index], &size, block_memory + index * size.block_size);
    }
    for (size_t index = 0; index < lane_count; index++) {
        crew->lanes[index].blocks = &blocks[index * size.block_count];
        crew->lanes[index].crew = crew;
    }
    init_waiting(crew);
}

/* The mutex is held here and in the next six. */
static void queue_lane(struct crew *crew, struct crew_lane *lane)
{
    lane->queued = true;
    crew->queue[crew->queue_tail++ % crew->lane_count] = lane;
}

/* Have one more thread work if there is so much to do; it will call the next. */
static void call(struct crew *crew, size_t queued_least)
{
    if (crew->resting > 0 && crew->queue_tail - crew->queue_head >= queued_least) {
        (void)pthread_cond_signal(&crew->work);
    }
}

static size_t free_blocks(const struct crew *crew, const struct crew_lane *lane)
{
    return crew->block_count - (size_t)(lane->read - lane->given_back);
}

/* The lane to read next, or NULL: the crew stops. */
static struct crew_lane *next_lane(struct crew *crew)
{
    while (!crew->stopping && crew->queue_head == crew->queue_tail) {
        crew->resting++;
        (void)pthread_cond_wait(&crew->work, &crew->mutex);
        crew->resting--;
    }
    if (crew->stopping) {
        return NULL;
    }
    struct crew_lane *lane = crew->queue[crew->queue_head++ % crew->lane_count];
    lane->queued = false;
    lane->reading = true;
    lane->called = false;
    call(crew, 1);
    return lane;
}

static void after_reading(struct crew *crew, struct crew_lane *lane, struct crew_block *block)
{
    lane->reading = false;
    if (block->outcome != LATER) {
        lane->read++;
        lane->done = block->outcome != DONE || block->block.ended;
    } else if (source_live(lane->source) && !lane->called) {
        lane->resting = true;
        return;
    }
    if (!lane->done && free_blocks(crew, lane) > 0) {
        queue_lane(crew, lane);
    }
}

static void make_ready(struct crew *crew, const struct crew_lane *lane, struct crew_block *block)
{
    __atomic_store_n(&block->ready, true, __ATOMIC_RELEASE);
    __atomic_store_n(&crew->arrivals, crew->arrivals + 1, __ATOMIC_RELEASE);
    if (crew->awaited == lane || crew->any_awaited) {
        (void)pthread_cond_signal(&crew->arrived);
    }
}

/* The source of this lane, which may be resting, has something: from any thread. */
static void wake(void *context)
{
    struct crew_lane *lane = context;
    struct crew *crew = lane->crew;

    (void)pthread_mutex_lock(&crew->mutex);
    lane->called = true;
    if (lane->resting) {
        lane->resting = false;
        queue_lane(crew, lane);
        call(crew, 1);
    }
    (void)pthread_mutex_unlock(&crew->mutex);
}

/* A record's own time counts if it has one, and never for more than our clock. */
static int64_t earlier(int64_t stamp_ms, int64_t read_ms)
{
    return stamp_ms > 0 && stamp_ms < read_ms ? stamp_ms : read_ms;
}

static void parse_block(const struct crew *crew, const struct crew_lane *lane,
                        struct crew_block *block, int64_t arrival_ms)
{
    block->scratch.used = 0;
    for (size_t index = 0; index < block->block.line_count; index++) {
        const struct source_line *line = &block->block.lines[index];
        struct message *message = &block->messages[index];

        must(block->scratch.size - block->scratch.used >= PARSE_SCRATCH_MAX);
        message->offset = line->offset;
        message->arrival_ms = earlier(line->stamp_ms, arrival_ms);
        message->source = lane->number;
        message->size = line->size;
        message->raw = (struct span){block->block.bytes + line->at, line->kept};
        parse_message(crew->parser, message, &block->scratch);
        if (message->refusal.reason == REFUSAL_NONE) {
            payment_place(&message->payment, &crew->parser->settings.key);
        }
    }
}

static void *work(void *argument)
{
    struct crew *crew = argument;
    struct crew_lane *lane;

    (void)pthread_mutex_lock(&crew->mutex);
    while ((lane = next_lane(crew)) != NULL) {
        struct crew_block *block = &lane->blocks[lane->read % crew->block_count];
        (void)pthread_mutex_unlock(&crew->mutex);

        block->outcome = source_read(lane->source, &block->block, &lane->fault);
        int64_t arrival_ms = clock_wall_ms(crew->clock);

        (void)pthread_mutex_lock(&crew->mutex);
        bool later = block->outcome == LATER;
        after_reading(crew, lane, block);
        if (later) {
            continue; /* Another thread may be reading into the block by now. */
        }
        call(crew, 1);
        (void)pthread_mutex_unlock(&crew->mutex);
        if (block->outcome == DONE) {
            parse_block(crew, lane, block, arrival_ms);
        }
        (void)pthread_mutex_lock(&crew->mutex);
        make_ready(crew, lane, block);
    }
    (void)pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

static void watch(struct crew_lane *lane, void (*waker)(void *context))
{
    if (source_live(lane->source)) {
        source_watch(lane->source, waker, lane);
    }
}

enum outcome crew_start(struct crew *crew, unsigned thread_count, struct fault *ret_fault)
{
    for (size_t index = 0; index < crew->lane_count; index++) {
        queue_lane(crew, &crew->lanes[index]);
    }
    for (size_t index = 0; index < crew->lane_count; index++) {
        watch(&crew->lanes[index], wake);
    }
    while (crew->thread_count < thread_count) {
        int error = pthread_create(&crew->threads[crew->thread_count], NULL, work, crew);
        if (error != 0) {
            crew_stop(crew);
            return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "cannot start a parser thread: %s",
                            strerror(error));
        }
        crew->thread_count++;
    }
    return DONE;
}

void crew_stop(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->mutex);
    crew->stopping = true;
    (void)pthread_cond_broadcast(&crew->work);
    (void)pthread_mutex_unlock(&crew->mutex);
    for (unsigned index = 0; index < crew->thread_count; index++) {
        (void)pthread_join(crew->threads[index], NULL);
    }
    crew->thread_count = 0;
    for (size_t index = 0; index < crew->lane_count; index++) {
        watch(&crew->lanes[index], NULL);
    }
    (void)pthread_cond_destroy(&crew->work);
    (void)pthread_cond_destroy(&crew->arrived);
    (void)pthread_mutex_destroy(&crew->mutex);
}

/* To wake a thread costs more than to take a block: let some work come together before. */
void crew_give_back(struct crew *crew, struct crew_lane *lane)
{
    struct crew_block *block = &lane->blocks[lane->given_back % crew->block_count];

    __atomic_store_n(&block->ready, false, __ATOMIC_RELAXED);
    (void)pthread_mutex_lock(&crew->mutex);
    lane->given_back++;
    bool half = free_blocks(crew, lane) >= (crew->block_count + 1) / 2;
    if (half && !lane->queued && !lane->reading && !lane->resting && !lane->done) {
        queue_lane(crew, lane);
        call(crew, crew->lane_count / CREW_CALL_SHARE + 1);
    }
    (void)pthread_mutex_unlock(&crew->mutex);
}

void crew_hurry(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->mutex);
    call(crew, 1);
    (void)pthread_mutex_unlock(&crew->mutex);
}

static struct timespec moment_after(int64_t timeout_ns)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    int64_t nanoseconds = moment.tv_nsec + timeout_ns % 1000000000;
    moment.tv_sec += timeout_ns / 1000000000 + nanoseconds / 1000000000;
    moment.tv_nsec = nanoseconds % 1000000000;
    return moment;
}

void crew_await(struct crew *crew, const struct crew_lane *lane, int64_t timeout_ns)
{
    struct timespec moment = moment_after(timeout_ns);

    (void)pthread_mutex_lock(&crew->mutex);
    crew->awaited = lane;
    while (crew_front(crew, lane, 0) == NULL) {
        if (pthread_cond_timedwait(&crew->arrived, &crew->mutex, &moment) != 0) {
            break;
        }
    }
    crew->awaited = NULL;
    (void)pthread_mutex_unlock(&crew->mutex);
}

uint64_t crew_arrivals(const struct crew *crew)
{
    return __atomic_load_n(&crew->arrivals, __ATOMIC_ACQUIRE);
}

void crew_await_any(struct crew *crew, uint64_t arrivals, int64_t timeout_ns)
{
    struct timespec moment = moment_after(timeout_ns);

    (void)pthread_mutex_lock(&crew->mutex);
    crew->any_awaited = true;
    while (crew->arrivals == arrivals) {
        if (pthread_cond_timedwait(&crew->arrived, &crew->mutex, &moment) != 0) {
            break;
        }
    }
    crew->any_awaited = false;
    (void)pthread_mutex_unlock(&crew->mutex);
}

bool crew_rests(struct crew *crew, const struct crew_lane *lane)
{
    (void)pthread_mutex_lock(&crew->mutex);
    bool rests = lane->resting && lane->read == lane->given_back;
    (void)pthread_mutex_unlock(&crew->mutex);
    return rests;
}
