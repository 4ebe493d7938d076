#include "engine/decisions.h"

#include "base/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char waiting[] = ".json";
static const char refused[] = ".refused";
static const char beside[] = "new";
static const char because[] = "refused: ";

enum { DIGITS_MAX = 18 };

static void name_of(uint64_t number, const char *ending, char ret_name[DISK_NAME_MAX])
{
    (void)snprintf(ret_name, DISK_NAME_MAX, "%" PRIu64 "%s", number, ending);
}

/* The number of a file with this ending; 0: it is none. */
static uint64_t number_of(const char *name, const char *ending)
{
    size_t digits = strspn(name, "0123456789");

    if (digits == 0 || digits > DIGITS_MAX || name[0] == '0' ||
        strcmp(name + digits, ending) != 0) {
        return 0;
    }
    return strtoull(name, NULL, 10);
}

/* Into its place; of more than there is room for, the largest goes. */
static void insert(uint64_t numbers[DECISIONS_MAX], size_t *count, uint64_t number)
{
    size_t at = *count;

    while (at > 0 && numbers[at - 1] > number) {
        at--;
    }
    if (at == DECISIONS_MAX) {
        return;
    }
    *count += *count < DECISIONS_MAX ? 1 : 0;
    memmove(&numbers[at + 1], &numbers[at], (*count - at - 1) * sizeof(numbers[0]));
    numbers[at] = number;
}

enum outcome decisions_list(struct disk *disk, uint64_t ret_numbers[DECISIONS_MAX],
                            size_t *ret_count, struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    enum outcome outcome;

    *ret_count = 0;
    for (size_t index = 0; (outcome = disk_list(disk, index, name, ret_fault)) == DONE; index++) {
        uint64_t number = number_of(name, waiting);
        if (number > 0) {
            insert(ret_numbers, ret_count, number);
        }
    }
    return outcome == LATER ? DONE : outcome;
}

/* One byte more than there may be says that there are too many. */
static enum outcome read_whole(struct disk *disk, uint64_t number, char *into, size_t *ret_size,
                               struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];

    name_of(number, waiting, name);
    return disk_read_whole(disk, name, into, DECIDED_SIZE_MAX + 1, ret_size, ret_fault);
}

enum outcome decisions_load(struct disk *disk, uint64_t number, struct decided *ret_decided,
                            struct fault *ret_fault)
{
    char text[DECIDED_SIZE_MAX + 1];
    size_t size = 0;
    enum outcome outcome = read_whole(disk, number, text, &size, ret_fault);

    return outcome == DONE ? decided_read((struct span){text, size}, ret_decided, ret_fault)
                           : outcome;
}

static enum outcome next_number(struct disk *disk, uint64_t *ret_number, struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    enum outcome outcome;

    *ret_number = 1;
    for (size_t index = 0; (outcome = disk_list(disk, index, name, ret_fault)) == DONE; index++) {
        uint64_t number = number_of(name, waiting);
        number = number > 0 ? number : number_of(name, refused);
        *ret_number = number >= *ret_number ? number + 1 : *ret_number;
    }
    return outcome == LATER ? DONE : outcome;
}

enum outcome decisions_add(struct disk *disk, const struct decided *decided, uint64_t *ret_number,
                           struct fault *ret_fault)
{
    char text[DECIDED_SIZE_MAX];
    char name[DISK_NAME_MAX];
    struct decided again;
    struct span written = {text, decided_write(decided, text)};
    enum outcome outcome = decided_read(written, &again, ret_fault);

    if (outcome == DONE) {
        outcome = next_number(disk, ret_number, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    name_of(*ret_number, waiting, name);
    return disk_replace(disk, name, beside, written, ret_fault);
}

enum outcome decisions_remove(struct disk *disk, uint64_t number, struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];

    name_of(number, waiting, name);
    enum outcome outcome = disk_unlink(disk, name, ret_fault);
    return outcome == DONE ? disk_sync_directory(disk, ret_fault) : outcome;
}

/* Behind what stands there; twice, if a crash came between this and the new name. */
static enum outcome append_why(struct disk *disk, const char *name, const char *why,
                               struct fault *ret_fault)
{
    char line[DECISIONS_WHY_SIZE + sizeof(because) + 1];
    uint64_t size = 0;
    disk_file file;
    enum outcome outcome = disk_open(disk, name, false, &file, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    (void)snprintf(line, sizeof(line) - 1, "\n%s%.*s", because, DECISIONS_WHY_SIZE - 1, why);
    size_t length = 1 + strcspn(line + 1, "\n");
    line[length] = '\n';
    outcome = disk_size(disk, file, &size, ret_fault);
    if (outcome == DONE) {
        outcome = disk_write(disk, file, size, (struct span){line, length + 1}, ret_fault);
    }
    if (outcome == DONE) {
        outcome = disk_sync(disk, file, ret_fault);
    }
    disk_close(disk, file);
    return outcome;
}

enum outcome decisions_refuse(struct disk *disk, uint64_t number, const char *why,
                              struct fault *ret_fault)
{
    char from[DISK_NAME_MAX];
    char to[DISK_NAME_MAX];

    name_of(number, waiting, from);
    name_of(number, refused, to);
    enum outcome outcome = append_why(disk, from, why, ret_fault);
    if (outcome == DONE) {
        outcome = disk_rename(disk, from, to, ret_fault);
    }
    return outcome == DONE ? disk_sync_directory(disk, ret_fault) : outcome;
}

/* The last line. */
static void find_why(const char *text, size_t size, char ret_why[DECISIONS_WHY_SIZE])
{
    size_t end = size > 0 && text[size - 1] == '\n' ? size - 1 : size;
    size_t start = end;

    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    if (end - start >= sizeof(because) - 1 &&
        memcmp(text + start, because, sizeof(because) - 1) == 0) {
        start += sizeof(because) - 1;
    }
    (void)snprintf(ret_why, DECISIONS_WHY_SIZE, "%.*s", (int)(end - start), text + start);
}

static enum outcome read_why(struct disk *disk, uint64_t number, char ret_why[DECISIONS_WHY_SIZE],
                             struct fault *ret_fault)
{
    char text[DECISIONS_WHY_SIZE + sizeof(because)];
    char name[DISK_NAME_MAX];
    uint64_t size = 0;
    size_t read = 0;
    disk_file file;

    name_of(number, refused, name);
    enum outcome outcome = disk_open(disk, name, false, &file, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    outcome = disk_size(disk, file, &size, ret_fault);
    if (outcome == DONE) {
        uint64_t from = size > sizeof(text) ? size - sizeof(text) : 0;
        outcome = disk_read(disk, file, from, text, sizeof(text), &read, ret_fault);
    }
    disk_close(disk, file);
    if (outcome == DONE) {
        find_why(text, read, ret_why);
    }
    return outcome;
}

enum outcome decisions_fate(struct disk *disk, uint64_t number, enum decisions_fate *ret_fate,
                            char ret_why[DECISIONS_WHY_SIZE], struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    disk_file file;

    name_of(number, waiting, name);
    enum outcome outcome = disk_open(disk, name, false, &file, ret_fault);
    if (outcome == DONE) {
        disk_close(disk, file);
        *ret_fate = DECISION_WAITS;
    }
    if (outcome != LATER) {
        return outcome;
    }
    outcome = read_why(disk, number, ret_why, ret_fault);
    *ret_fate = outcome == DONE ? DECISION_REFUSED : DECISION_SEALED;
    return outcome == LATER ? DONE : outcome;
}

enum outcome decisions_sum(struct disk *disk, uint64_t *ret_sum, struct fault *ret_fault)
{
    char text[DECIDED_SIZE_MAX + 1];
    uint64_t numbers[DECISIONS_MAX];
    size_t count = 0;
    enum outcome outcome = decisions_list(disk, numbers, &count, ret_fault);

    *ret_sum = 0;
    for (size_t index = 0; outcome == DONE && index < count; index++) {
        size_t size = 0;
        outcome = read_whole(disk, numbers[index], text, &size, ret_fault);
        *ret_sum += outcome == DONE
                        ? (numbers[index] << 32 | checksum(1, (struct span){text, size})) + 1
                        : 0;
        outcome = outcome == LATER ? DONE : outcome; /* Gone since it was listed. */
    }
    return outcome;
}
