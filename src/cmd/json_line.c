#include "cmd/json_line.h"

#include <inttypes.h>
#include <string.h>

/* How many bytes the UTF-8 character at the front has; 0: it is none. */
static size_t utf8_size(const unsigned char *at, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t point = at[0] & (0xffU >> (count + 1));

    if (count == 1) {
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4 || count > size) {
        return 0;
    }
    for (size_t index = 1; index < count; index++) {
        if ((at[index] & 0xc0U) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[index] & 0x3fU);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least[count] || point > 0x10ffff || surrogate ? 0 : count;
}

void json_line_quote(FILE *stream, struct span text)
{
    const unsigned char *at = text.at;
    size_t index = 0;

    (void)fputc('"', stream);
    while (index < text.size) {
        size_t size = utf8_size(at + index, text.size - index);
        bool control_c1 = size == 2 && at[index] == 0xc2 && at[index + 1] < 0xa0;
        if (size == 0) {
            (void)fputs("\\ufffd", stream);
            size = 1;
        } else if (at[index] == '"' || at[index] == '\\') {
            (void)fprintf(stream, "\\%c", at[index]);
        } else if (at[index] < 0x20 || at[index] == 0x7f || control_c1) {
            (void)fprintf(stream, "\\u%04x", control_c1 ? at[index + 1] : at[index]);
        } else {
            (void)fwrite(at + index, 1, size, stream);
        }
        index += size;
    }
    (void)fputc('"', stream);
}

void json_line_start(struct json_line *object, FILE *stream)
{
    *object = (struct json_line){.stream = stream};
    (void)fputc('{', stream);
}

void json_line_key(struct json_line *object, const char *key)
{
    if (object->filled) {
        (void)fputc(',', object->stream);
    }
    object->filled = true;
    json_line_quote(object->stream, (struct span){key, strlen(key)});
    (void)fputc(':', object->stream);
}

void json_line_text(struct json_line *object, const char *key, const char *text)
{
    json_line_key(object, key);
    json_line_quote(object->stream, (struct span){text, strlen(text)});
}

void json_line_number(struct json_line *object, const char *key, uint64_t number)
{
    json_line_key(object, key);
    (void)fprintf(object->stream, "%" PRIu64, number);
}

void json_line_bool(struct json_line *object, const char *key, bool value)
{
    json_line_key(object, key);
    (void)fputs(value ? "true" : "false", object->stream);
}

void json_line_close(struct json_line *object)
{
    (void)fputc('}', object->stream);
}

void json_line_end(struct json_line *object)
{
    json_line_close(object);
    (void)fputc('\n', object->stream);
}
