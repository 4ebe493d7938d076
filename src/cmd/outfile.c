#include "cmd/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device, a pipe: nothing that could be overwritten. */
static bool holds_nothing(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

enum outcome outfile_open(struct outfile *outfile, const char *path, bool overwrite, char *buffer,
                          struct fault *ret_fault)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;

    *outfile = (struct outfile){.name = path, .buffer = buffer};
    if (path == NULL) {
        outfile->name = "standard output";
        outfile->file = STDOUT_FILENO;
        return DONE;
    }
    flags |= overwrite || holds_nothing(path) ? O_TRUNC : O_EXCL;
    outfile->file = open(path, flags, 0666);
    if (outfile->file >= 0) {
        return DONE;
    }
    if (errno == EEXIST) {
        (void)fault_is(ret_fault, BROKEN, FAULT_USAGE, "%s exists already", path);
        fault_next(ret_fault, "choose another name, or say --force to overwrite it");
        return BROKEN;
    }
    return fault_is(ret_fault, BROKEN, FAULT_OUTPUT, "%s: %s", path, strerror(errno));
}

enum outcome outfile_flush(struct outfile *outfile, struct fault *ret_fault)
{
    size_t done = 0;

    while (done < outfile->used) {
        ssize_t size = write(outfile->file, outfile->buffer + done, outfile->used - done);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            int error = errno;
            memmove(outfile->buffer, outfile->buffer + done, outfile->used - done);
            outfile->used -= done;
            return fault_is(ret_fault, error == EPIPE ? REFUSED : BROKEN, FAULT_OUTPUT, "%s: %s",
                            outfile->name, strerror(error));
        }
        done += (size_t)size;
        outfile->written += (uint64_t)size;
    }
    outfile->used = 0;
    return DONE;
}

char *outfile_room(struct outfile *outfile, size_t size, enum outcome *ret_outcome,
                   struct fault *ret_fault)
{
    must(size <= OUTFILE_BUFFER_SIZE);
    if (OUTFILE_BUFFER_SIZE - outfile->used < size) {
        *ret_outcome = outfile_flush(outfile, ret_fault);
        if (*ret_outcome != DONE) {
            return NULL;
        }
    }
    return outfile->buffer + outfile->used;
}

void outfile_add(struct outfile *outfile, size_t size)
{
    outfile->used += size;
    must(outfile->used <= OUTFILE_BUFFER_SIZE);
}

enum outcome outfile_close(struct outfile *outfile, struct fault *ret_fault)
{
    if (outfile->file == STDOUT_FILENO) {
        return DONE;
    }
    if (close(outfile->file) != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_OUTPUT, "%s: %s", outfile->name, strerror(errno));
    }
    return DONE;
}
