#include "core/tally.h"

#include <string.h>

void tallies_init(struct tallies *tallies, const struct tally_memory *memory)
{
    *tallies = (struct tallies){
        .totals = memory->totals,
        .touched = memory->touched,
        .marks = memory->marks,
    };
    index_init(&tallies->index, memory->cells, index_cell_count(TALLIES_MAX));
}

static uint64_t word_of(uint32_t source, uint8_t tally, const char *currency)
{
    return (uint64_t)source << 32 | (uint64_t)tally << 24 | (uint64_t)(uint8_t)currency[0] << 16 |
           (uint64_t)(uint8_t)currency[1] << 8 | (uint8_t)currency[2];
}

static uint64_t total_word(const struct epoch_total *total)
{
    return word_of(total->source, total->tally, total->currency);
}

/* Few sources, eight tallies, currencies of three letters: a multiplication spreads them. */
static uint32_t word_hash(uint64_t word)
{
    return (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static uint32_t find(const struct tallies *tallies, uint64_t word)
{
    uint32_t hash = word_hash(word);
    uint32_t cell;
    uint32_t number = index_first(&tallies->index, hash, &cell);

    while (number != INDEX_NONE && total_word(&tallies->totals[number]) != word) {
        number = index_next(&tallies->index, hash, &cell);
    }
    return number;
}

static struct money_sum sum_of(const struct epoch_total *total)
{
    struct money_sum sum;

    memcpy(&sum, &total->sum_low, sizeof(sum));
    return sum;
}

_Static_assert(offsetof(struct epoch_total, sum_high) ==
                   offsetof(struct epoch_total, sum_low) + sizeof(uint64_t),
               "the two halves are one 128-bit number");

bool tallies_fit(const struct tallies *tallies, const struct tally_entry *entry)
{
    uint32_t number = find(tallies, word_of(entry->source, entry->tally, entry->currency));

    if (number == INDEX_NONE) {
        return tallies->count < TALLIES_MAX - 1; /* A message may begin two. */
    }
    struct money_sum sum = sum_of(&tallies->totals[number]);
    return money_add(&sum, entry->amount) &&
           tallies->totals[number].count <= UINT64_MAX - entry->count;
}

static uint32_t add_total(struct tallies *tallies, const struct epoch_total *total)
{
    must(tallies->count < TALLIES_MAX);

    uint32_t number = (uint32_t)tallies->count++;
    tallies->totals[number] = *total;
    index_add(&tallies->index, word_hash(total_word(total)), number);
    return number;
}

void tallies_add(struct tallies *tallies, const struct tally_entry *entry)
{
    uint32_t number = find(tallies, word_of(entry->source, entry->tally, entry->currency));

    if (number == INDEX_NONE) {
        struct epoch_total total = {.source = entry->source, .tally = entry->tally};
        memcpy(total.currency, entry->currency, sizeof(total.currency));
        number = add_total(tallies, &total);
    }
    struct epoch_total *total = &tallies->totals[number];
    struct money_sum sum = sum_of(total);
    bool fits = money_add(&sum, entry->amount);
    must(fits);
    total->count += entry->count;
    memcpy(&total->sum_low, &sum, sizeof(sum));
    if (tallies->marks[number] == 0) {
        tallies->marks[number] = 1;
        tallies->touched[tallies->touched_count++] = number;
    }
}

bool tallies_restore(struct tallies *tallies, const struct epoch_total *total)
{
    uint32_t number = find(tallies, total_word(total));

    if (number != INDEX_NONE) {
        tallies->totals[number] = *total;
        return true;
    }
    if (tallies->count >= TALLIES_MAX) {
        return false;
    }
    (void)add_total(tallies, total);
    return true;
}

void tallies_epoch_end(struct tallies *tallies)
{
    for (size_t index = 0; index < tallies->touched_count; index++) {
        tallies->marks[tallies->touched[index]] = 0;
    }
    tallies->touched_count = 0;
}

uint64_t tallies_hash(const struct tallies *tallies)
{
    static const struct siphash_key key = {1, 2};
    uint64_t hash = 0;

    for (size_t number = 0; number < tallies->count; number++) {
        hash += siphash(&key, (struct span){&tallies->totals[number], sizeof(struct epoch_total)});
    }
    return hash;
}
