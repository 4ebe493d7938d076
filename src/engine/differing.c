/* In what does a conflicting message differ? The accepted payment's row is read again. */
#include "engine/pipeline.h"

/* The accepted row of this place among an epoch's rows. */
static bool row_among(const struct epoch *epoch, uint16_t source, uint64_t offset,
                      struct row *ret_row)
{
    struct span left = {epoch->rows.at, epoch->rows.size};
    size_t size;

    while (left.size > 0 && (size = row_read(left, ret_row)) > 0) {
        if (ret_row->table == TABLE_TRANSACTIONS &&
            ret_row->numbers[TRANSACTION_SOURCE] == source &&
            ret_row->numbers[TRANSACTION_OFFSET] == (int64_t)offset) {
            return true;
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    return false;
}

static bool row_in_memory(struct pipeline *pipeline, uint64_t number, uint16_t source,
                          uint64_t offset, struct row *ret_row)
{
    const struct watermark_source *standing = &pipeline->state.watermark.sources[source];
    const struct epoch *epoch = NULL;

    if (standing->touched && offset >= standing->first) {
        epoch = pipeline->open;
    } else if (number != 0) {
        epoch = shelf_find(&pipeline->shelf, number);
    } else {
        epoch = shelf_holding(&pipeline->shelf, source, offset);
    }
    return epoch != NULL && row_among(epoch, source, offset, ret_row);
}

static bool row_in_ledger(struct pipeline *pipeline, const struct message *message,
                          const struct judgement *judgement, struct row *ret_row)
{
    const struct origin *origin = &pipeline->state.origins[judgement->first_source];
    struct fault fault;

    return sink_find_payment(pipeline->reader, message->payment.transaction_id, origin,
                             judgement->first_offset, ret_row, &fault) == DONE;
}

static bool range_holds(const struct epoch *epoch, uint16_t source, uint64_t offset)
{
    for (size_t index = 0; index < epoch->range_count; index++) {
        const struct epoch_range *range = &epoch->ranges[index];
        if (range->source == source && offset >= range->first && offset < range->next) {
            return true;
        }
    }
    return false;
}

/*
 * Neither in memory nor delivered: it is in the journal, in a known epoch, or in one of those
 * that the ledger lacks.
 */
static bool row_in_journal(struct pipeline *pipeline, uint64_t number, uint16_t source,
                           uint64_t offset, struct row *ret_row)
{
    struct journal_place *place = &pipeline->lookup;
    struct epoch epoch;
    struct fault fault;

    place->epoch = number != 0 ? number : shelf_confirmed_upto(&pipeline->shelf) + 1;
    while (journal_read(&pipeline->journal, place, JOURNAL_DECISIONS_AND_ROWS, &epoch, &fault) ==
           DONE) {
        if (range_holds(&epoch, source, offset)) {
            return row_among(&epoch, source, offset, ret_row);
        }
    }
    return false;
}

enum payment_field pipeline_differing(struct pipeline *pipeline, const struct message *message,
                                      const struct judgement *judgement)
{
    uint16_t source = judgement->first_source;
    uint64_t offset = judgement->first_offset;
    uint64_t number = whereabouts_find(&pipeline->whereabouts, source, offset);
    struct payment first;
    struct row row;

    if (!row_in_memory(pipeline, number, source, offset, &row) &&
        !row_in_ledger(pipeline, message, judgement, &row) &&
        !row_in_journal(pipeline, number, source, offset, &row)) {
        return FIELD_SAME;
    }
    drawing_payment(&row, &pipeline->carried, &first);
    return payment_difference(&first, &message->payment);
}
