#include "cmd/demo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK DEMO_DIRECTORY "/.payonce-demo"

enum { REMOVE_FILES_MAX = 16 };

static const char mark_text[] = "made by payonce demo, which removes it again\n";

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static enum outcome failed(const char *path, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_OUTPUT, "%s: %s", path, strerror(errno));
}

static bool directory_is_empty(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    if (directory == NULL) {
        return false;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 ? 1 : 0;
    }
    (void)closedir(directory);
    return count == 0;
}

/* Make room: what an earlier demo left goes, what is not ours stays. */
static enum outcome clear(struct fault *ret_fault)
{
    struct stat status;

    if (lstat(DEMO_DIRECTORY, &status) != 0) {
        return errno == ENOENT ? DONE : failed(DEMO_DIRECTORY, ret_fault);
    }
    bool directory = S_ISDIR(status.st_mode);
    bool ours = directory && lstat(MARK, &status) == 0 && S_ISREG(status.st_mode);
    if (!ours && !(directory && directory_is_empty(DEMO_DIRECTORY))) {
        (void)fault_is(ret_fault, BROKEN, FAULT_USAGE,
                       "./%s is there already, and is not from an earlier demo", DEMO_DIRECTORY);
        fault_next(ret_fault, "start the demo in another directory, or move that one away");
        return BROKEN;
    }
    if (nftw(DEMO_DIRECTORY, remove_one, REMOVE_FILES_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) {
        return failed(DEMO_DIRECTORY, ret_fault);
    }
    return DONE;
}

enum outcome demo_write(const char *path, const char *text, struct fault *ret_fault)
{
    FILE *stream = fopen(path, "wxe");

    if (stream == NULL) {
        return failed(path, ret_fault);
    }
    bool written = fputs(text, stream) >= 0;
    written = fclose(stream) == 0 && written;
    return written ? DONE : failed(path, ret_fault);
}

enum outcome demo_place_make(struct fault *ret_fault)
{
    enum outcome outcome = clear(ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (mkdir(DEMO_DIRECTORY, 0777) != 0) {
        return failed(DEMO_DIRECTORY, ret_fault);
    }
    return demo_write(MARK, mark_text, ret_fault);
}
