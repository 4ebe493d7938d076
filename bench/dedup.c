/*
 * Remembering an id, beside what the machine can do at best: the same 32 bytes written into one
 * plain array by open addressing, sized for the purpose beforehand (no growth, no whole-id check
 * of anything but the slot it hits, no forgetting), and the bare reading of a random line.
 *
 * Three passes over the same ids: new ones while the memory grows; every one again, in another
 * order; new ones in a full memory that forgets as many. Nanoseconds for each, making the id and
 * its keyed hash included; medians.
 *
 * usage: bench_dedup [--large] [RUNS]      --large: 100 M ids, too (6 GiB)
 */
#include "bench/measure.h"
#include "core/dedup.h"
#include "os/memory.h"
#include "pay/decision.h"
#include "pay/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 16, RETENTION_MS = 1000000000 };

#define BASE_MS INT64_C(1750000000000)

static const struct siphash_key key = {11, 12};

struct figures {
    double new_ns;
    double again_ns;
    double steady_ns;
    double plain_new_ns;
    double plain_again_ns;
    double line_ns;
    double bytes_growing; /* The most an id while growing. */
    double bytes;         /* At the end. */
};

static struct dedup_id make_id(uint64_t number)
{
    uint64_t halves[2] = {number * UINT64_C(0x9e3779b97f4a7c15), number ^ UINT64_C(0x5bd1e995)};
    struct dedup_id id = {.kind = IDENT_UUID};

    memcpy(id.ident.bytes, halves, sizeof(halves));
    id.hash = ident_hash(&key, IDENT_UUID, &id.ident, (struct span){NULL, 0});
    return id;
}

/* The numbers 0 .. count - 1 in another order; count is a power of ten, so odd steps do. */
static uint64_t shuffled(uint64_t index, uint64_t count)
{
    return (index * UINT64_C(7919)) % count;
}

static bool take(struct dedup *dedup, const struct dedup_id *id, const struct dedup_now *now,
                 uint64_t number)
{
    struct dedup_first first = {1, number, BASE_MS + (int64_t)number, 7};
    struct dedup_first found;

    if (dedup_find(dedup, id, now, &found)) {
        return false;
    }
    must(dedup_make_room(dedup, id, now));
    dedup_add(dedup, id, &first, now);
    return true;
}

/* Take `count` ids from `start` on, each drawn near AHEAD ids before; how long one took. */
static double take_many(struct dedup *dedup, uint64_t start, uint64_t count, bool again,
                        const struct dedup_now *still, struct figures *figures)
{
    struct dedup_id ids[AHEAD];
    uint64_t taken = 0;
    int64_t began = measure_cpu_ns();

    for (uint64_t index = 0; index < count + AHEAD; index++) {
        struct dedup_id *slot = &ids[index % AHEAD];
        if (index >= AHEAD) {
            uint64_t number = start + index - AHEAD;
            struct dedup_now now = *still;
            if (!again && now.watermark_ms != INSTANT_NONE) {
                now.watermark_ms = BASE_MS + (int64_t)number;
            }
            taken += take(dedup, slot, &now, number);
            dedup_sweep(dedup, &now);
            if (!again && number % 4096 == 4095 && figures != NULL && number > 100000) {
                double bytes = (double)dedup_bytes_touched(dedup) / (double)dedup->entry_count;
                figures->bytes_growing =
                    bytes > figures->bytes_growing ? bytes : figures->bytes_growing;
            }
        }
        if (index < count) {
            uint64_t number = again ? shuffled(index, count) : start + index;
            *slot = make_id(number);
            dedup_prefetch(dedup, slot->hash);
        }
        if (index >= AHEAD / 2 && index - AHEAD / 2 < count) {
            dedup_prefetch_slot(dedup, ids[(index - AHEAD / 2) % AHEAD].hash);
        }
    }
    must(taken == (again ? 0 : count));
    return (double)(measure_cpu_ns() - began) / (double)count;
}

static void bench_dedup(uint64_t count, struct figures *figures)
{
    size_t size = (size_t)count * 56 + (1 << 20);
    struct fault fault;
    struct dedup dedup;
    void *memory;
    struct dedup_now still = {INSTANT_NONE, RETENTION_MS};
    struct dedup_now moving = {BASE_MS, (int64_t)count};

    must(memory_reserve(size, &memory, &fault) == DONE);
    memory_back(memory, size);
    struct dedup_memory lent = {memory, size / DEDUP_UNIT_SIZE};
    dedup_init(&dedup, &key, &lent);
    figures->new_ns = take_many(&dedup, 0, count, false, &still, figures);
    figures->bytes = (double)dedup_bytes_touched(&dedup) / (double)dedup.entry_count;
    figures->again_ns = take_many(&dedup, 0, count, true, &still, NULL);
    figures->steady_ns = take_many(&dedup, count, count, false, &moving, NULL);
    memory_release(memory, size);
}

/* The reference: sixteen bytes of id and sixteen more, in the first free slot from its hash on. */
struct plain {
    uint64_t id[2];
    uint64_t place;
    uint64_t more;
};

/* A place below count, by the hash. */
static uint64_t spread(uint64_t hash, uint64_t count)
{
    return (uint64_t)(((money_wide)hash * (money_wide)count) >> 64);
}

static double plain_many(struct plain *slots, uint64_t slot_count, uint64_t count, bool again)
{
    struct dedup_id ids[AHEAD];
    int64_t began = measure_cpu_ns();

    for (uint64_t index = 0; index < count + AHEAD; index++) {
        struct dedup_id *id = &ids[index % AHEAD];
        if (index >= AHEAD) {
            uint64_t at = spread(id->hash, slot_count);
            while (slots[at].place != 0 && memcmp(slots[at].id, id->ident.bytes, 16) != 0) {
                at = at + 1 < slot_count ? at + 1 : 0;
            }
            must((slots[at].place != 0) == again);
            memcpy(slots[at].id, id->ident.bytes, 16);
            slots[at].place = index + 1;
        }
        if (index < count) {
            *id = make_id(again ? shuffled(index, count) : index);
            uint64_t at = spread(id->hash, slot_count);
            __builtin_prefetch(&slots[at]);
        }
    }
    return (double)(measure_cpu_ns() - began) / (double)count;
}

static double line_many(const uint8_t *memory, size_t size, uint64_t count)
{
    uint64_t at[AHEAD] = {0};
    uint64_t sum = 0;
    int64_t began = measure_cpu_ns();

    for (uint64_t index = 0; index < count; index++) {
        uint64_t *slot = &at[index % AHEAD];
        sum += memory[*slot];
        *slot = spread(make_id(index).hash, size);
        __builtin_prefetch(memory + *slot);
    }
    must(sum != 1);
    return (double)(measure_cpu_ns() - began) / (double)count;
}

static void bench_plain(uint64_t count, struct figures *figures)
{
    uint64_t slot_count = count * 5 / 4; /* Load 0.8. */
    size_t size = (size_t)slot_count * sizeof(struct plain);
    struct fault fault;
    void *memory;

    must(memory_reserve(size, &memory, &fault) == DONE);
    memory_back(memory, size);
    figures->plain_new_ns = plain_many(memory, slot_count, count, false);
    figures->plain_again_ns = plain_many(memory, slot_count, count, true);
    figures->line_ns = line_many(memory, size, count);
    memory_release(memory, size);
}

/* The median of one member over the runs. */
static double median(const struct figures *figures, int runs, size_t offset)
{
    double values[MEASURE_RUNS_MAX];

    for (int run = 0; run < runs; run++) {
        memcpy(&values[run], (const char *)&figures[run] + offset, sizeof(double));
    }
    return measure_median(values, (size_t)runs);
}

#define MEDIAN(member) median(figures, runs, offsetof(struct figures, member))

static void bench(uint64_t count, int runs)
{
    struct figures figures[MEASURE_RUNS_MAX] = {{0}};

    for (int run = 0; run < runs; run++) {
        bench_dedup(count, &figures[run]);
        bench_plain(count, &figures[run]);
    }
    (void)printf(
        "%4llu M ids  new %5.1f  again %5.1f  steady %5.1f ns   %4.1f bytes an id (%4.1f at "
        "worst)   plain array: new %5.1f  again %5.1f ns   random line %5.1f ns\n",
        (unsigned long long)(count / 1000000), MEDIAN(new_ns), MEDIAN(again_ns), MEDIAN(steady_ns),
        MEDIAN(bytes), MEDIAN(bytes_growing), MEDIAN(plain_new_ns), MEDIAN(plain_again_ns),
        MEDIAN(line_ns));
}

int main(int argc, char **argv)
{
    bool large = argc > 1 && strcmp(argv[1], "--large") == 0;
    const char *asked = argc > 1 + large ? argv[1 + large] : "5";
    int runs = atoi(asked);

    if (runs < 1 || runs > MEASURE_RUNS_MAX) {
        (void)fprintf(stderr, "usage: bench_dedup [--large] [RUNS, at most %d]\n",
                      MEASURE_RUNS_MAX);
        return 2;
    }
    bench(1000000, runs);
    bench(10000000, runs);
    if (large) {
        bench(100000000, runs);
    }
    return 0;
}
