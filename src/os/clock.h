/*
 * clock: what time is it? The wall (ms since 1970, for records) and a steady one (ns, for
 * intervals). A vtable, so that a test can say.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include "base/base.h"

struct clock;

struct clock_type {
    int64_t (*wall_ms)(struct clock *clock);
    int64_t (*steady_ns)(struct clock *clock);
};

struct clock {
    const struct clock_type *type;
};

static inline int64_t clock_wall_ms(struct clock *clock)
{
    return clock->type->wall_ms(clock);
}

static inline int64_t clock_steady_ns(struct clock *clock)
{
    return clock->type->steady_ns(clock);
}

extern struct clock clock_real;

#endif
