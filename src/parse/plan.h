/*
 * plan: which value of a remembered shape goes where, so that nothing is looked up again.
 *
 * A plan only ever takes a payment that is whole and holds nothing to mask; about everything else
 * fields.h is asked, which says the same of these and refuses the others.
 */
#ifndef PARSE_PLAN_H
#define PARSE_PLAN_H

#include "parse/parse.h"

/* From a message of this layout. */
void plan_make(struct parse_plan *plan, const struct parser *parser, const struct found *found);

/*
 * Fill message->payment, all of it, from a message that layout_match found; refusal and selected
 * are clear. False: it is for others, whether its values are whole, too; payment may be anything.
 */
MUST_USE bool plan_fill(const struct parse_plan *plan, const struct parser *parser,
                        const struct layout_texts *texts, struct message *message);

#endif
