#include "pay/origin.h"

#include <string.h>

/* The topic and its zero byte; whatever stands behind that is not part of the name. */
static bool topic_same(const char *left, const char *right)
{
    for (size_t index = 0; index <= TOPIC_TEXT_MAX; index++) {
        if (left[index] != right[index]) {
            return false;
        }
        if (left[index] == '\0') {
            return true;
        }
    }
    return true;
}

bool origin_same(const struct origin *left, const struct origin *right)
{
    return left->incarnation == right->incarnation && left->partition == right->partition &&
           topic_same(left->topic, right->topic);
}
