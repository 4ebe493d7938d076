#include "pay/epoch.h"

#include <string.h>

void epoch_clear(struct epoch *epoch)
{
    epoch->kind = EPOCH_DECIDED;
    epoch->seed_last = 0;
    epoch->newest_accepted_ms = INT64_MIN;
    epoch->message_count = 0;
    epoch->row_count = 0;
    epoch->range_count = 0;
    epoch->total_count = 0;
    epoch->without_notes = true;
    epoch->decisions.size = 0;
    epoch->rows.size = 0;
}

void epoch_add_decision(struct epoch *epoch, const struct decision *decision)
{
    must(epoch->decisions.size + DECISION_SIZE_MAX <= epoch->decisions.capacity);

    epoch->decisions.size += decision_write(decision, epoch->decisions.at + epoch->decisions.size);
    if (decision_is_note(decision)) {
        epoch->without_notes = false;
    } else {
        epoch->message_count++;
    }
    if (decision->kind == ACCEPTED && decision->event_ms > epoch->newest_accepted_ms) {
        epoch->newest_accepted_ms = decision->event_ms;
    }
}

void epoch_add_row(struct epoch *epoch, const struct row *row)
{
    must(epoch->rows.size + ROW_SIZE_MAX <= epoch->rows.capacity);

    epoch->rows.size += row_write(row, epoch->rows.at + epoch->rows.size);
    epoch->row_count++;
}

struct span epoch_notes(const struct epoch *epoch)
{
    return (struct span){epoch->decisions.at, epoch->without_notes ? 0 : epoch->decisions.size};
}

bool chain_same(const struct chain *left, const struct chain *right)
{
    return memcmp(left->bytes, right->bytes, CHAIN_SIZE) == 0;
}
