#include "os/kafka_read_parts.h"

#include <string.h>

enum { DEPTH_MAX = 8, BROKER_DEPTH = 3, PARTITION_DEPTH = 5 };

/* Where the walk is: the keys from the outside to here, and what has been seen of the object. */
struct walk {
    const char *at;
    const char *end;
    const struct kafka_visitor *visitor;
    size_t depth;
    struct span keys[DEPTH_MAX + 1];
    struct kafka_report report;
    int32_t broker;
    bool up;
    bool logical; /* The group's coordinator once more, under its own name. */
};

static bool is(struct span text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

static int64_t number_of(struct span text)
{
    const char *at = text.at;
    const char *end = at + text.size;
    bool negative = at < end && *at == '-';
    int64_t value = 0;

    for (at += negative ? 1 : 0; at < end && *at >= '0' && *at <= '9'; at++) {
        if (value > INT64_MAX / 10 - 1) {
            return -1;
        }
        value = value * 10 + (*at - '0');
    }
    return negative ? -value : value;
}

static int32_t small_of(struct span text)
{
    int64_t value = number_of(text);

    return value >= INT32_MIN && value <= INT32_MAX ? (int32_t)value : -1;
}

static bool in_broker(const struct walk *walk)
{
    return walk->depth == BROKER_DEPTH && is(walk->keys[1], "brokers");
}

static bool in_partition(const struct walk *walk)
{
    return walk->depth == PARTITION_DEPTH && is(walk->keys[1], "topics") &&
           is(walk->keys[3], "partitions");
}

static void take_partition_value(struct kafka_report *report, struct span key, struct span value)
{
    if (is(key, "partition")) {
        report->number = small_of(value);
    } else if (is(key, "leader")) {
        report->leader = small_of(value);
    } else if (is(key, "broker")) {
        report->broker = small_of(value);
    } else if (is(key, "fetch_state")) {
        report->active = is(value, "active");
    } else if (is(key, "lo_offset")) {
        report->first = number_of(value);
    } else if (is(key, "hi_offset")) {
        report->end = number_of(value);
    } else if (is(key, "ls_offset")) {
        report->stable = number_of(value);
    } else if (is(key, "fetchq_cnt")) {
        report->waiting = number_of(value);
    }
}

static void take_value(struct walk *walk, struct span value)
{
    struct span key = walk->keys[walk->depth];

    if (in_broker(walk) && is(key, "nodeid")) {
        walk->broker = small_of(value);
    } else if (in_broker(walk) && is(key, "state")) {
        walk->up = is(value, "UP");
    } else if (in_broker(walk) && is(key, "source")) {
        walk->logical = is(value, "logical");
    } else if (in_partition(walk)) {
        take_partition_value(&walk->report, key, value);
    }
}

static void enter(struct walk *walk)
{
    walk->depth++;
    walk->keys[walk->depth] = (struct span){"", 0};
    if (in_broker(walk)) {
        walk->broker = -1;
        walk->up = false;
        walk->logical = false;
    } else if (in_partition(walk)) {
        memset(&walk->report, 0, sizeof(walk->report));
        walk->report.topic = walk->keys[2].at;
        walk->report.topic_size = walk->keys[2].size;
        walk->report.number = walk->report.leader = walk->report.broker = -1;
        walk->report.first = walk->report.end = walk->report.stable = -1;
    }
}

static void leave(struct walk *walk)
{
    if (in_broker(walk) && walk->broker >= 0 && !walk->logical) {
        walk->visitor->broker(walk->visitor->context, walk->broker, walk->up);
    } else if (in_partition(walk)) {
        walk->visitor->partition(walk->visitor->context, &walk->report);
    }
    walk->depth--;
}

/* A text between quotes; the library writes none with quotes in it. */
static struct span take_text(struct walk *walk)
{
    const char *begin = ++walk->at;

    while (walk->at < walk->end && *walk->at != '"') {
        walk->at++;
    }
    struct span text = {begin, (size_t)(walk->at - begin)};
    walk->at += walk->at < walk->end ? 1 : 0;
    return text;
}

static struct span take_bare(struct walk *walk)
{
    const char *begin = walk->at;

    while (walk->at < walk->end && strchr(",]} \n", *walk->at) == NULL) {
        walk->at++;
    }
    return (struct span){begin, (size_t)(walk->at - begin)};
}

/* A text is a key if a colon follows. */
static void step_text(struct walk *walk)
{
    struct span text = take_text(walk);

    while (walk->at < walk->end && *walk->at == ' ') {
        walk->at++;
    }
    if (walk->at < walk->end && *walk->at == ':') {
        walk->at++;
        walk->keys[walk->depth] = text;
    } else {
        take_value(walk, text);
    }
}

/* False: deeper than anything we know. */
static bool step(struct walk *walk)
{
    switch (*walk->at) {
    case '{':
    case '[':
        if (walk->depth == DEPTH_MAX) {
            return false;
        }
        enter(walk);
        walk->at++;
        return true;
    case '}':
    case ']':
        if (walk->depth == 0) {
            return false;
        }
        leave(walk);
        walk->at++;
        return true;
    case '"':
        step_text(walk);
        return true;
    case ' ':
    case ',':
    case '\n':
        walk->at++;
        return true;
    default:
        take_value(walk, take_bare(walk));
        return true;
    }
}

void kafka_statistics_read(const char *text, size_t size, const struct kafka_visitor *visitor)
{
    struct walk walk = {.at = text, .end = text + size, .visitor = visitor};

    for (size_t depth = 0; depth <= DEPTH_MAX; depth++) {
        walk.keys[depth] = (struct span){"", 0};
    }
    while (walk.at < walk.end && step(&walk)) {
    }
}
