/*
 * check_guess: what was probably meant by a message that is not understood?
 */
#ifndef CMD_CHECK_GUESS_H
#define CMD_CHECK_GUESS_H

#include "pay/payment.h"

/*
 * A required field is missing: is there one under a name that others use for it? ret_setting is the
 * field's name among payment.fields. NULL: none that we know.
 */
const char *guess_name(const struct message *message, const char **ret_setting);

/* What to do with an input that begins like this and is no JSON lines. */
const char *guess_shape(struct span first);

#endif
