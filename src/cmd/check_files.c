/* The files that are to be read: are they there, each once, and may so many be open? */
#include "cmd/check.h"

#include "cmd/open_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file is, whatever its name. */
struct seen_file {
    dev_t device;
    ino_t inode;
};

uint64_t check_input_bytes(const struct config *config)
{
    uint64_t bytes = 0;

    for (size_t index = 0; index < config->engine.path_count; index++) {
        struct stat status;
        if (stat(config->engine.paths[index], &status) == 0) {
            bytes += (uint64_t)status.st_size;
        }
    }
    return bytes;
}

/* Can it be read, as what it is? Says why not. */
static bool look_at_file(struct check *check, const char *path, struct stat *ret_status)
{
    struct fault fault;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (file < 0 || fstat(file, ret_status) != 0) {
        enum fault_code code = errno == EACCES ? FAULT_SOURCE_PERMISSION : FAULT_SOURCE_MISSING;
        (void)fault_is(&fault, BROKEN, code, "%s: %s", path, strerror(errno));
        if (code == FAULT_SOURCE_MISSING) {
            fault_next(&fault, "mend the path; a file that was read before must come back to it");
        }
    } else if (!S_ISREG(ret_status->st_mode)) {
        (void)fault_is(&fault, BROKEN, FAULT_SOURCE_READ, "%s is %s, not a file of lines", path,
                       S_ISDIR(ret_status->st_mode) ? "a directory" : "a pipe or a device");
        fault_next(&fault, "name a regular file; what comes through a pipe is read from standard "
                           "input");
    } else {
        (void)close(file);
        return true;
    }
    if (file >= 0) {
        (void)close(file);
    }
    check_fault(check, "files", &fault);
    return false;
}

static bool met_before(struct check *check, const struct seen_file *seen, size_t index)
{
    const char *const *paths = check->config->engine.paths;
    struct fault fault;

    for (size_t other = 0; other < index; other++) {
        if (seen[other].device == seen[index].device && seen[other].inode == seen[index].inode) {
            (void)fault_is(&fault, BROKEN, FAULT_CONFIG_DUPLICATE_KEY,
                           "%.200s and %.200s are two names of one file", paths[other],
                           paths[index]);
            check_fault(check, "files", &fault);
            return true;
        }
    }
    return false;
}

void check_files(struct check *check)
{
    static struct seen_file seen[ENGINE_PATHS_MAX];
    const struct engine_settings *engine = &check->config->engine;
    char text[QUANTITY_TEXT_SIZE];
    size_t good = 0;
    struct fault fault;

    if (open_files_fit(engine->path_count, &fault) != DONE) {
        check_fault(check, "files", &fault);
    }
    for (size_t index = 0; index < engine->path_count; index++) {
        struct stat status;
        seen[index] = (struct seen_file){0};
        if (!look_at_file(check, engine->paths[index], &status)) {
            continue;
        }
        seen[index] = (struct seen_file){status.st_dev, status.st_ino};
        good += met_before(check, seen, index) ? 0 : 1;
        if (check->verbose) {
            check_say(check, CHECK_OK, "file", "%s", engine->paths[index]);
        }
    }
    if (engine->from_stdin) {
        check_say(check, CHECK_OK, "standard input", "is read when payonce runs");
    } else if (good > 0) {
        quantity_say(QUANTITY_SIZE, (int64_t)check_input_bytes(check->config), text);
        check_say(check, CHECK_OK, "files", "%zu readable, %s", good, text);
    }
}
