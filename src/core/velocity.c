#include "core/velocity.h"

#include "pay/decision.h"
#include "pay/rules.h"

#include <string.h>

enum { PAYMENTS_A_LINE = 64 / sizeof(struct velocity_payment) };

void velocity_init(struct velocity *velocity, const struct siphash_key *key,
                   const struct velocity_memory *memory)
{
    must(memory->sender_count >= 1);
    must(memory->sender_count < INDEX_NONE);
    must(memory->cell_count >= 2 * memory->sender_count);
    must(memory->text_size >= IDENT_TEXT_MAX);
    *velocity = (struct velocity){
        .key = *key,
        .senders = memory->senders,
        .sender_capacity = memory->sender_count,
        .sender_limit = memory->sender_count,
        .free_sender = INDEX_NONE,
        .oldest = INDEX_NONE,
        .newest = INDEX_NONE,
        .texts = memory->texts,
        .text_size = memory->text_size,
    };
    index_init(&velocity->index, memory->cells, memory->cell_count);
}

static uint32_t find_sender(const struct velocity *velocity, const struct velocity_ask *payment)
{
    uint32_t hash = (uint32_t)payment->sender_hash;
    uint32_t cell;
    uint32_t number = index_first(&velocity->index, hash, &cell);

    while (number != INDEX_NONE) {
        const struct velocity_sender *sender = &velocity->senders[number];
        if (sender->kind == payment->sender_kind && ident_same(&sender->ident, &payment->sender)) {
            break;
        }
        number = index_next(&velocity->index, hash, &cell);
    }
    return number;
}

static void unlink_sender(struct velocity *velocity, uint32_t number)
{
    struct velocity_sender *sender = &velocity->senders[number];

    if (sender->older == INDEX_NONE) {
        velocity->oldest = sender->newer;
    } else {
        velocity->senders[sender->older].newer = sender->newer;
    }
    if (sender->newer == INDEX_NONE) {
        velocity->newest = sender->older;
    } else {
        velocity->senders[sender->newer].older = sender->older;
    }
}

static void link_newest(struct velocity *velocity, uint32_t number)
{
    struct velocity_sender *sender = &velocity->senders[number];

    sender->older = velocity->newest;
    sender->newer = INDEX_NONE;
    if (velocity->newest == INDEX_NONE) {
        velocity->oldest = number;
    } else {
        velocity->senders[velocity->newest].newer = number;
    }
    velocity->newest = number;
}

static void drop_oldest(struct velocity *velocity)
{
    uint32_t number = velocity->oldest;
    struct velocity_sender *sender = &velocity->senders[number];

    index_remove(&velocity->index, (uint32_t)ident_sender_hash(&velocity->key, &sender->ident),
                 number);
    unlink_sender(velocity, number);
    sender->newer = velocity->free_sender;
    velocity->free_sender = number;
    velocity->sender_count--;
}

void velocity_limit(struct velocity *velocity, int64_t senders_max)
{
    must(senders_max >= 1);
    velocity->sender_limit = velocity->sender_capacity;
    if ((uint64_t)senders_max < velocity->sender_capacity) {
        velocity->sender_limit = (size_t)senders_max;
    }
    while (velocity->sender_count > velocity->sender_limit) {
        drop_oldest(velocity);
    }
}

static uint32_t new_sender(struct velocity *velocity, const struct velocity_ask *payment)
{
    if (velocity->sender_count >= velocity->sender_limit) {
        drop_oldest(velocity);
    }
    uint32_t number = velocity->free_sender;
    if (number == INDEX_NONE) {
        number = (uint32_t)velocity->sender_used++;
    } else {
        velocity->free_sender = velocity->senders[number].newer;
    }
    struct velocity_sender *sender = &velocity->senders[number];
    memset(sender, 0, offsetof(struct velocity_sender, payments));
    sender->ident = payment->sender;
    sender->kind = (uint8_t)payment->sender_kind;
    index_add(&velocity->index, (uint32_t)payment->sender_hash, number);
    velocity->sender_count++;
    return number;
}

/* A long id by where its text stands. */
struct standing_text {
    uint64_t place; /* Of its first byte, counted over all bytes ever written. */
    uint64_t size;
};

_Static_assert(sizeof(struct standing_text) == sizeof(struct ident), "kept in an ident's place");

static bool text_stands(const struct velocity *velocity, const struct standing_text *text)
{
    return velocity->text_next - text->place <= velocity->text_size;
}

static struct ident text_add(struct velocity *velocity, struct span text)
{
    struct standing_text stands = {velocity->text_next, text.size};
    uint64_t start = velocity->text_next % velocity->text_size;
    uint64_t left = velocity->text_size - start;
    size_t first = text.size < left ? text.size : (size_t)left;
    struct ident ident;

    must(text.size <= IDENT_TEXT_MAX);
    memcpy(velocity->texts + start, text.at, first);
    memcpy(velocity->texts, (const uint8_t *)text.at + first, text.size - first);
    velocity->text_next += text.size;
    memcpy(&ident, &stands, sizeof(ident));
    return ident;
}

static void text_read(const struct velocity *velocity, const struct standing_text *text, char *to)
{
    uint64_t start = text->place % velocity->text_size;
    uint64_t left = velocity->text_size - start;
    size_t first = text->size < left ? (size_t)text->size : (size_t)left;

    memcpy(to, velocity->texts + start, first);
    memcpy(to + first, velocity->texts, (size_t)text->size - first);
}

void velocity_add(struct velocity *velocity, const struct velocity_ask *payment)
{
    uint32_t number = find_sender(velocity, payment);

    if (number == INDEX_NONE) {
        number = new_sender(velocity, payment);
        link_newest(velocity, number);
    } else if (number != velocity->newest) {
        unlink_sender(velocity, number);
        link_newest(velocity, number);
    }
    struct velocity_sender *sender = &velocity->senders[number];
    size_t slot = sender->next;
    int shift = (int)slot * 2;
    sender->payments[slot] = (struct velocity_payment){payment->event_ms, payment->pair_hash};
    sender->ids[slot] =
        payment->id_kind == IDENT_LONG ? text_add(velocity, payment->long_id) : payment->id;
    sender->id_kinds = (sender->id_kinds & ~(UINT64_C(3) << shift)) | (uint64_t)payment->id_kind
                                                                          << shift;
    sender->next = (uint8_t)((slot + 1) % VELOCITY_PAYMENTS_MAX);
    if (sender->count < VELOCITY_PAYMENTS_MAX) {
        sender->count++;
    }
}

static enum ident_kind id_kind_at(const struct velocity_sender *sender, size_t slot)
{
    return (enum ident_kind)((sender->id_kinds >> (2 * slot)) & 3);
}

/* The id's text; 0: it no longer stands. */
static size_t id_text(const struct velocity *velocity, const struct velocity_sender *sender,
                      size_t slot, char *to)
{
    struct standing_text text;

    if (id_kind_at(sender, slot) != IDENT_LONG) {
        return ident_write(id_kind_at(sender, slot), &sender->ids[slot], to);
    }
    memcpy(&text, &sender->ids[slot], sizeof(text));
    if (!text_stands(velocity, &text)) {
        return 0;
    }
    text_read(velocity, &text, to);
    return (size_t)text.size;
}

/* Is the payment in this slot another one, whose id can be told? */
static bool tell_other(const struct velocity *velocity, const struct velocity_sender *sender,
                       size_t slot, const struct velocity_ask *ask, struct velocity_answer *answer)
{
    size_t size;

    if (id_kind_at(sender, slot) == ask->id_kind && ask->id_kind != IDENT_LONG &&
        ident_same(&sender->ids[slot], &ask->id)) {
        return false;
    }
    size = id_text(velocity, sender, slot, answer->look_alike);
    if (ask->id_kind == IDENT_LONG && size == ask->long_id.size &&
        memcmp(answer->look_alike, ask->long_id.at, size) == 0) {
        return false;
    }
    answer->look_alike_size = (uint8_t)size;
    return size > 0;
}

/* With the payment that asks they are the latest VELOCITY_PAYMENTS_MAX. */
static size_t earlier_count(const struct velocity_sender *sender)
{
    return sender->count < VELOCITY_PAYMENTS_MAX ? sender->count : VELOCITY_PAYMENTS_MAX - 1;
}

static bool near_in_time(int64_t left_ms, int64_t right_ms)
{
    return left_ms - right_ms <= LOOK_ALIKE_MS && right_ms - left_ms <= LOOK_ALIKE_MS;
}

void velocity_find(const struct velocity *velocity, const struct velocity_ask *ask,
                   struct velocity_answer *ret_answer)
{
    uint32_t number = find_sender(velocity, ask);
    bool found = false;

    ret_answer->in_short = 1;
    ret_answer->in_long = 1;
    ret_answer->look_alike_size = 0;
    if (number == INDEX_NONE) {
        return;
    }
    const struct velocity_sender *sender = &velocity->senders[number];
    for (size_t back = 1; back <= earlier_count(sender); back++) { /* From the latest. */
        size_t slot = (sender->next + VELOCITY_PAYMENTS_MAX - back) % VELOCITY_PAYMENTS_MAX;
        const struct velocity_payment *payment = &sender->payments[slot];
        int64_t before_ms = ask->event_ms - payment->event_ms;
        ret_answer->in_short += before_ms >= 0 && before_ms < VELOCITY_SHORT_MS;
        ret_answer->in_long += before_ms >= 0 && before_ms < VELOCITY_LONG_MS;
        if (!found && payment->pair_hash == ask->pair_hash &&
            near_in_time(payment->event_ms, ask->event_ms)) {
            found = tell_other(velocity, sender, slot, ask, ret_answer);
        }
    }
    if (!found) {
        ret_answer->look_alike_size = 0;
    }
}

void velocity_prefetch(const struct velocity *velocity, uint64_t sender_hash)
{
    index_prefetch(&velocity->index, (uint32_t)sender_hash);
}

/* Most probably; nothing depends on it. */
static const struct velocity_sender *likely_sender(const struct velocity *velocity,
                                                   uint64_t sender_hash)
{
    uint32_t cell;
    uint32_t number = index_first(&velocity->index, (uint32_t)sender_hash, &cell);

    return number == INDEX_NONE ? NULL : &velocity->senders[number];
}

void velocity_prefetch_sender(const struct velocity *velocity, uint64_t sender_hash,
                              bool with_payments)
{
    const struct velocity_sender *likely = likely_sender(velocity, sender_hash);

    if (likely == NULL) {
        return;
    }
    __builtin_prefetch(likely, 1);
    for (size_t slot = 0; with_payments && slot < VELOCITY_PAYMENTS_MAX; slot += PAYMENTS_A_LINE) {
        __builtin_prefetch(&likely->payments[slot]);
    }
}

void velocity_prefetch_next(const struct velocity *velocity, uint64_t sender_hash)
{
    const struct velocity_sender *likely = likely_sender(velocity, sender_hash);

    if (likely == NULL) {
        return;
    }
    __builtin_prefetch(&likely->payments[likely->next], 1);
    __builtin_prefetch(&likely->ids[likely->next], 1);
    if (likely->older != INDEX_NONE) {
        __builtin_prefetch(&velocity->senders[likely->older], 1);
    }
    if (likely->newer != INDEX_NONE) {
        __builtin_prefetch(&velocity->senders[likely->newer], 1);
    }
}

/* Of the payments that a message after the watermark could still be counted with. */
static uint64_t sender_sum(const struct velocity *velocity, const struct velocity_sender *sender,
                           int64_t watermark_ms)
{
    static const struct siphash_key key = {UINT64_C(0x7061796f6e6365), 2};
    uint64_t sum = 0;

    for (size_t back = sender->count; back >= 1; back--) {
        struct {
            uint64_t before;
            struct ident sender;
            int64_t event_ms;
            char text[IDENT_TEXT_MAX];
        } told = {.before = sum, .sender = sender->ident};
        size_t slot = (sender->next + VELOCITY_PAYMENTS_MAX - back) % VELOCITY_PAYMENTS_MAX;
        told.event_ms = sender->payments[slot].event_ms;
        if (watermark_ms != INSTANT_NONE && told.event_ms + VELOCITY_LONG_MS <= watermark_ms) {
            continue;
        }
        if (sender->kind == IDENT_LONG) {
            memset(&told.sender, 0, sizeof(told.sender)); /* Two keyed hashes. */
        }
        (void)id_text(velocity, sender, slot, told.text);
        sum = siphash(&key, (struct span){&told, sizeof(told)});
    }
    return sum;
}

uint64_t velocity_hash(const struct velocity *velocity, int64_t watermark_ms)
{
    uint64_t sum = 0;

    for (uint32_t number = velocity->oldest; number != INDEX_NONE;
         number = velocity->senders[number].newer) {
        sum += sender_sum(velocity, &velocity->senders[number], watermark_ms);
    }
    return sum;
}

uint64_t velocity_bytes_touched(const struct velocity *velocity)
{
    return velocity->sender_used * sizeof(struct velocity_sender) +
           (velocity->text_next < velocity->text_size ? velocity->text_next : velocity->text_size);
}
