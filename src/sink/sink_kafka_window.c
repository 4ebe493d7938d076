#include "sink/sink_kafka.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOWS_LEAST = 256 };

size_t window_key(const struct row *row, char ret_key[WINDOW_KEY_SIZE])
{
    struct span region = row->texts[METRIC_REGION];
    struct span currency = row->texts[METRIC_CURRENCY];
    size_t size = INSTANT_TEXT_SIZE - 1;

    if (!window_sane(row) || region.at == NULL || region.size > GROUP_TEXT_MAX ||
        currency.at == NULL || currency.size != CURRENCY_SIZE) {
        return 0;
    }
    instant_write(row->numbers[METRIC_START_MS], ret_key);
    ret_key[size++] = ' ';
    memcpy(ret_key + size, currency.at, CURRENCY_SIZE);
    size += CURRENCY_SIZE;
    ret_key[size++] = ' ';
    memcpy(ret_key + size, region.at, region.size);
    return size + region.size;
}

void windows_clear(struct kafka_windows *windows)
{
    for (size_t index = 0; windows->count > 0 && index < windows->capacity; index++) {
        windows->at[index].key_size = 0;
    }
    windows->count = 0;
}

/* Where the key stands, or the free place where it would. */
static struct kafka_window *find(const struct kafka_windows *windows, const char *key, size_t size)
{
    size_t mask = windows->capacity - 1;
    size_t index = siphash(&windows->hash_key, (struct span){key, size}) & mask;

    while (windows->at[index].key_size > 0 && (windows->at[index].key_size != size ||
                                               memcmp(windows->at[index].key, key, size) != 0)) {
        index = (index + 1) & mask;
    }
    return &windows->at[index];
}

static bool grow(struct kafka_windows *windows)
{
    struct kafka_windows grown = {
        .capacity = windows->capacity == 0 ? WINDOWS_LEAST : 2 * windows->capacity,
        .count = windows->count,
        .hash_key = windows->hash_key,
    };

    grown.at = calloc(grown.capacity, sizeof(grown.at[0]));
    if (grown.at == NULL) {
        return false;
    }
    for (size_t index = 0; index < windows->capacity; index++) {
        const struct kafka_window *window = &windows->at[index];
        if (window->key_size > 0) {
            *find(&grown, window->key, window->key_size) = *window;
        }
    }
    free(windows->at);
    *windows = grown;
    return true;
}

bool windows_note(struct kafka_windows *windows, const char *key, size_t size, uint64_t seq)
{
    must(size > 0 && size <= WINDOW_KEY_SIZE);
    if (2 * windows->count >= windows->capacity && !grow(windows)) {
        return false;
    }
    struct kafka_window *window = find(windows, key, size);
    if (window->key_size == 0) {
        window->key_size = size;
        memcpy(window->key, key, size);
        windows->count++;
    }
    window->seq = seq;
    return true;
}

uint64_t windows_newest(const struct kafka_windows *windows, const char *key, size_t size)
{
    const struct kafka_window *window = find(windows, key, size);

    must(window->key_size == size);
    return window->seq;
}
