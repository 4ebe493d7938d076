#include "os/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MACHINE_PATH_SIZE = 2048, MACHINE_LINE_SIZE = 1024 };

/* The number a file holds; UINT64_MAX if there is none ("max", no such file). */
static uint64_t limit_in(const char *root, const char *group, const char *file)
{
    char path[MACHINE_PATH_SIZE];
    char text[32];
    uint64_t limit = UINT64_MAX;
    int size = snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s/%s", root, group, file);

    FILE *stream = size > 0 && (size_t)size < sizeof(path) ? fopen(path, "re") : NULL;
    if (stream == NULL) {
        return limit;
    }
    if (fgets(text, sizeof(text), stream) != NULL && text[0] >= '0' && text[0] <= '9') {
        limit = strtoull(text, NULL, 10);
    }
    (void)fclose(stream);
    return limit;
}

/* A limit of an outer group holds, too: ask each on the way up to the root. */
static uint64_t limit_upwards(const char *root, const char *mount, const char *group,
                              const char *file)
{
    char path[MACHINE_LINE_SIZE + 16];
    uint64_t smallest = UINT64_MAX;

    (void)snprintf(path, sizeof(path), "%s%s", mount, group);
    for (;;) {
        uint64_t limit = limit_in(root, path, file);
        smallest = limit < smallest ? limit : smallest;
        char *slash = strrchr(path, '/');
        if (slash == NULL || (size_t)(slash - path) < strlen(mount)) {
            return smallest;
        }
        *slash = '\0';
    }
}

/* A line of /proc/self/cgroup: "0::/path" (version 2) or "4:memory:/path" (version 1). */
static uint64_t limit_of_line(const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');

    if (group == NULL) {
        return UINT64_MAX;
    }
    *group++ = '\0';
    if (strcmp(line, "0:") == 0) {
        return limit_upwards(root, "", group, "memory.max");
    }
    if (strstr(controllers, "memory") != NULL) {
        return limit_upwards(root, "/memory", group, "memory.limit_in_bytes");
    }
    return UINT64_MAX;
}

struct machine_memory machine_memory(const char *root, uint64_t machine_bytes)
{
    char path[MACHINE_PATH_SIZE];
    char line[MACHINE_LINE_SIZE];
    uint64_t smallest = UINT64_MAX;

    if (machine_bytes == 0) {
        machine_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGE_SIZE);
    }
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *stream = fopen(path, "re");
    while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
        uint64_t limit = limit_of_line(root, line);
        smallest = limit < smallest ? limit : smallest;
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
    /* Version 1 writes "no limit" as a number larger than any machine. */
    return smallest < machine_bytes ? (struct machine_memory){smallest, "cgroup"}
                                    : (struct machine_memory){machine_bytes, "machine"};
}

unsigned machine_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 1) {
        return 1;
    }
    return (unsigned)CPU_COUNT(&set);
}
