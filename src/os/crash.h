/*
 * crash: die here, if a test asked for it.
 *
 * PAYONCE_CRASH_AT=<point>:<nth> ends the process by SIGKILL at the nth passing of the named
 * point. Test builds only (-Dcrash_points=true); elsewhere the call is nothing at all.
 */
#ifndef OS_CRASH_H
#define OS_CRASH_H

#ifdef PAYONCE_CRASH_POINTS
void crash_point(const char *point);
#else
static inline void crash_point(const char *point)
{
    (void)point;
}
#endif

#endif
