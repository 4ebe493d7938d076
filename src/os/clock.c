#include "os/clock.h"

#include <time.h>

static int64_t real_wall_ms(struct clock *clock)
{
    struct timespec now;

    (void)clock;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_steady_ns(struct clock *clock)
{
    struct timespec now;

    (void)clock;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const struct clock_type real = {real_wall_ms, real_steady_ns};

struct clock clock_real = {&real};
