/*
 * demo: see it work: simulate, crash three times, reconcile. What its parts share.
 *
 * Everything stays in ./payonce-demo, which is made and cleaned by us alone: a directory of that
 * name without our mark in it is somebody else's and is left as it is.
 */
#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include "cmd/config.h"
#include "engine/reconcile.h"

#define DEMO_DIRECTORY "payonce-demo"

enum { DEMO_CRASHES = 3, DEMO_EPOCH_MESSAGES = 25 };

/* demo_place.c */
MUST_USE enum outcome demo_place_make(struct fault *ret_fault);
MUST_USE enum outcome demo_write(const char *path, const char *text, struct fault *ret_fault);

/* demo_process.c: payonce run, in processes of its own. */

/* One crash: what was sealed when kill -9 came. */
struct demo_crash {
    uint64_t messages;
    uint64_t epoch;
};

/*
 * Run over `lines` messages and be killed in the middle of it, as often as there are crashes.
 * LATER: a kill came too late to be one; start over.
 */
MUST_USE enum outcome demo_crash(const char *config, uint64_t lines, int64_t slice_ns,
                                 struct demo_crash crashes[DEMO_CRASHES], struct fault *ret_fault);

/* Run to the end. */
MUST_USE enum outcome demo_finish(const char *config, struct fault *ret_fault);

/* demo_story.c */
int demo_story(void);

#endif
