#include "cmd/demo.h"

#include "journal/journal.h"
#include "os/disk.h"
#include "os/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_DIRECTORY DEMO_DIRECTORY "/data/journal"
#define OUTPUT DEMO_DIRECTORY "/run.log"

enum { FRAME_SIZE_MAX = 1024 * 1024 };

static enum outcome no_child(const char *what, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "%s: %s", what, strerror(errno));
}

/* In the child: become `payonce run`, with its words kept in a file. */
static _Noreturn void become_run(const char *config)
{
    int output = open(OUTPUT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (output < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
        _exit(74);
    }
    (void)execl("/proc/self/exe", "payonce", "run", "--until-caught-up", "-c", config,
                (char *)NULL);
    _exit(70);
}

static enum outcome start(const char *config, pid_t *ret_child, struct fault *ret_fault)
{
    (void)fflush(stdout);
    *ret_child = fork();
    if (*ret_child < 0) {
        return no_child("fork", ret_fault);
    }
    if (*ret_child == 0) {
        become_run(config);
    }
    return DONE;
}

/* Where the newest sealed epoch stands. Looked at while its owner does not move. */
static void look_at_journal(struct demo_crash *ret_seen, void *memory, size_t size)
{
    static const struct journal_settings settings_of = {.segment_size = FRAME_SIZE_MAX};
    struct disk_posix disk;
    struct journal journal = {0};
    struct fault fault;

    *ret_seen = (struct demo_crash){0};
    if (disk_posix_open(&disk, JOURNAL_DIRECTORY, &fault) != DONE) {
        return; /* Not there yet. */
    }
    memset(memory, 0, journal_memory_size(DISK_BLOCK));
    if (journal_open(&journal, &disk.disk, &settings_of, memory, size / 2, &fault) == DONE) {
        struct journal_place place = {.epoch = journal.last_epoch,
                                      .file = -1,
                                      .buffer = (uint8_t *)memory + size / 2,
                                      .buffer_size = size / 2};
        struct epoch epoch;
        if (journal.last_epoch > 0 &&
            journal_read(&journal, &place, JOURNAL_DECISIONS, &epoch, &fault) == DONE &&
            epoch.range_count > 0) {
            ret_seen->epoch = epoch.number;
            ret_seen->messages = epoch.ranges[0].next - 1;
        }
        journal_place_close(&journal, &place);
        journal_close(&journal);
    }
    disk_posix_close(&disk);
}

static enum outcome ended_early(int status, struct fault *ret_fault)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return LATER; /* It was done before we came. */
    }
    (void)fault_is(ret_fault, BROKEN, FAULT_BUG, "payonce run ended with %s %d",
                   WIFEXITED(status) ? "exit code" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    fault_next(ret_fault, "look into %s", OUTPUT);
    return BROKEN;
}

/* Let it run in short slices, look where it is, and kill it once it is far enough. */
static enum outcome kill_at(pid_t child, uint64_t target, int64_t slice_ns, void *memory,
                            size_t size, struct demo_crash *ret_crash, struct fault *ret_fault)
{
    const struct timespec slice = {.tv_nsec = slice_ns};
    int status;

    for (;;) {
        (void)nanosleep(&slice, NULL);
        (void)kill(child, SIGSTOP);
        if (waitpid(child, &status, WUNTRACED) != child) {
            return no_child("waitpid", ret_fault);
        }
        if (!WIFSTOPPED(status)) {
            return ended_early(status, ret_fault);
        }
        look_at_journal(ret_crash, memory, size);
        if (ret_crash->messages >= target) {
            break;
        }
        (void)kill(child, SIGCONT);
    }
    (void)kill(child, SIGKILL);
    if (waitpid(child, &status, 0) != child) {
        return no_child("waitpid", ret_fault);
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? DONE
                                                              : ended_early(status, ret_fault);
}

enum outcome demo_crash(const char *config, uint64_t lines, int64_t slice_ns,
                        struct demo_crash crashes[DEMO_CRASHES], struct fault *ret_fault)
{
    size_t size = 2 * journal_memory_size(FRAME_SIZE_MAX) + DISK_BLOCK;
    void *memory;
    enum outcome outcome = memory_reserve(size, &memory, ret_fault);
    uint64_t before = 0;

    for (uint64_t index = 0; outcome == DONE && index < DEMO_CRASHES; index++) {
        uint64_t target = lines * (index + 1) / (DEMO_CRASHES + 1);
        pid_t child;
        /* Each crash comes after more work than the one before. */
        target = target > before ? target : before + 1;
        outcome = start(config, &child, ret_fault);
        if (outcome == DONE) {
            outcome = kill_at(child, target, slice_ns, memory, size, &crashes[index], ret_fault);
        }
        before = crashes[index].messages;
        if (outcome == DONE && before >= lines) {
            outcome = LATER; /* Nothing was left to do: that was no crash. */
        }
    }
    memory_release(memory, size);
    return outcome;
}

enum outcome demo_finish(const char *config, struct fault *ret_fault)
{
    pid_t child;
    int status;
    enum outcome outcome = start(config, &child, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (waitpid(child, &status, 0) != child) {
        return no_child("waitpid", ret_fault);
    }
    return ended_early(status, ret_fault) == LATER ? DONE : BROKEN;
}
