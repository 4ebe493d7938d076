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

static uint64_t total_word(const struct epoch_total *total)
{
    return tally_word(total->source, total->tally, total->currency);
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

/* By halves: what was stored in two parts is slow to read as one. */
static struct money_sum sum_of(const struct epoch_total *total)
{
    const money_wide half = (money_wide)UINT64_MAX + 1;

    return (struct money_sum){(int64_t)total->sum_high * half + total->sum_low};
}

static void sum_put(struct epoch_total *total, const struct money_sum *sum)
{
    total->sum_low = (uint64_t)sum->billionths;
    total->sum_high = (uint64_t)(sum->billionths >> 64);
}

bool tallies_fit(const struct tallies *tallies, const struct tally_entry *entry,
                 uint32_t *ret_number)
{
    uint32_t number = find(tallies, entry->word);

    *ret_number = number;
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

static uint32_t begin_total(struct tallies *tallies, uint64_t word)
{
    struct epoch_total total = {
        .source = (uint32_t)(word >> 32),
        .tally = (uint8_t)(word >> 24),
        .currency = {(char)(word >> 16), (char)(word >> 8), (char)word},
    };

    return add_total(tallies, &total);
}

void tallies_add(struct tallies *tallies, const struct tally_entry *entry, uint32_t number)
{
    if (number == INDEX_NONE) { /* A message may count twice under one that it begins. */
        number = find(tallies, entry->word);
    }
    if (number == INDEX_NONE) {
        number = begin_total(tallies, entry->word);
    }
    struct epoch_total *total = &tallies->totals[number];
    struct money_sum sum = sum_of(total);
    bool fits = money_add(&sum, entry->amount);
    must(fits);
    total->count += entry->count;
    sum_put(total, &sum);
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
