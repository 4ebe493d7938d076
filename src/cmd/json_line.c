#include "cmd/json_line.h"

#include "base/json_escape.h"

#include <inttypes.h>
#include <string.h>

void json_line_quote(FILE *stream, struct span text)
{
    const uint8_t *at = text.at;
    char escaped[JSON_ESCAPE_MAX];
    size_t taken;

    (void)fputc('"', stream);
    for (size_t index = 0; index < text.size; index += taken) {
        size_t size = json_escape(at + index, text.size - index, &taken, escaped);
        (void)fwrite(escaped, 1, size, stream);
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
