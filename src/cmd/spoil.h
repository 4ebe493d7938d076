/*
 * spoil: a message that is not a payment any more, made from one that is.
 *
 * Each way is one that producers have been seen to take, and one reason payonce gives
 * (pay/refusal.h). A spoiled message never holds a newline.
 */
#ifndef CMD_SPOIL_H
#define CMD_SPOIL_H

#include "cmd/mint.h"
#include "pay/refusal.h"

enum { SPOIL_WAYS = 24, SPOILED_SIZE_MAX = 70 * 1024 };

/* What is to be the reason, as `payonce` gives it, when it is spoiled in this way. */
enum refusal_reason spoil_reason(unsigned way);

/* `to` has room for SPOILED_SIZE_MAX. Returns the size. */
size_t spoil_write(const struct minted *minted, unsigned way, struct dice *dice, char *to);

#endif
