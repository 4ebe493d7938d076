/*
 * shifted_clock: a program's own clock is wrong; that of the libraries it loads is right.
 *
 * LD_PRELOAD it with SHIFT_MS set. Only calls out of the program's own file are shifted: others
 * wait until times of day, which the kernel knows better.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long shift_ms(const void *caller)
{
    const char *text = getenv("SHIFT_MS");
    Dl_info where;

    if (text == NULL || dladdr(caller, &where) == 0 || where.dli_fname == NULL) {
        return 0;
    }
    const char *slash = strrchr(where.dli_fname, '/');
    return strcmp(slash == NULL ? where.dli_fname : slash + 1, "payonce") == 0
               ? strtoll(text, NULL, 10)
               : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    long result = syscall(SYS_clock_gettime, clock, ret_time);

    if (result == 0 && clock == CLOCK_REALTIME) {
        ret_time->tv_sec += shift_ms(__builtin_return_address(0)) / 1000;
    }
    return (int)result;
}
