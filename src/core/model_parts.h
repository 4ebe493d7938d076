/*
 * model_parts: what the model's own files share; for tests only.
 */
#ifndef CORE_MODEL_PARTS_H
#define CORE_MODEL_PARTS_H

#include "core/model.h"

/* An accepted payment is remembered, counted for its sender and in its window. */
void model_accept(struct model *model, const struct told *told, int64_t amount);

#endif
