/*
 * digest: SHA-256, piece by piece. The only file that includes OpenSSL.
 */
#ifndef OS_DIGEST_H
#define OS_DIGEST_H

#include "base/base.h"

enum { DIGEST_SIZE = 32 };

/* The digest of the pieces, one behind the other. */
void digest(const struct span *pieces, size_t piece_count, uint8_t ret_digest[DIGEST_SIZE]);

/* Random bytes from the system, for ids and keys. */
void digest_random(void *into, size_t size);

#endif
