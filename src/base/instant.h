/*
 * instant: milliseconds since 1970 UTC, to and from the text people write.
 *
 * RFC 3339 with these limits: years 2000 to 2100, 'T' (or one blank) between date and
 * time, seconds required, no leap second (:60), a zone required ('Z' or +hh:mm), a
 * fraction of 1 to 9 digits, cut (not rounded) to milliseconds.
 */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include "base/base.h"

enum { INSTANT_TEXT_SIZE = 25 }; /* "2026-02-25T12:00:00.104Z" and a zero byte. */

/* The years in which an event may happen, [2000-01-01, 2101-01-01). */
#define INSTANT_MIN_MS INT64_C(946684800000)
#define INSTANT_MAX_MS INT64_C(4133980800000)

/* No instant: below every real one. */
#define INSTANT_NONE INT64_MIN

MUST_USE bool instant_read(struct span text, int64_t *ret_ms);
void instant_write(int64_t ms, char ret_text[INSTANT_TEXT_SIZE]);

#endif
