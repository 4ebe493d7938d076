#include "engine/deaths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file_name[] = "deaths";

enum { FILE_SIZE_MAX = DEATHS_PLACES_SIZE + 16 };

static enum outcome read_file(struct disk *disk, char ret_text[FILE_SIZE_MAX + 1],
                              struct fault *ret_fault)
{
    size_t size = 0;
    enum outcome outcome =
        disk_read_whole(disk, file_name, ret_text, FILE_SIZE_MAX, &size, ret_fault);

    ret_text[size] = '\0';
    return outcome;
}

enum outcome deaths_open(struct deaths *deaths, struct disk *disk, struct fault *ret_fault)
{
    char text[FILE_SIZE_MAX + 1];

    *deaths = (struct deaths){.disk = disk};
    enum outcome outcome = read_file(disk, text, ret_fault);
    if (outcome != DONE) {
        return outcome == LATER ? DONE : outcome;
    }
    char *places = strchr(text, '\n');
    deaths->count = (unsigned)strtoul(text, NULL, 10);
    if (deaths->count < DEATHS_MAX) {
        return DONE;
    }
    if (places != NULL) {
        places[1 + strcspn(places + 1, "\n")] = '\0';
    }
    return fault_is(ret_fault, BROKEN, FAULT_POISON,
                    "%u starts in a row died before anything they read was sealed; they read %s",
                    deaths->count, places == NULL ? "" : places + 1);
}

enum outcome deaths_mark(struct deaths *deaths, const char *places, struct fault *ret_fault)
{
    char text[FILE_SIZE_MAX];
    disk_file file;
    int size = snprintf(text, sizeof(text), "%u\n%.*s\n", deaths->count + 1, DEATHS_PLACES_SIZE - 1,
                        places);
    enum outcome outcome = disk_open(deaths->disk, file_name, true, &file, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    outcome = disk_cut(deaths->disk, file, 0, ret_fault);
    if (outcome == DONE) {
        outcome = disk_write(deaths->disk, file, 0, (struct span){text, (size_t)size}, ret_fault);
    }
    disk_close(deaths->disk, file);
    deaths->marked = outcome == DONE;
    return outcome;
}

enum outcome deaths_clear(struct deaths *deaths, struct fault *ret_fault)
{
    if (!deaths->marked) {
        return DONE;
    }
    deaths->marked = false;
    deaths->count = 0;
    return disk_unlink(deaths->disk, file_name, ret_fault);
}
