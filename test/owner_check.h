/*
 * owner_check: does an owner come to the end of its history, and is all of it in the topics?
 */
#ifndef TEST_OWNER_CHECK_H
#define TEST_OWNER_CHECK_H

#include "sink/owner.h"

/* Until it stands where the history ends; that must come. */
void owner_finish(struct owner *owner);

/* Every row once, in its order, and nothing else; of windows versions that grow to the last. */
void owner_check_all(const struct owner *owner);

#endif
