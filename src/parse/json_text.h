/*
 * json_text: what stands between the two quotes of a JSON string.
 *
 * Strict: every escape is one of JSON's, \u surrogates come in pairs, everything else is UTF-8
 * (Unicode 15, table 3-7: no overlong form, no surrogate, nothing above U+10FFFF) and no control
 * byte.
 */
#ifndef PARSE_JSON_TEXT_H
#define PARSE_JSON_TEXT_H

#include "pay/refusal.h"

struct json_text {
    size_t end;                 /* The closing quote; or, where it is wrong, the byte at fault. */
    bool escaped;               /* A backslash is in it. */
    enum refusal_reason reason; /* REFUSAL_NONE: a whole string. */
};

/* From `at`, just behind the opening quote, to the closing one. False: reason and end say why. */
MUST_USE bool json_text_read(const uint8_t *text, size_t size, size_t at,
                             struct json_text *ret_text);

/*
 * Undo the escapes of a string that was read. False: it has more than limit bytes; `to` holds
 * limit bytes.
 */
MUST_USE bool json_text_unescape(struct span text, uint8_t *to, size_t limit, size_t *ret_size);

#endif
