#include "pay/decision.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

/* The front of every record. */
struct bare {
    uint8_t kind;
    uint8_t id_kind;
    uint8_t id_size;
    uint8_t region_size;
    uint16_t source;
    uint8_t scale;
    uint8_t flags;
    uint64_t offset;
    int64_t event_ms;
    int64_t arrival_ms;
};

struct with_money {
    int64_t units;
    char currency[4];
    uint32_t digest;
};

struct accepted {
    struct ident id;
    struct ident sender;
    uint64_t pair_hash;
};

_Static_assert(sizeof(struct bare) == DECISION_BARE_SIZE, "the format says 32");
_Static_assert(sizeof(struct bare) + sizeof(struct with_money) == DECISION_MONEY_SIZE, "48");
_Static_assert(DECISION_MONEY_SIZE + sizeof(struct accepted) == DECISION_FULL_SIZE, "88");

enum { SENDER_KIND_MASK = 3 << DECISION_SENDER_SHIFT };

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static size_t note_write(const struct decision *decision, uint8_t *to)
{
    must(decision->text.size <= NOTE_TEXT_MAX);

    uint64_t size = decision->text.size;
    size_t whole = DECISION_BARE_SIZE + sizeof(size) + padded(decision->text.size);

    memcpy(to + DECISION_BARE_SIZE, &size, sizeof(size));
    memset(to + DECISION_BARE_SIZE + sizeof(size), 0, padded(decision->text.size));
    if (size > 0) {
        memcpy(to + DECISION_BARE_SIZE + sizeof(size), decision->text.at, decision->text.size);
    }
    return whole;
}

static size_t region_bytes(const struct decision *decision)
{
    return decision->region_size == REGION_OTHER ? 0 : decision->region_size;
}

static size_t accepted_write(const struct decision *decision, uint8_t *to)
{
    struct accepted accepted = {decision->id, decision->sender, decision->pair_hash};
    size_t region = region_bytes(decision);
    size_t long_id = decision->id_kind == IDENT_LONG ? decision->long_id.size : 0;
    uint8_t *tail = to + DECISION_FULL_SIZE;

    must(region <= GROUP_TEXT_MAX);
    must(long_id <= IDENT_TEXT_MAX);
    memcpy(to + DECISION_MONEY_SIZE, &accepted, sizeof(accepted));
    memset(tail, 0, padded(region + long_id));
    if (region > 0) {
        memcpy(tail, decision->region.at, region);
    }
    if (long_id > 0) {
        memcpy(tail + region, decision->long_id.at, long_id);
    }
    return DECISION_FULL_SIZE + padded(region + long_id);
}

size_t decision_write(const struct decision *decision, uint8_t *to)
{
    struct bare bare = {
        .kind = decision->kind,
        .id_kind = decision->id_kind,
        .id_size = decision->id_kind == IDENT_LONG ? (uint8_t)decision->long_id.size : 0,
        .region_size = decision->region_size,
        .source = decision->source,
        .scale = decision->scale,
        .flags = (uint8_t)(decision->flags | decision->sender_kind << DECISION_SENDER_SHIFT),
        .offset = decision->offset,
        .event_ms = decision->event_ms,
        .arrival_ms = decision->arrival_ms,
    };

    memcpy(to, &bare, sizeof(bare));
    if (decision_is_note(decision)) {
        return note_write(decision, to);
    }
    if (decision->kind == INVALID || decision->kind == SKIPPED) {
        return DECISION_BARE_SIZE;
    }
    struct with_money money = {.units = decision->units, .digest = decision->digest};
    memcpy(money.currency, decision->currency, sizeof(money.currency));
    memcpy(to + DECISION_BARE_SIZE, &money, sizeof(money));
    return decision->kind == ACCEPTED ? accepted_write(decision, to) : DECISION_MONEY_SIZE;
}

static size_t note_read(struct span bytes, struct decision *ret_decision)
{
    const uint8_t *at = bytes.at;
    uint64_t size;

    if (bytes.size < DECISION_BARE_SIZE + sizeof(size)) {
        return 0;
    }
    memcpy(&size, at + DECISION_BARE_SIZE, sizeof(size));
    if (size > NOTE_TEXT_MAX ||
        bytes.size < DECISION_BARE_SIZE + sizeof(size) + padded((size_t)size)) {
        return 0;
    }
    ret_decision->text = (struct span){at + DECISION_BARE_SIZE + sizeof(size), (size_t)size};
    return DECISION_BARE_SIZE + sizeof(size) + padded((size_t)size);
}

static bool accepted_fits(const struct decision *decision, size_t id_size)
{
    bool kind_fits = decision->id_kind == IDENT_LONG ? id_size > 0 && id_size <= IDENT_TEXT_MAX
                                                     : decision->id_kind != IDENT_NONE;
    bool short_fits = decision->id_kind != IDENT_SHORT || decision->id.bytes[15] <= 15;

    return decision->id_kind <= IDENT_LONG && kind_fits && short_fits &&
           region_bytes(decision) <= GROUP_TEXT_MAX;
}

static void make_hashes(const struct siphash_key *key, struct decision *decision)
{
    decision->id_hash = ident_hash(key, decision->id_kind, &decision->id, decision->long_id);
    decision->sender_hash = ident_sender_hash(key, &decision->sender);
    decision->region_hash = siphash(key, decision->region);
}

static size_t accepted_read(struct span bytes, const struct siphash_key *key, size_t id_size,
                            struct decision *ret_decision)
{
    const uint8_t *at = bytes.at;
    struct accepted accepted;

    if (bytes.size < DECISION_FULL_SIZE) {
        return 0;
    }
    memcpy(&accepted, at + DECISION_MONEY_SIZE, sizeof(accepted));
    ret_decision->id = accepted.id;
    ret_decision->sender = accepted.sender;
    ret_decision->pair_hash = accepted.pair_hash;
    if (!accepted_fits(ret_decision, id_size)) {
        return 0;
    }
    size_t region = region_bytes(ret_decision);
    size_t long_id = ret_decision->id_kind == IDENT_LONG ? id_size : 0;
    if (bytes.size < DECISION_FULL_SIZE + padded(region + long_id)) {
        return 0;
    }
    ret_decision->region = (struct span){at + DECISION_FULL_SIZE, region};
    ret_decision->long_id = (struct span){at + DECISION_FULL_SIZE + region, long_id};
    if (key != NULL) {
        make_hashes(key, ret_decision);
    }
    return DECISION_FULL_SIZE + padded(region + long_id);
}

static size_t money_read_record(struct span bytes, struct decision *ret_decision)
{
    struct with_money money;

    if (bytes.size < DECISION_MONEY_SIZE || ret_decision->scale > MONEY_SCALE_MAX) {
        return 0;
    }
    memcpy(&money, (const uint8_t *)bytes.at + DECISION_BARE_SIZE, sizeof(money));
    ret_decision->units = money.units;
    ret_decision->digest = money.digest;
    memcpy(ret_decision->currency, money.currency, sizeof(money.currency));
    return DECISION_MONEY_SIZE;
}

size_t decision_read(struct span bytes, const struct siphash_key *key,
                     struct decision *ret_decision)
{
    struct bare bare;

    if (bytes.size < sizeof(bare)) {
        return 0;
    }
    memcpy(&bare, bytes.at, sizeof(bare));
    *ret_decision = (struct decision){
        .kind = bare.kind,
        .id_kind = bare.id_kind,
        .region_size = bare.region_size,
        .scale = bare.scale,
        .flags = (uint8_t)(bare.flags & ~SENDER_KIND_MASK),
        .sender_kind = (uint8_t)((bare.flags & SENDER_KIND_MASK) >> DECISION_SENDER_SHIFT),
        .source = bare.source,
        .offset = bare.offset,
        .event_ms = bare.event_ms,
        .arrival_ms = bare.arrival_ms,
    };
    if (bare.kind >= NOTE_FIRST) {
        return bare.kind < NOTE_END ? note_read(bytes, ret_decision) : 0;
    }
    if (bare.kind == INVALID || bare.kind == SKIPPED) {
        return DECISION_BARE_SIZE;
    }
    if (bare.kind > SKIPPED || money_read_record(bytes, ret_decision) == 0) {
        return 0;
    }
    return bare.kind == ACCEPTED ? accepted_read(bytes, key, bare.id_size, ret_decision)
                                 : DECISION_MONEY_SIZE;
}
