#include "cmd/progress.h"

#include "cmd/quantity.h"
#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { EVERY_NS = 200 * 1000 * 1000 };

void progress_init(struct progress *progress, const char *what, bool quiet)
{
    *progress = (struct progress){.what = what,
                                  .shown = !quiet && isatty(STDERR_FILENO) == 1,
                                  .last_ns = clock_steady_ns(&clock_real)};
}

void progress_say(struct progress *progress, uint64_t done, uint64_t total)
{
    char texts[2][QUANTITY_TEXT_SIZE];
    int64_t now_ns = progress->shown ? clock_steady_ns(&clock_real) : 0;

    if (!progress->shown || now_ns - progress->last_ns < EVERY_NS) {
        return;
    }
    progress->last_ns = now_ns;
    progress->drawn = true;
    quantity_say(QUANTITY_COUNT, (int64_t)done, texts[0]);
    quantity_say(QUANTITY_COUNT, (int64_t)total, texts[1]);
    if (total == 0) {
        (void)fprintf(stderr, "\r\033[K%s  %s", progress->what, texts[0]);
    } else {
        uint64_t percent = done >= total ? 100 : done / (total / 100 + 1);
        (void)fprintf(stderr, "\r\033[K%s  %s of %s  %u %%", progress->what, texts[0], texts[1],
                      (unsigned)percent);
    }
    (void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->drawn) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        progress->drawn = false;
    }
}
