#include "os/kafka_parts.h"

#include <stdio.h>
#include <string.h>

void kafka_escape(const char *text, char *ret_text, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    must(size >= 5);
    for (; *text != '\0' && at + 5 <= size; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte < 0x7f) {
            ret_text[at++] = (char)byte;
        } else {
            ret_text[at++] = '\\';
            ret_text[at++] = 'x';
            ret_text[at++] = hex[byte >> 4];
            ret_text[at++] = hex[byte & 15];
        }
    }
    ret_text[at] = '\0';
}

void kafka_lines_init(struct kafka_lines *lines)
{
    memset(lines, 0, sizeof(*lines));
    (void)pthread_mutex_init(&lines->mutex, NULL);
}

void kafka_lines_destroy(struct kafka_lines *lines)
{
    (void)pthread_mutex_destroy(&lines->mutex);
}

void kafka_lines_put(struct kafka_lines *lines, int level, const char *text)
{
    (void)pthread_mutex_lock(&lines->mutex);
    if (lines->put - lines->taken == KAFKA_LINES_MAX) {
        lines->dropped++;
    } else {
        struct kafka_line *line = &lines->lines[lines->put++ % KAFKA_LINES_MAX];
        line->level = level;
        kafka_escape(text, line->text, sizeof(line->text));
    }
    (void)pthread_mutex_unlock(&lines->mutex);
}

bool kafka_lines_take(struct kafka_lines *lines, struct kafka_line *ret_line)
{
    bool found = false;

    (void)pthread_mutex_lock(&lines->mutex);
    if (lines->put > lines->taken) {
        *ret_line = lines->lines[lines->taken++ % KAFKA_LINES_MAX];
        found = true;
    } else if (lines->dropped > 0) {
        ret_line->level = 4;
        (void)snprintf(ret_line->text, sizeof(ret_line->text), "%llu more lines were not kept",
                       (unsigned long long)lines->dropped);
        lines->dropped = 0;
        found = true;
    }
    (void)pthread_mutex_unlock(&lines->mutex);
    return found;
}
