/*
 * window_parts: what window's own files share; for nobody else.
 */
#ifndef CORE_WINDOW_PARTS_H
#define CORE_WINDOW_PARTS_H

#include "core/window.h"

/* The window that this moment falls into. */
void window_bounds(const struct windows *windows, int64_t event_ms, int64_t *ret_start_ms,
                   int64_t *ret_end_ms);

uint32_t window_start_hash(int64_t start_ms);

/* Into the list of what the epoch touched, once. */
void window_list(struct windows *windows, uint32_t group);

#endif
