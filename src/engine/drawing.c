#include "engine/drawing.h"

#include "base/instant.h"
#include "parse/mask.h"

#include <stdio.h>
#include <string.h>

enum table drawing_table(enum verdict verdict)
{
    switch (verdict) {
    case ACCEPTED:
        return TABLE_TRANSACTIONS;
    case DUPLICATE:
        return TABLE_DUPLICATES;
    case CONFLICT:
    case LATE:
    case FUTURE:
    case INVALID:
        return TABLE_DEAD_LETTERS;
    case SKIPPED:
        break;
    }
    must_failed("what was skipped makes no row", __FILE__, __LINE__);
}

static struct span text_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void draw_accepted(const struct message *message, const struct judgement *judgement,
                          size_t carry_count, struct row *row)
{
    const struct payment *payment = &message->payment;

    row->number_count = TRANSACTION_NUMBERS;
    row->text_count = (uint8_t)(TRANSACTION_CARRY + carry_count);
    row->numbers[TRANSACTION_SOURCE] = message->source;
    row->numbers[TRANSACTION_OFFSET] = (int64_t)message->offset;
    row->numbers[TRANSACTION_EVENT_MS] = payment->event_ms;
    row->numbers[TRANSACTION_UNITS] = payment->amount.units;
    row->numbers[TRANSACTION_SCALE] = payment->amount.scale;
    row->numbers[TRANSACTION_FRAUD_SCORE] = judgement->fraud_score;
    row->numbers[TRANSACTION_HIGH_RISK] = judgement->high_risk;
    row->numbers[TRANSACTION_VELOCITY_60S] = judgement->velocity_60s;
    row->numbers[TRANSACTION_COUNT_5M] = judgement->count_5m;
    row->numbers[TRANSACTION_ARRIVAL_MS] = message->arrival_ms;
    row->texts[TRANSACTION_ID] = payment->transaction_id;
    row->texts[TRANSACTION_SENDER] = payment->sender;
    row->texts[TRANSACTION_RECEIVER] = payment->receiver;
    row->texts[TRANSACTION_AMOUNT] = payment->amount_text;
    row->texts[TRANSACTION_CURRENCY] = (struct span){payment->currency, CURRENCY_SIZE};
    row->texts[TRANSACTION_LOOK_ALIKE_OF] =
        (struct span){judgement->look_alike_size > 0 ? judgement->look_alike_of : NULL,
                      judgement->look_alike_size};
    memcpy(&row->texts[TRANSACTION_CARRY], payment->carry, carry_count * sizeof(struct span));
}

static void draw_duplicate(const struct message *message, const struct judgement *judgement,
                           struct row *row)
{
    const struct payment *payment = &message->payment;

    row->number_count = DUPLICATE_NUMBERS;
    row->text_count = DUPLICATE_TEXTS;
    row->numbers[DUPLICATE_SOURCE] = message->source;
    row->numbers[DUPLICATE_OFFSET] = (int64_t)message->offset;
    row->numbers[DUPLICATE_EVENT_MS] = payment->event_ms;
    row->numbers[DUPLICATE_FIRST_SOURCE] = judgement->first_source;
    row->numbers[DUPLICATE_FIRST_OFFSET] = (int64_t)judgement->first_offset;
    row->numbers[DUPLICATE_FIRST_EVENT_MS] = judgement->first_event_ms;
    row->numbers[DUPLICATE_EARLIER] = judgement->earlier;
    row->numbers[DUPLICATE_UNITS] = payment->amount.units;
    row->numbers[DUPLICATE_SCALE] = payment->amount.scale;
    row->numbers[DUPLICATE_ARRIVAL_MS] = message->arrival_ms;
    row->texts[DUPLICATE_ID] = payment->transaction_id;
    row->texts[DUPLICATE_AMOUNT] = payment->amount_text;
    row->texts[DUPLICATE_CURRENCY] = (struct span){payment->currency, CURRENCY_SIZE};
}

static struct span sentence_of(struct drawing *drawing, const struct message *message,
                               enum verdict verdict, enum payment_field differing,
                               int64_t watermark_ms)
{
    char event[INSTANT_TEXT_SIZE] = "";
    char mark[INSTANT_TEXT_SIZE] = "";
    int size;

    if (verdict == INVALID) {
        return text_of(refusal_sentence(message->refusal.reason));
    }
    instant_write(message->payment.event_ms, event);
    if (verdict == LATE) {
        instant_write(watermark_ms, mark);
        size = snprintf(drawing->sentence, sizeof(drawing->sentence),
                        "event_time %s is not after the watermark %s", event, mark);
    } else if (verdict == FUTURE) {
        size = snprintf(drawing->sentence, sizeof(drawing->sentence),
                        "event_time %s is further ahead than max_future allows", event);
    } else {
        size = snprintf(drawing->sentence, sizeof(drawing->sentence),
                        "the accepted payment of this id has another %s",
                        differing == FIELD_SAME ? "content" : payment_field_name(differing));
    }
    return (struct span){drawing->sentence, (size_t)size};
}

static const char *reason_of(const struct message *message, enum verdict verdict)
{
    switch (verdict) {
    case LATE:
        return "P201";
    case FUTURE:
        return "P202";
    case CONFLICT:
        return "P301";
    case INVALID:
        return refusal_code(message->refusal.reason);
    case ACCEPTED:
    case DUPLICATE:
    case SKIPPED:
        break;
    }
    must_failed("only what is set aside has a reason", __FILE__, __LINE__);
}

/* What did not parse: where, how much, and an excerpt without a digit. */
static void draw_invalid(struct drawing *drawing, const struct message *message, struct row *row)
{
    size_t size = mask_excerpt(message->raw, drawing->excerpt);

    row->numbers[DEAD_POSITION] = message->refusal.position;
    row->texts[DEAD_EXCERPT] = (struct span){drawing->excerpt, size};
    if (message->refusal.field != NULL) {
        row->texts[DEAD_FIELD] = text_of(message->refusal.field);
    }
}

static void draw_readable(const struct message *message, const struct judgement *judgement,
                          enum payment_field differing, size_t carry_count, struct row *row)
{
    const struct payment *payment = &message->payment;

    row->numbers[DEAD_EVENT_MS] = payment->event_ms;
    row->numbers[DEAD_UNITS] = payment->amount.units;
    row->numbers[DEAD_SCALE] = payment->amount.scale;
    row->texts[DEAD_ID] = payment->transaction_id;
    row->texts[DEAD_SENDER] = payment->sender;
    row->texts[DEAD_RECEIVER] = payment->receiver;
    row->texts[DEAD_AMOUNT] = payment->amount_text;
    row->texts[DEAD_CURRENCY] = (struct span){payment->currency, CURRENCY_SIZE};
    memcpy(&row->texts[DEAD_CARRY], payment->carry, carry_count * sizeof(struct span));
    if (judgement->verdict == CONFLICT) {
        row->numbers[DEAD_FIRST_SOURCE] = judgement->first_source;
        row->numbers[DEAD_FIRST_OFFSET] = (int64_t)judgement->first_offset;
        if (differing != FIELD_SAME) {
            row->texts[DEAD_FIELD] = text_of(payment_field_name(differing));
        }
    }
}

static void draw_dead(struct drawing *drawing, const struct message *message,
                      const struct judgement *judgement, enum payment_field differing,
                      int64_t watermark_ms, size_t carry_count, struct row *row)
{
    row->number_count = DEAD_NUMBERS;
    row->text_count = (uint8_t)(DEAD_CARRY + carry_count);
    for (size_t index = 0; index < DEAD_NUMBERS; index++) {
        row->numbers[index] = NUMBER_NULL;
    }
    memset(row->texts, 0, row->text_count * sizeof(struct span));
    row->numbers[DEAD_SOURCE] = message->source;
    row->numbers[DEAD_OFFSET] = (int64_t)message->offset;
    row->numbers[DEAD_VERDICT] = judgement->verdict;
    row->numbers[DEAD_KNOWN_ID] = judgement->verdict == LATE ? judgement->known_id : NUMBER_NULL;
    row->numbers[DEAD_SIZE] = message->size;
    row->numbers[DEAD_ARRIVAL_MS] = message->arrival_ms;
    row->texts[DEAD_REASON] = text_of(reason_of(message, judgement->verdict));
    row->texts[DEAD_SENTENCE] =
        sentence_of(drawing, message, judgement->verdict, differing, watermark_ms);
    if (judgement->verdict == INVALID) {
        draw_invalid(drawing, message, row);
    } else {
        draw_readable(message, judgement, differing, carry_count, row);
    }
}

void drawing_row(struct drawing *drawing, const struct message *message,
                 const struct judgement *judgement, enum payment_field differing,
                 int64_t watermark_ms, size_t carry_count, struct row *ret_row)
{
    must(carry_count <= PAYMENT_CARRY_MAX);

    ret_row->table = drawing_table(judgement->verdict);
    switch (ret_row->table) {
    case TABLE_TRANSACTIONS:
        draw_accepted(message, judgement, carry_count, ret_row);
        return;
    case TABLE_DUPLICATES:
        draw_duplicate(message, judgement, ret_row);
        return;
    case TABLE_DEAD_LETTERS:
        draw_dead(drawing, message, judgement, differing, watermark_ms, carry_count, ret_row);
        return;
    case TABLE_METRICS:
    case TABLE_COUNT:
        break;
    }
    must_failed("a message makes a row of one of three tables", __FILE__, __LINE__);
}

static struct span carry_of(const struct row *row, const struct carried *carried, int index)
{
    size_t place = TRANSACTION_CARRY + (size_t)index;

    return index < 0 || place >= row->text_count || (size_t)index >= carried->count
               ? (struct span){NULL, 0}
               : row->texts[place];
}

void drawing_payment(const struct row *row, const struct carried *carried,
                     struct payment *ret_payment)
{
    struct span currency = row->texts[TRANSACTION_CURRENCY];

    must(row->table == TABLE_TRANSACTIONS);
    memset(ret_payment, 0, sizeof(*ret_payment));
    ret_payment->transaction_id = row->texts[TRANSACTION_ID];
    ret_payment->sender = row->texts[TRANSACTION_SENDER];
    ret_payment->receiver = row->texts[TRANSACTION_RECEIVER];
    ret_payment->amount_text = row->texts[TRANSACTION_AMOUNT];
    ret_payment->amount =
        (struct money){row->numbers[TRANSACTION_UNITS], row->numbers[TRANSACTION_SCALE]};
    ret_payment->event_ms = row->numbers[TRANSACTION_EVENT_MS];
    if (currency.size == CURRENCY_SIZE) {
        memcpy(ret_payment->currency, currency.at, CURRENCY_SIZE);
    }
    for (size_t index = 0; index < carried->count; index++) {
        ret_payment->carry[index] = carry_of(row, carried, (int)index);
    }
    ret_payment->status = carry_of(row, carried, carried->status);
    ret_payment->region = carry_of(row, carried, carried->region);
}
