/*
 * decision: what was decided about one message, or one note between messages, as recorded.
 *
 * The fold reads nothing else: a record holds all that the state needs to come out the same.
 * In the journal, little-endian, each a multiple of 8 bytes:
 *
 *      0   1  kind: a verdict 0 to 5, SKIPPED, or a note from NOTE_FIRST
 *      1   1  kind of the id (enum ident_kind)
 *      2   1  length of a long id, else 0
 *      3   1  length of the region, else 0; REGION_OTHER: longer than GROUP_TEXT_MAX
 *      4   2  source
 *      6   1  scale of the amount
 *      7   1  flags
 *      8   8  offset                          (a gap: its first)
 *     16   8  event time, ms                  (a gap: its end; INSTANT_NONE where unknown)
 *     24   8  arrival, ms                     (a note: the clock when it was taken)
 *             -- an invalid or skipped message ends here: 32 bytes
 *     32   8  amount in units
 *     40   4  currency
 *     44   4  keyed digest of the content
 *             -- duplicate, conflict, late, future end here: 48 bytes
 *     48  16  id
 *     64  16  sender (enum ident_kind in flags)
 *     80   8  keyed digest of sender, receiver, amount, currency
 *     88   .  region, then the text of a long id, zero-padded to 8
 *
 * A note ends with its text: at 32 its length (8 bytes), then the text, zero-padded to 8.
 */
#ifndef PAY_DECISION_H
#define PAY_DECISION_H

#include "pay/ident.h"
#include "pay/payment.h"
#include "pay/verdict.h"

enum decision_kind {
    /* 0 to 6 are an enum verdict. */
    NOTE_FIRST = 16,
    NOTE_SOURCE = NOTE_FIRST, /* A source joins: text = struct origin's bytes; offset = start. */
    NOTE_START,               /* A process starts: every source counts as active again. */
    NOTE_IDLE,                /* The source is silent at its end, by a fresh witness. */
    NOTE_ENDED,               /* A file was read to its end: it leaves. */
    NOTE_ACTIVE,              /* An ended file has grown; or an assignment. */
    NOTE_RULES,               /* text = struct rules' bytes: in force from here; their windows,
                               * where known, from event time on. */
    NOTE_GAP,                 /* Offsets [offset, event_ms) acknowledged as lost, by a ruling. */
    NOTE_DECISION,            /* An operator decided, about this source: text = pay/ruling.h. */
    NOTE_CLOSE,               /* Windows were closed; says nothing about messages. */
    NOTE_FACTS,               /* text = struct source_facts' bytes: what is known of the source. */
    NOTE_END,
};

enum {
    DECISION_BARE_SIZE = 32,
    DECISION_MONEY_SIZE = 48,
    DECISION_FULL_SIZE = 88,
    NOTE_TEXT_MAX = 4096,
    DECISION_SIZE_MAX = 40 + NOTE_TEXT_MAX,
    REGION_OTHER = 255,
};

enum decision_flags {
    DECISION_KNOWN_ID = 1,     /* LATE: the id was in memory. */
    DECISION_EARLIER = 2,      /* DUPLICATE: its event time is before the accepted one's. */
    DECISION_SENDER_SHIFT = 4, /* Bits 4 and 5: enum ident_kind of the sender. */
};

struct decision {
    uint8_t kind;
    uint8_t id_kind;
    uint8_t region_size;
    uint8_t scale;
    uint8_t flags;
    uint8_t sender_kind;
    uint16_t source;
    uint64_t offset;
    int64_t event_ms;
    int64_t arrival_ms;
    int64_t units;
    char currency[4];
    uint32_t digest;
    struct ident id;
    struct ident sender;
    uint64_t pair_hash;
    uint64_t id_hash; /* Not recorded, as are the next two: decision_read makes them again. */
    uint64_t sender_hash;
    uint64_t region_hash;
    struct span region;  /* Lent from the record or the message. */
    struct span long_id; /* IDENT_LONG only. */
    struct span text;    /* Notes only. */
};

static inline bool decision_is_note(const struct decision *decision)
{
    return decision->kind >= NOTE_FIRST;
}

/* Draw the record; `to` has room for DECISION_SIZE_MAX. Returns its size, a multiple of 8. */
size_t decision_write(const struct decision *decision, uint8_t *to);

/*
 * The record at the front of these bytes. Returns its size, or 0 if they are no record
 * (short, an unknown kind, a length that does not fit). key: to make the hashes again; NULL:
 * nobody looks at them, and they stay 0.
 */
size_t decision_read(struct span bytes, const struct siphash_key *key,
                     struct decision *ret_decision);

#endif
