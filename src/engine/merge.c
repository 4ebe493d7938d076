#include "engine/merge.h"

/* Without a jump: which of two sources is next cannot be foretold. */
static bool before(const struct merge_entry *left, const struct merge_entry *right)
{
    bool older = left->newest_ms < right->newest_ms;
    bool same = left->newest_ms == right->newest_ms;

    return older | (same & (left->lane < right->lane));
}

void merge_sink(struct merge *merge)
{
    struct merge_entry *entries = merge->entries;
    struct merge_entry entry = entries[0];
    size_t at = 0;

    for (size_t child = 1; child < merge->count; child = 2 * at + 1) {
        bool other = child + 1 < merge->count && before(&entries[child + 1], &entries[child]);
        child += other;
        if (before(&entry, &entries[child])) {
            break;
        }
        entries[at] = entries[child];
        at = child;
    }
    entries[at] = entry;
}

void merge_init(struct merge *merge, struct merge_entry *entries)
{
    merge->entries = entries;
    merge->count = 0;
}

void merge_add(struct merge *merge, size_t lane, int64_t newest_ms)
{
    struct merge_entry entry = {newest_ms, lane};
    size_t at = merge->count++;

    while (at > 0 && before(&entry, &merge->entries[(at - 1) / 2])) {
        merge->entries[at] = merge->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    merge->entries[at] = entry;
}

void merge_leave(struct merge *merge)
{
    must(merge->count > 0);

    merge->entries[0] = merge->entries[--merge->count];
    merge_sink(merge);
}
