#include "engine/match.h"

#include <string.h>

enum { BUCKETS = 256, SHORT = 48, TOP_SHIFT = 56 };

uint64_t match_id(const struct siphash_key *key, struct span id)
{
    return siphash(key, id);
}

uint64_t match_content(const struct siphash_key *key, struct money amount, const char *currency,
                       unsigned verdict)
{
    struct money_sum value = {0};
    uint8_t bytes[sizeof(value.billionths) + 3];

    must(verdict <= MATCH_UNKNOWN);
    bool added = money_add(&value, amount);
    must(added);
    memcpy(bytes, &value.billionths, sizeof(value.billionths));
    memcpy(bytes + sizeof(value.billionths), currency, 3);
    return siphash(key, (struct span){bytes, sizeof(bytes)}) << 3 | verdict;
}

void match_add(struct match_list *list, uint64_t id, uint64_t content)
{
    must(list->count < list->capacity);
    list->entries[list->count++] = (struct match){id, content};
}

static bool before(const struct match *left, const struct match *right)
{
    return left->id != right->id ? left->id < right->id : left->content < right->content;
}

static void sort_short(struct match *entries, size_t count)
{
    for (size_t index = 1; index < count; index++) {
        struct match moving = entries[index];
        size_t to = index;
        while (to > 0 && before(&moving, &entries[to - 1])) {
            entries[to] = entries[to - 1];
            to--;
        }
        entries[to] = moving;
    }
}

/* Many of one id: nothing left to tell them apart by but their content. */
static void sift(struct match *entries, size_t root, size_t count)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && before(&entries[child], &entries[child + 1])) {
            child++;
        }
        if (!before(&entries[root], &entries[child])) {
            return;
        }
        struct match moving = entries[root];
        entries[root] = entries[child];
        entries[child] = moving;
    }
}

static void sort_heap(struct match *entries, size_t count)
{
    for (size_t root = count / 2; root > 0; root--) {
        sift(entries, root - 1, count);
    }
    for (size_t last = count; last > 1; last--) {
        struct match moving = entries[0];
        entries[0] = entries[last - 1];
        entries[last - 1] = moving;
        sift(entries, 0, last - 1);
    }
}

/*
 * American flag sort (McIlroy, Bostic, McIlroy 1993): the digests are spread evenly, so each
 * byte of them cuts the list into 256 parts, in place.
 */
static void sort_by_byte(struct match *entries, size_t count, unsigned shift)
{
    size_t ends[BUCKETS] = {0};
    size_t nexts[BUCKETS];
    size_t sum = 0;

    for (size_t index = 0; index < count; index++) {
        ends[entries[index].id >> shift & 255]++;
    }
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        nexts[bucket] = sum;
        sum += ends[bucket];
        ends[bucket] = sum;
    }
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        while (nexts[bucket] < ends[bucket]) {
            struct match moving = entries[nexts[bucket]];
            for (size_t other; (other = moving.id >> shift & 255) != bucket;) {
                struct match swapped = entries[nexts[other]];
                entries[nexts[other]++] = moving;
                moving = swapped;
            }
            entries[nexts[bucket]++] = moving;
        }
    }
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        size_t start = bucket == 0 ? 0 : ends[bucket - 1];
        size_t size = ends[bucket] - start;
        if (size <= SHORT) {
            sort_short(entries + start, size);
        } else if (shift == 0) {
            sort_heap(entries + start, size);
        } else {
            sort_by_byte(entries + start, size, shift - 8);
        }
    }
}

void match_sort(struct match_list *list)
{
    sort_by_byte(list->entries, list->count, TOP_SHIFT);
}

size_t match_group(const struct match_list *list, size_t first)
{
    size_t end = first;

    while (end < list->count && list->entries[end].id == list->entries[first].id) {
        end++;
    }
    return end - first;
}
