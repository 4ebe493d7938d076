/*
 * trace: a random history, made from a seed; for tests only.
 *
 * Times stand on and around the moments where a rule turns: the watermark, the end of a
 * retention, a window's edge.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include "core/model.h"

enum { TRACE_STEPS = 140 };

#define TRACE_BASE INT64_C(1750000020000)

struct dice {
    uint64_t state;
};

uint32_t dice_throw(struct dice *dice, uint32_t sides);

enum trace_kind { TRACE_MESSAGE, TRACE_SKIPPED, TRACE_STAND, TRACE_START, TRACE_RULES, TRACE_CUT };

struct trace_step {
    enum trace_kind kind;
    struct told told;            /* TRACE_MESSAGE; TRACE_SKIPPED: its source. */
    enum decision_kind standing; /* TRACE_STAND, of told.source. */
    struct rules rules;          /* TRACE_RULES */
};

struct trace {
    struct dice dice;
    int64_t unit_ms; /* A millisecond, or some seconds. */
    int64_t now_ms;
    uint16_t source_count;
};

void trace_begin(struct trace *trace, uint64_t seed, struct rules *ret_rules);

/* The next step; it looks at the model to find the moments that matter. */
void trace_step(struct trace *trace, const struct model *model, struct trace_step *ret_step);

#endif
