#include "cmd/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Each list from the largest exact one down, as quantity_write tries them. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", 1 << 30},
    {"MiB", 1 << 20},
    {"KiB", 1 << 10},
    {"TB", 1000000000000},
    {"GB", 1000000000},
    {"MB", 1000000},
    {"kB", 1000},
    {"B", 1},
    {NULL, 0},
};
static const struct unit rates[] = {{"/s", 1}, {NULL, 0}};
static const struct unit percents[] = {{"%", 10000}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

static const struct {
    const struct unit *units;
    const char *example;
} kinds[] = {
    [QUANTITY_COUNT] = {counts, "a whole number, as in 10000"},
    [QUANTITY_DURATION] = {durations, "a number and a unit: ms, s, m, h or d, as in 20s or 1h30m"},
    [QUANTITY_SIZE] = {sizes, "a number and a unit: B, KiB, MiB, GiB or TiB, as in 4MiB"},
    [QUANTITY_RATE] = {rates, "a number a second, as in 500/s"},
    [QUANTITY_PERCENT] = {percents, "a number of percent, as in 5% or 0.1%"},
};

/* The digits at the front; false if there are none. */
static bool take_digits(struct span *text, int64_t *ret_value, bool *ret_fits)
{
    const char *at = text->at;
    size_t size = 0;

    *ret_value = 0;
    *ret_fits = true;
    for (; size < text->size && at[size] >= '0' && at[size] <= '9'; size++) {
        *ret_fits = *ret_fits && !__builtin_mul_overflow(*ret_value, 10, ret_value) &&
                    !__builtin_add_overflow(*ret_value, at[size] - '0', ret_value);
    }
    *text = (struct span){at + size, text->size - size};
    return size > 0;
}

/* The unit at the front: letters and signs up to the next digit. NULL: none of that name. */
static const struct unit *take_unit(const struct unit *units, struct span *text)
{
    const char *at = text->at;
    size_t size = 0;

    while (size < text->size && (at[size] < '0' || at[size] > '9')) {
        size++;
    }
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (strlen(unit->name) == size && memcmp(unit->name, at, size) == 0) {
            *text = (struct span){at + size, text->size - size};
            return unit;
        }
    }
    return NULL;
}

/* "0.1%": at most four places, so parts per million are exact. */
static enum quantity_reading read_percent(struct span text, int64_t *ret_value)
{
    int64_t whole;
    int64_t part = 0;
    bool fits;
    int64_t factor = percents->factor;

    if (!take_digits(&text, &whole, &fits)) {
        return QUANTITY_NO_NUMBER;
    }
    if (text.size > 0 && *(const char *)text.at == '.') {
        text = (struct span){(const char *)text.at + 1, text.size - 1};
        size_t before = text.size;
        bool part_fits;
        if (!take_digits(&text, &part, &part_fits) || before - text.size > 4) {
            return QUANTITY_NO_NUMBER;
        }
        for (size_t place = before - text.size; place < 4; place++) {
            part *= 10;
        }
    }
    if (text.size == 0) {
        return QUANTITY_NO_UNIT;
    }
    if (text.size != 1 || *(const char *)text.at != '%') {
        return QUANTITY_NO_NUMBER;
    }
    bool over = !fits || __builtin_mul_overflow(whole, factor, ret_value) ||
                __builtin_add_overflow(*ret_value, part, ret_value);
    return over ? QUANTITY_TOO_LARGE : QUANTITY_READ;
}

enum quantity_reading quantity_read(enum quantity kind, struct span text, int64_t *ret_value)
{
    const struct unit *units = kinds[kind].units;
    int64_t total = 0;
    bool fits = true;

    if (kind == QUANTITY_PERCENT) {
        return read_percent(text, ret_value);
    }
    do {
        int64_t number;
        bool number_fits;
        if (!take_digits(&text, &number, &number_fits)) {
            return QUANTITY_NO_NUMBER;
        }
        const struct unit *unit = take_unit(units, &text);
        if (unit == NULL) {
            return text.size == 0 ? QUANTITY_NO_UNIT : QUANTITY_NO_NUMBER;
        }
        fits = fits && number_fits && !__builtin_mul_overflow(number, unit->factor, &number) &&
               !__builtin_add_overflow(total, number, &total);
        units = unit + 1; /* 1h30m, not 30m1h and not 1h1h. */
    } while (text.size > 0 && kind == QUANTITY_DURATION);
    *ret_value = total;
    if (text.size > 0) {
        return QUANTITY_NO_NUMBER;
    }
    return fits ? QUANTITY_READ : QUANTITY_TOO_LARGE;
}

void quantity_write(enum quantity kind, int64_t value, char ret_text[QUANTITY_TEXT_SIZE])
{
    if (kind == QUANTITY_PERCENT) {
        size_t size = (size_t)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 ".%04" PRId64,
                                       value / 10000, value % 10000);
        while (ret_text[size - 1] == '0') {
            size--;
        }
        size -= ret_text[size - 1] == '.' ? 1 : 0;
        memcpy(ret_text + size, "%", 2);
        return;
    }
    const struct unit *unit = kinds[kind].units;
    while (unit->factor != 1 && (value == 0 || value % unit->factor != 0)) {
        unit++;
    }
    if (value == 0 && kind == QUANTITY_DURATION) {
        unit--; /* 0s reads better than 0ms. */
    }
    (void)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 "%s", value / unit->factor, unit->name);
}

static void say_duration(int64_t value, char ret_text[QUANTITY_TEXT_SIZE])
{
    static const char *const names[] = {"d", "h", "min", "s", "ms"};
    size_t index = 0;

    while (durations[index].factor > value && durations[index].factor > 1) {
        index++;
    }
    int64_t number = value / durations[index].factor;
    int64_t rest = durations[index].factor == 1
                       ? 0
                       : value % durations[index].factor / durations[index + 1].factor;
    if (rest == 0 || index >= 2) {
        (void)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 " %s", number, names[index]);
    } else {
        (void)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 " %s %" PRId64 " %s", number,
                       names[index], rest, names[index + 1]);
    }
}

static void say_size(int64_t value, char ret_text[QUANTITY_TEXT_SIZE])
{
    const struct unit *unit = sizes;

    while (unit->factor > value && unit->factor > 1024) {
        unit++;
    }
    if (value < 1024) {
        (void)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 " B", value);
        return;
    }
    int64_t tenths = value / (unit->factor / 16) * 10 / 16;
    if (tenths < 100) {
        (void)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 ".%" PRId64 " %s", tenths / 10,
                       tenths % 10, unit->name);
    } else {
        (void)snprintf(ret_text, QUANTITY_TEXT_SIZE, "%" PRId64 " %s", tenths / 10, unit->name);
    }
}

static void say_count(int64_t value, const char *unit, char ret_text[QUANTITY_TEXT_SIZE])
{
    char digits[QUANTITY_TEXT_SIZE];
    size_t size = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, value);
    size_t at = 0;

    for (size_t index = 0; index < size; index++) {
        if (index > 0 && (size - index) % 3 == 0 && digits[index - 1] != '-') {
            ret_text[at++] = ',';
        }
        ret_text[at++] = digits[index];
    }
    memcpy(ret_text + at, unit, strlen(unit) + 1);
}

void quantity_say(enum quantity kind, int64_t value, char ret_text[QUANTITY_TEXT_SIZE])
{
    switch (kind) {
    case QUANTITY_DURATION:
        say_duration(value, ret_text);
        break;
    case QUANTITY_SIZE:
        say_size(value, ret_text);
        break;
    case QUANTITY_COUNT:
        say_count(value, "", ret_text);
        break;
    case QUANTITY_RATE:
        say_count(value, "/s", ret_text);
        break;
    case QUANTITY_PERCENT:
        quantity_write(kind, value, ret_text);
        break;
    }
}

const char *quantity_example(enum quantity kind)
{
    return kinds[kind].example;
}
