/*
 * base: the few words every other box is written in.
 *
 * Nothing here knows what a payment is.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a call tells its caller to do next. A caller can do only four things, so
 * there are only four outcomes. What went wrong is a sentence in a struct fault,
 * written for the person who has to mend it.
 */
enum outcome {
    DONE,    /* It happened. Go on. */
    LATER,   /* Nothing changed. Ask again: no data yet, a network, a lock. */
    REFUSED, /* This input can never succeed. Set it aside, count it, go on. */
    BROKEN,  /* The ground moved. Stop (the fault's code says how: exit or halt). */
};

/* A borrowed view of bytes. Whoever lent it still owns it; a span is never freed. */
struct span {
    const void *at;
    size_t size;
};

#define MUST_USE __attribute__((warn_unused_result))

/*
 * must(x): x is true or our own code is wrong. On in every build. For what the
 * world may do to us (bad input, a full disk) return an outcome instead.
 */
#define must(condition) ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__))

_Noreturn void must_failed(const char *condition, const char *file, int line);

#endif
