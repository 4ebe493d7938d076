/*
 * checksum: did these bytes come back as they were written?
 *
 * CRC32C (Castagnoli), by the SSE4.2 instruction where the machine has it, else by a
 * table; both give the same number. Start with 0; feed further bytes with the last result.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/base.h"

uint32_t checksum(uint32_t before, struct span bytes);

/* The same number by the table alone: what machines without the instruction use. */
uint32_t checksum_portable(uint32_t before, struct span bytes);

#endif
