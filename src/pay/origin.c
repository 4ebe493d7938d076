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

static bool learn(char *known, const char *now, size_t size)
{
    if (known[0] != '\0' || now[0] == '\0') {
        return false;
    }
    memcpy(known, now, size);
    return true;
}

bool source_facts_learn(struct source_facts *facts, const struct source_facts *now)
{
    bool cluster = learn(facts->cluster, now->cluster, sizeof(facts->cluster));

    return learn(facts->topic_id, now->topic_id, sizeof(facts->topic_id)) || cluster;
}
