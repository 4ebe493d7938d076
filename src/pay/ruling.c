#include "pay/ruling.h"

#include <string.h>

enum { ID_SIZE = 16, SPACE = 0x20, DELETE = 0x7f };

static const struct span names[RULING_KINDS] = {
    [RULING_GAP] = {"gap", 3},
    [RULING_ADOPTION] = {"adoption", 8},
};

const char *ruling_name(enum ruling_kind kind)
{
    must(kind < RULING_KINDS);
    return names[kind].at;
}

bool ruling_text_fits(struct span text, size_t size_max)
{
    const uint8_t *at = text.at;

    for (size_t index = 0; index < text.size; index++) {
        bool control_c1 = index > 0 && at[index - 1] == 0xc2 && at[index] < 0xa0;
        if (at[index] < SPACE || at[index] == DELETE || control_c1) {
            return false;
        }
    }
    return text.size <= size_max;
}

static char *put_line(char *to, struct span line)
{
    if (line.size > 0) {
        memcpy(to, line.at, line.size);
    }
    to[line.size] = '\n';
    return to + line.size + 1;
}

size_t ruling_write(const struct ruling *ruling, char *to)
{
    char id[ID_SIZE];

    must(ruling->kind < RULING_KINDS);
    must(ruling->by.size > 0);
    must(ruling_text_fits(ruling->by, RULING_BY_MAX));
    must(ruling_text_fits(ruling->why, RULING_WHY_MAX));
    for (size_t digit = 0; digit < ID_SIZE; digit++) {
        id[digit] = "0123456789abcdef"[ruling->id >> (60 - 4 * digit) & 15];
    }
    char *at = put_line(to, names[ruling->kind]);
    at = put_line(at, ruling->by);
    at = put_line(at, ruling->why);
    at = put_line(at, (struct span){id, sizeof(id)});
    return (size_t)(at - to);
}

/* The next line, without its newline. False: there is none. */
static bool take_line(struct span *left, struct span *ret_line)
{
    const char *at = left->at;
    size_t size = 0;

    while (size < left->size && at[size] != '\n') {
        size++;
    }
    *ret_line = (struct span){at, size};
    if (size == left->size) {
        return false;
    }
    *left = (struct span){at + size + 1, left->size - size - 1};
    return true;
}

static bool read_kind(struct span line, enum ruling_kind *ret_kind)
{
    for (size_t kind = 0; kind < RULING_KINDS; kind++) {
        if (names[kind].size == line.size && memcmp(names[kind].at, line.at, line.size) == 0) {
            *ret_kind = (enum ruling_kind)kind;
            return true;
        }
    }
    return false;
}

static bool read_id(struct span line, uint64_t *ret_id)
{
    const char *at = line.at;

    *ret_id = 0;
    for (size_t digit = 0; digit < line.size; digit++) {
        bool decimal = at[digit] >= '0' && at[digit] <= '9';
        if (!decimal && (at[digit] < 'a' || at[digit] > 'f')) {
            return false;
        }
        int value = decimal ? at[digit] - '0' : at[digit] - 'a' + 10;
        *ret_id = *ret_id << 4 | (uint64_t)value;
    }
    return line.size == ID_SIZE;
}

bool ruling_read(struct span text, struct ruling *ret_ruling)
{
    struct span lines[4];
    struct span left = text;

    for (size_t line = 0; line < 4; line++) {
        if (!take_line(&left, &lines[line])) {
            return false;
        }
    }
    ret_ruling->by = lines[1];
    ret_ruling->why = lines[2];
    return left.size == 0 && read_kind(lines[0], &ret_ruling->kind) && lines[1].size > 0 &&
           ruling_text_fits(lines[1], RULING_BY_MAX) &&
           ruling_text_fits(lines[2], RULING_WHY_MAX) && read_id(lines[3], &ret_ruling->id);
}
