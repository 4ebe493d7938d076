#include "cmd/open_files.h"

#include <sys/resource.h>

/*
 * OWN: beside the input: journal, ledger, followers with their logs and indexes, lock, connections.
 * WANTED: for as many files as a configuration can name, and some room; more helps nobody.
 */
enum { OPEN_FILES_OWN = 128, OPEN_FILES_WANTED = 4096 };

void open_files_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < OPEN_FILES_WANTED) {
        limit.rlim_cur = limit.rlim_max < OPEN_FILES_WANTED ? limit.rlim_max : OPEN_FILES_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

enum outcome open_files_fit(size_t paths, struct fault *ret_fault)
{
    struct rlimit limit;

    if (paths <= 1 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur >= paths + OPEN_FILES_OWN) {
        return DONE;
    }
    (void)fault_is(ret_fault, BROKEN, FAULT_CONFIG_RANGE,
                   "%zu input files and %d files of its own are more than the %llu that this "
                   "process may have open",
                   paths, OPEN_FILES_OWN, (unsigned long long)limit.rlim_cur);
    fault_next(ret_fault,
               "allow it %zu (ulimit -n %zu; of a service LimitNOFILE=%zu), or name "
               "fewer files",
               paths + OPEN_FILES_OWN, paths + OPEN_FILES_OWN, paths + OPEN_FILES_OWN);
    return BROKEN;
}
