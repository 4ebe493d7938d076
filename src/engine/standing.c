#include "engine/standing.h"

#include "pay/ruling.h"

#include <string.h>

/* The memory's parts, in this order, each a multiple of 8 bytes. */
enum {
    ORIGINS_SIZE = SOURCES_MAX * sizeof(struct origin),
    STARTS_SIZE = SOURCES_MAX * sizeof(uint64_t),
    FACTS_SIZE = SOURCES_MAX * sizeof(struct source_facts),
    RANGES_SIZE = SOURCES_MAX * sizeof(struct epoch_range),
    TOTALS_SIZE = STANDING_TOTALS_MAX * sizeof(struct epoch_total),
    SLOTS_SIZE = 2 * STANDING_TOTALS_MAX * sizeof(uint32_t),
};

size_t standing_memory_size(void)
{
    return ORIGINS_SIZE + STARTS_SIZE + FACTS_SIZE + RANGES_SIZE + TOTALS_SIZE + SLOTS_SIZE +
           STANDING_NOTES_SIZE;
}

void standing_init(struct standing *standing, void *memory)
{
    uint8_t *at = memory;

    *standing = (struct standing){.origins = (struct origin *)at};
    at += ORIGINS_SIZE;
    standing->starts = (uint64_t *)at;
    at += STARTS_SIZE;
    standing->facts = (struct source_facts *)at;
    at += FACTS_SIZE;
    standing->ranges = (struct epoch_range *)at;
    at += RANGES_SIZE;
    standing->totals = (struct epoch_total *)at;
    at += TOTALS_SIZE;
    standing->total_slots = (uint32_t *)at;
    at += SLOTS_SIZE;
    standing->notes = at;
    standing_clear(standing);
}

void standing_clear(struct standing *standing)
{
    if (standing->total_count > 0) {
        memset(standing->total_slots, 0, SLOTS_SIZE);
    }
    standing->epoch = 0;
    memset(&standing->chain, 0, sizeof(standing->chain));
    standing->watermark_ms = INT64_MIN;
    standing->seed_epoch = 1;
    standing->rules_known = false;
    standing->rules_epoch = 0;
    standing->decided_count = 0;
    standing->source_count = 0;
    standing->total_count = 0;
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        standing->seq_next[table] = 1;
    }
}

static bool total_same(const struct epoch_total *left, const struct epoch_total *right)
{
    return left->source == right->source && left->tally == right->tally &&
           memcmp(left->currency, right->currency, sizeof(left->currency)) == 0;
}

/* The slot of this total, or the empty slot where it would go. */
static size_t total_slot(const struct standing *standing, const struct epoch_total *total)
{
    uint64_t word = (uint64_t)total->source << 32 | (uint64_t)total->tally << 24 |
                    (uint64_t)(uint8_t)total->currency[0] << 16 |
                    (uint64_t)(uint8_t)total->currency[1] << 8 | (uint8_t)total->currency[2];
    size_t mask = 2 * STANDING_TOTALS_MAX - 1;
    size_t slot = (size_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & mask;

    while (standing->total_slots[slot] != 0 &&
           !total_same(&standing->totals[standing->total_slots[slot] - 1], total)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

const struct epoch_total *standing_total(const struct standing *standing,
                                         const struct epoch_total *like)
{
    uint32_t index = standing->total_slots[total_slot(standing, like)];

    return index == 0 ? NULL : &standing->totals[index - 1];
}

uint64_t standing_count(const struct standing *standing, uint8_t tally)
{
    uint64_t count = 0;

    for (size_t index = 0; index < standing->total_count; index++) {
        count += standing->totals[index].tally == tally ? standing->totals[index].count : 0;
    }
    return count;
}

static enum outcome add_source(struct standing *standing, const struct decision *note,
                               struct fault *ret_fault)
{
    if (note->text.size != sizeof(struct origin) || note->source != standing->source_count ||
        standing->source_count >= SOURCES_MAX) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "source %u joins, but %zu are known", note->source, standing->source_count);
    }
    memcpy(&standing->origins[note->source], note->text.at, sizeof(struct origin));
    standing->starts[note->source] = note->offset;
    memset(&standing->facts[note->source], 0, sizeof(standing->facts[0]));
    standing->facts_version++;
    standing->ranges[note->source] = (struct epoch_range){.source = note->source,
                                                          .first = note->offset,
                                                          .next = note->offset,
                                                          .newest_ms = INT64_MIN};
    standing->source_count++;
    return DONE;
}

static enum outcome note_facts(struct standing *standing, const struct decision *note,
                               struct fault *ret_fault)
{
    struct source_facts *facts = &standing->facts[note->source];

    if (note->source >= standing->source_count || note->text.size != sizeof(*facts)) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "facts of %zu bytes about source %u, where %zu are known", note->text.size,
                        note->source, standing->source_count);
    }
    memcpy(facts, note->text.at, sizeof(*facts));
    facts->cluster[CLUSTER_TEXT_MAX] = '\0';
    facts->topic_id[TOPIC_ID_TEXT_MAX] = '\0';
    standing->facts_version++;
    return DONE;
}

static void note_ruling(struct standing *standing, const struct decision *note)
{
    struct ruling ruling;

    if (ruling_read(note->text, &ruling)) {
        standing->decided[standing->decided_count++ % STANDING_DECIDED] = ruling.id;
    }
}

bool standing_decided(const struct standing *standing, uint64_t id)
{
    for (size_t index = 0; index < standing->decided_count && index < STANDING_DECIDED; index++) {
        if (standing->decided[index] == id) {
            return true;
        }
    }
    return false;
}

static enum outcome take_note(struct standing *standing, const struct decision *note,
                              uint64_t epoch, struct fault *ret_fault)
{
    if (note->kind == NOTE_SOURCE) {
        return add_source(standing, note, ret_fault);
    }
    if (note->kind == NOTE_FACTS) {
        return note_facts(standing, note, ret_fault);
    }
    if (note->kind == NOTE_GAP || note->kind == NOTE_DECISION) {
        note_ruling(standing, note);
    }
    if (note->kind == NOTE_RULES) {
        if (note->text.size != sizeof(standing->rules)) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_FORMAT,
                            "rules of %zu bytes: written by another version", note->text.size);
        }
        memcpy(&standing->rules, note->text.at, sizeof(standing->rules));
        standing->rules_known = true;
        standing->rules_epoch = epoch;
    }
    return DONE;
}

/* Only the notes; the verdicts are in ranges and totals already. */
static enum outcome take_notes(struct standing *standing, const struct epoch *epoch,
                               struct fault *ret_fault)
{
    struct span left = epoch_notes(epoch);
    enum outcome outcome = DONE;

    while (outcome == DONE && left.size > 0) {
        struct decision decision;
        size_t size = decision_read(left, NULL, &decision);
        if (size == 0) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu: a record that is none, %zu bytes before its end",
                            (unsigned long long)epoch->number, left.size);
        }
        if (decision_is_note(&decision)) {
            outcome = take_note(standing, &decision, epoch->number, ret_fault);
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    return outcome;
}

static enum outcome take_total(struct standing *standing, const struct epoch_total *total,
                               struct fault *ret_fault)
{
    size_t slot = total_slot(standing, total);

    if (standing->total_slots[slot] == 0) {
        if (standing->total_count >= STANDING_TOTALS_MAX) {
            return fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                            "more than %d totals (source, verdict, currency)", STANDING_TOTALS_MAX);
        }
        standing->total_slots[slot] = (uint32_t)++standing->total_count;
    }
    standing->totals[standing->total_slots[slot] - 1] = *total;
    return DONE;
}

static enum outcome take_range(struct standing *standing, const struct epoch_range *range,
                               struct fault *ret_fault)
{
    if (range->source >= standing->source_count) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "a range of source %u, but %zu are known", range->source,
                        standing->source_count);
    }
    standing->ranges[range->source] = *range;
    standing->ranges[range->source].first = range->next;
    return DONE;
}

enum outcome standing_apply(struct standing *standing, const struct epoch *epoch,
                            struct fault *ret_fault)
{
    enum outcome outcome = take_notes(standing, epoch, ret_fault);

    for (size_t index = 0; outcome == DONE && index < epoch->range_count; index++) {
        outcome = take_range(standing, &epoch->ranges[index], ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < epoch->total_count; index++) {
        outcome = take_total(standing, &epoch->totals[index], ret_fault);
    }
    if (outcome == DONE) {
        standing->epoch = epoch->number;
        standing->chain = epoch->chain;
        standing->watermark_ms = epoch->watermark_ms;
        standing->seed_epoch = epoch->seed_epoch;
        memcpy(standing->seq_next, epoch->seq_next, sizeof(standing->seq_next));
    }
    return outcome;
}

static void add_source_notes(const struct standing *standing, uint16_t source,
                             struct epoch *snapshot)
{
    const struct source_facts *facts = &standing->facts[source];
    struct decision note = {.kind = NOTE_SOURCE,
                            .source = source,
                            .offset = standing->starts[source],
                            .text = {&standing->origins[source], sizeof(struct origin)}};

    epoch_add_decision(snapshot, &note);
    if (facts->cluster[0] != '\0' || facts->topic_id[0] != '\0') {
        note.kind = NOTE_FACTS;
        note.text = (struct span){facts, sizeof(*facts)};
        epoch_add_decision(snapshot, &note);
    }
}

void standing_snapshot(struct standing *standing, struct epoch *ret_snapshot)
{
    *ret_snapshot = (struct epoch){
        .number = standing->epoch,
        .chain = standing->chain,
        .prev_chain = standing->chain,
        .watermark_ms = standing->watermark_ms,
        .newest_accepted_ms = INT64_MIN,
        .seed_epoch = standing->seed_epoch,
        .ranges = standing->ranges,
        .range_count = standing->source_count,
        .totals = standing->totals,
        .total_count = standing->total_count,
        .decisions = {.at = standing->notes, .capacity = STANDING_NOTES_SIZE},
    };
    memcpy(ret_snapshot->seq_next, standing->seq_next, sizeof(standing->seq_next));
    for (size_t source = 0; source < standing->source_count; source++) {
        add_source_notes(standing, (uint16_t)source, ret_snapshot);
    }
    if (standing->rules_known) {
        struct decision note = {.kind = NOTE_RULES,
                                .event_ms = INSTANT_NONE,
                                .text = {&standing->rules, sizeof(standing->rules)}};
        epoch_add_decision(ret_snapshot, &note);
    }
}
