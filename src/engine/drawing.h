/*
 * drawing: the row a judged message makes, as every sink will carry it.
 *
 * Drawn when it is decided and sealed with its epoch, so that no sink ever works it out again.
 */
#ifndef ENGINE_DRAWING_H
#define ENGINE_DRAWING_H

#include "core/state.h"
#include "pay/table.h"

enum { DRAWING_SENTENCE_SIZE = 200 };

/* Texts of a row that stand nowhere else; lent to it. */
struct drawing {
    char sentence[DRAWING_SENTENCE_SIZE];
    char excerpt[EXCERPT_MAX];
};

/*
 * Everything but seq, which the caller numbers. differing: for a conflict, the first field in
 * which it differs (FIELD_SAME: the accepted payment could not be looked up). watermark_ms: what
 * a late message was measured against. carry_count: how many columns payment.carry names.
 */
void drawing_row(struct drawing *drawing, const struct message *message,
                 const struct judgement *judgement, enum payment_field differing,
                 int64_t watermark_ms, size_t carry_count, struct row *ret_row);

/* Which of the fields that payment.carry names have a meaning of their own; -1: none of them. */
struct carried {
    size_t count;
    int status;
    int region;
};

/* The payment an accepted row was drawn from. Texts are lent from the row; nothing is derived. */
void drawing_payment(const struct row *row, const struct carried *carried,
                     struct payment *ret_payment);

/* SKIPPED makes no row. */
enum table drawing_table(enum verdict verdict);

#endif
