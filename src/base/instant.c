#include "base/instant.h"

#include "base/digits.h"

#include <string.h>

enum { DAY_MS = 86400000 };

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar (H. Hinnant's algorithm). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* What is left of the text to read. */
struct reader {
    const char *at;
    const char *end;
};

static bool read_digits(struct reader *reader, int count, int *ret_value)
{
    int value = 0;

    if (reader->end - reader->at < count) {
        return false;
    }
    for (int index = 0; index < count; index++) {
        char digit = *reader->at++;
        if (digit < '0' || digit > '9') {
            return false;
        }
        value = value * 10 + (digit - '0');
    }
    *ret_value = value;
    return true;
}

static bool read_char(struct reader *reader, char wanted)
{
    if (reader->at == reader->end || *reader->at != wanted) {
        return false;
    }
    reader->at++;
    return true;
}

static bool read_date(struct reader *reader, int64_t *ret_days)
{
    int year, month, day;

    if (!read_digits(reader, 4, &year) || !read_char(reader, '-') ||
        !read_digits(reader, 2, &month) || !read_char(reader, '-') ||
        !read_digits(reader, 2, &day)) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month)) {
        return false;
    }
    *ret_days = days_of(year, month, day);
    return true;
}

static bool read_fraction(struct reader *reader, int *ret_ms)
{
    static const int place_ms[] = {100, 10, 1};
    int digits = 0;

    *ret_ms = 0;
    if (!read_char(reader, '.')) {
        return true;
    }
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        *ret_ms += digits < 3 ? (*reader->at - '0') * place_ms[digits] : 0;
        digits++;
    }
    return digits >= 1 && digits <= 9;
}

static bool read_clock(struct reader *reader, int64_t *ret_ms)
{
    int hour, minute, second, fraction;

    if (!read_digits(reader, 2, &hour) || !read_char(reader, ':') ||
        !read_digits(reader, 2, &minute) || !read_char(reader, ':') ||
        !read_digits(reader, 2, &second) || !read_fraction(reader, &fraction)) {
        return false;
    }
    *ret_ms = ((hour * INT64_C(60) + minute) * 60 + second) * 1000 + fraction;
    return hour < 24 && minute < 60 && second < 60;
}

static bool read_zone(struct reader *reader, int64_t *ret_ms)
{
    int hour, minute;

    *ret_ms = 0;
    if (read_char(reader, 'Z') || read_char(reader, 'z')) {
        return true;
    }
    int64_t sign = read_char(reader, '+') ? 1 : read_char(reader, '-') ? -1 : 0;
    if (sign == 0 || !read_digits(reader, 2, &hour) || !read_char(reader, ':') ||
        !read_digits(reader, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ret_ms = sign * (hour * INT64_C(60) + minute) * 60 * 1000;
    return true;
}

/*
 * Eight characters beside eight of a form whose zeros are digits: the worth of each digit, and
 * behind it in `pairs` what it makes with the next one. False: a character is not of the form.
 */
static inline bool form_read(const char *at, const char *form, uint64_t *ret_digits,
                             uint64_t *ret_pairs)
{
    uint64_t word, wanted;

    memcpy(&word, at, sizeof(word));
    memcpy(&wanted, form, sizeof(wanted));
    /* Above 9 where the form has a zero, above 0 elsewhere. */
    uint64_t zeros = wanted ^ DIGITS_ZERO;
    uint64_t elsewhere = ((zeros + DIGITS_ONES * 0x7f) >> 7) & DIGITS_ONES;
    uint64_t digits = word ^ wanted;
    uint64_t above =
        ((digits & (DIGITS_ONES * 0x7f)) + DIGITS_ONES * (0x80 - 10) + elsewhere * 9) | digits;

    *ret_digits = digits;
    *ret_pairs = digits * 10 + (digits >> 8);
    return (above & (DIGITS_ONES * 0x80)) == 0;
}

static inline int byte_of(uint64_t word, int index)
{
    return (int)(word >> (8 * index) & UINT8_MAX);
}

/* Of a date from 2000 to 2100; 2100 is no leap year. False: there is no such day. */
static inline bool usual_days(int year, int month, int day, int64_t *ret_days)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int leap = year % 4 == 0 && year != 2100;

    if (year < 2000 || year > 2100 || month < 1 || month > 12) {
        return false;
    }
    int days = before[month] - before[month - 1] + (month == 2 ? leap : 0);
    *ret_days = (year - 1970) * 365 + (year - 1969) / 4 + before[month - 1] +
                (month > 2 ? leap : 0) + day - 1;
    return day >= 1 && day <= days;
}

/*
 * "2026-02-25T06:13:20Z", or with ".123" before the Z: what most write. False: anything else,
 * which is not to say that it is wrong.
 */
static bool usual_read(const char *at, size_t size, int64_t *ret_ms)
{
    uint64_t date, hour, second, pairs_date, pairs_hour, pairs;
    char behind[8] = ":00.000Z";

    if (size == 24) {
        memcpy(behind, at + 16, 8);
    } else if (at[19] == 'Z') {
        memcpy(behind, at + 16, 3);
    } else {
        return false;
    }
    if (!form_read(at, "0000-00-", &date, &pairs_date) ||
        !form_read(at + 8, "00T00:00", &hour, &pairs_hour) ||
        !form_read(behind, ":00.000Z", &second, &pairs)) {
        return false;
    }
    int year = byte_of(pairs_date, 0) * 100 + byte_of(pairs_date, 2);
    int64_t days;
    int64_t minutes = byte_of(pairs_hour, 3) * INT64_C(60) + byte_of(pairs_hour, 6);
    int64_t ms = byte_of(pairs, 1) * 1000 + byte_of(second, 4) * 100 + byte_of(pairs, 5);
    if (!usual_days(year, byte_of(pairs_date, 5), byte_of(pairs_hour, 0), &days) ||
        byte_of(pairs_hour, 3) > 23 || byte_of(pairs_hour, 6) > 59 || byte_of(pairs, 1) > 59) {
        return false;
    }
    *ret_ms = days * DAY_MS + minutes * 60000 + ms;
    return true;
}

bool instant_read(struct span text, int64_t *ret_ms)
{
    const char *start = text.at;
    struct reader reader = {start, start + text.size};
    int64_t days, clock_ms, zone_ms;

    if ((text.size == 20 || text.size == 24) && usual_read(start, text.size, ret_ms)) {
        return true;
    }
    if (!read_date(&reader, &days)) {
        return false;
    }
    if (!read_char(&reader, 'T') && !read_char(&reader, 't') && !read_char(&reader, ' ')) {
        return false;
    }
    if (!read_clock(&reader, &clock_ms) || !read_zone(&reader, &zone_ms)) {
        return false;
    }
    *ret_ms = days * DAY_MS + clock_ms - zone_ms;
    return reader.at == reader.end && *ret_ms >= INSTANT_MIN_MS && *ret_ms < INSTANT_MAX_MS;
}

static char *write_digits(char *to, int64_t value, int count)
{
    for (int index = count - 1; index >= 0; index--) {
        to[index] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

void instant_write(int64_t ms, char ret_text[INSTANT_TEXT_SIZE])
{
    int64_t days = ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS);
    int64_t of_day = ms - days * DAY_MS;
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    char *to = ret_text;

    month = month < 10 ? month + 3 : month - 9;
    to = write_digits(to, year + era * 400 + (month <= 2), 4);
    *to++ = '-';
    to = write_digits(to, month, 2);
    *to++ = '-';
    to = write_digits(to, day, 2);
    *to++ = 'T';
    to = write_digits(to, of_day / 3600000, 2);
    *to++ = ':';
    to = write_digits(to, of_day / 60000 % 60, 2);
    *to++ = ':';
    to = write_digits(to, of_day / 1000 % 60, 2);
    *to++ = '.';
    to = write_digits(to, of_day % 1000, 3);
    *to++ = 'Z';
    *to = '\0';
}
