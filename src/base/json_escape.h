/*
 * json_escape: text from outside as the inside of a JSON string, one character at a time.
 *
 * What comes out is valid JSON and valid UTF-8 whatever came in: quotes, backslashes and control
 * characters (C0, DEL, C1) are escaped, each byte that is no UTF-8 becomes U+FFFD. RFC 8259.
 */
#ifndef BASE_JSON_ESCAPE_H
#define BASE_JSON_ESCAPE_H

#include "base/base.h"

enum { JSON_ESCAPE_MAX = 6 }; /* Bytes that one byte of text can become. */

/*
 * The character at the front of these bytes (size > 0), written; returns how many bytes, and how
 * many were taken.
 */
size_t json_escape(const uint8_t *at, size_t size, size_t *ret_taken,
                   char ret_text[JSON_ESCAPE_MAX]);

#endif
