#include "engine/decided.h"

#include "parse/json.h"
#include "parse/json_text.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 18, ID_DIGITS = 16 };

static const char *const verbs[RULING_KINDS] = {
    [RULING_GAP] = "accept-gap",
    [RULING_ADOPTION] = "adopt-topic",
};

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static char *put(char *at, const char *text)
{
    size_t size = strlen(text);

    memcpy(at, text, size);
    return at + size;
}

/* "key":"text" and what follows it. */
static char *put_text(char *at, const char *key, const char *text, const char *behind)
{
    at = put(put(put(at, "\""), key), "\":\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            *at++ = '\\';
        }
        *at++ = *text;
    }
    return put(put(at, "\""), behind);
}

static char *put_number(char *at, const char *key, uint64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    return put(put(put(put(put(at, "\""), key), "\":"), digits), ",");
}

size_t decided_write(const struct decided *decided, char to[DECIDED_SIZE_MAX])
{
    char id[ID_DIGITS + 1];
    char *at = put(to, "{");

    at = put_text(at, "decision", verbs[decided->kind], ",");
    at = put_text(at, "topic", decided->topic, ",");
    if (decided->kind == RULING_GAP) {
        at = put_number(at, "partition", decided->partition);
        at = put_number(at, "first", decided->first);
        at = put_number(at, "last", decided->last);
    }
    at = put_text(at, "by", decided->by, ",");
    at = put_text(at, "why", decided->why, ",");
    (void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)decided->id);
    at = put_text(at, "id", id, "}\n");
    must((size_t)(at - to) <= DECIDED_SIZE_MAX);
    return (size_t)(at - to);
}

/* The members, in the order in which they are written. */
enum member {
    MEMBER_DECISION,
    MEMBER_TOPIC,
    MEMBER_PARTITION,
    MEMBER_FIRST,
    MEMBER_LAST,
    MEMBER_BY,
    MEMBER_WHY,
    MEMBER_ID,
    MEMBER_COUNT,
};

static const char *const members[MEMBER_COUNT] = {
    "decision", "topic", "partition", "first", "last", "by", "why", "id",
};

/* Of whom each kind has what. */
static const bool wanted[RULING_KINDS][MEMBER_COUNT] = {
    [RULING_GAP] = {true, true, true, true, true, true, false, true},
    [RULING_ADOPTION] = {true, true, false, false, false, true, false, true},
};

static enum member member_named(struct span key)
{
    size_t member = 0;

    while (member < MEMBER_COUNT && (strlen(members[member]) != key.size ||
                                     memcmp(members[member], key.at, key.size) != 0)) {
        member++;
    }
    return (enum member)member;
}

/* At most size_max bytes of text that may be shown, and a zero byte. */
static bool read_text(const struct json_value *value, size_t size_min, size_t size_max,
                      char *ret_text)
{
    size_t size = 0;

    if (value->kind != JSON_STRING ||
        !json_text_unescape(value->text, (uint8_t *)ret_text, size_max, &size) || size < size_min ||
        !ruling_text_fits((struct span){ret_text, size}, size_max)) {
        return false;
    }
    ret_text[size] = '\0';
    return true;
}

static bool read_number(const struct json_value *value, uint64_t most, uint64_t *ret_number)
{
    const char *at = value->text.at;

    *ret_number = 0;
    if (value->kind != JSON_NUMBER || value->text.size > NUMBER_DIGITS_MAX) {
        return false;
    }
    for (size_t digit = 0; digit < value->text.size; digit++) {
        if (at[digit] < '0' || at[digit] > '9') {
            return false;
        }
        *ret_number = *ret_number * 10 + (uint64_t)(at[digit] - '0');
    }
    return *ret_number <= most;
}

static bool read_verb(const struct json_value *value, enum ruling_kind *ret_kind)
{
    for (size_t kind = 0; kind < RULING_KINDS; kind++) {
        if (value->kind == JSON_STRING && value->text.size == strlen(verbs[kind]) &&
            memcmp(value->text.at, verbs[kind], value->text.size) == 0) {
            *ret_kind = (enum ruling_kind)kind;
            return true;
        }
    }
    return false;
}

/* As the line of a ruling has it: what is read there is read here. */
static bool read_id(const struct json_value *value, uint64_t *ret_id)
{
    char lines[] = "gap\n-\n\n0123456789abcdef\n";
    struct ruling ruling;

    if (value->kind != JSON_STRING || value->text.size != ID_DIGITS) {
        return false;
    }
    memcpy(lines + sizeof(lines) - 2 - ID_DIGITS, value->text.at, ID_DIGITS);
    bool good = ruling_read((struct span){lines, sizeof(lines) - 1}, &ruling);
    *ret_id = good ? ruling.id : 0;
    return good;
}

static bool read_member(enum member member, const struct json_value *value,
                        struct decided *ret_decided)
{
    uint64_t partition = 0;
    bool good = false;

    switch (member) {
    case MEMBER_DECISION:
        return read_verb(value, &ret_decided->kind);
    case MEMBER_TOPIC:
        return read_text(value, 1, TOPIC_TEXT_MAX, ret_decided->topic);
    case MEMBER_PARTITION:
        good = read_number(value, INT32_MAX, &partition);
        ret_decided->partition = (uint32_t)partition;
        return good;
    case MEMBER_FIRST:
        return read_number(value, OFFSET_MAX, &ret_decided->first);
    case MEMBER_LAST:
        return read_number(value, OFFSET_MAX, &ret_decided->last);
    case MEMBER_BY:
        return read_text(value, 1, RULING_BY_MAX, ret_decided->by);
    case MEMBER_WHY:
        return read_text(value, 0, RULING_WHY_MAX, ret_decided->why);
    case MEMBER_ID:
        return read_id(value, &ret_decided->id);
    case MEMBER_COUNT:
        break;
    }
    return false;
}

static enum outcome refused(struct fault *ret_fault, const char *what, const char *which)
{
    return fault_is(ret_fault, REFUSED, FAULT_DECISION, "it is no decision of payonce: %s%s", what,
                    which);
}

/* What a kind has, it must have; what it has not, it must not. */
static enum outcome check_members(const struct decided *decided, const bool found[MEMBER_COUNT],
                                  struct fault *ret_fault)
{
    if (!found[MEMBER_DECISION]) {
        return refused(ret_fault, "it does not say what was decided", "");
    }
    for (size_t member = 0; member < MEMBER_COUNT; member++) {
        bool wants = wanted[decided->kind][member];
        if (wants && !found[member]) {
            return refused(ret_fault, "it lacks ", members[member]);
        }
        if (!wants && found[member] && member != MEMBER_WHY) {
            return refused(ret_fault, "it has too much: ", members[member]);
        }
    }
    if (decided->first > decided->last) {
        return refused(ret_fault, "its last offset is before its first", "");
    }
    return DONE;
}

enum outcome decided_read(struct span text, struct decided *ret_decided, struct fault *ret_fault)
{
    uint8_t room[DECIDED_SIZE_MAX];
    bool found[MEMBER_COUNT] = {false};
    struct json_object object;
    struct json_value value;
    struct span key;
    struct json json;
    enum json_step step = JSON_WRONG;

    memset(ret_decided, 0, sizeof(*ret_decided));
    if (text.size > DECIDED_SIZE_MAX) {
        return refused(ret_fault, "it is too large", "");
    }
    json_init(&json, text, room);
    if (json_open(&json, &object)) {
        while ((step = json_next(&json, &object, &key, &value)) == JSON_MEMBER) {
            enum member member = member_named(key);
            if (member == MEMBER_COUNT) {
                return refused(ret_fault, "it has a member that is none of its own", "");
            }
            if (!read_member(member, &value, ret_decided)) {
                return refused(ret_fault, "this cannot be its ", members[member]);
            }
            found[member] = true;
        }
    }
    if (step != JSON_END || !json_close(&json)) {
        return refused(ret_fault, "its JSON is broken: ", refusal_sentence(json.reason));
    }
    return check_members(ret_decided, found, ret_fault);
}

void decided_tell(const struct decided *decided, char ret_text[DECIDED_TOLD_SIZE])
{
    if (decided->kind == RULING_GAP) {
        (void)snprintf(ret_text, DECIDED_TOLD_SIZE, "%s %.250s/%u %llu %llu, by %s",
                       verbs[decided->kind], decided->topic, decided->partition,
                       (unsigned long long)decided->first, (unsigned long long)decided->last,
                       decided->by);
    } else {
        (void)snprintf(ret_text, DECIDED_TOLD_SIZE, "%s %.250s, by %s", verbs[decided->kind],
                       decided->topic, decided->by);
    }
}

struct span decided_ruling(const struct decided *decided, char *to)
{
    const struct ruling ruling = {.kind = decided->kind,
                                  .by = span_of(decided->by),
                                  .why = span_of(decided->why),
                                  .id = decided->id};

    return (struct span){to, ruling_write(&ruling, to)};
}
