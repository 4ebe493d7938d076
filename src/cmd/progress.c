#include "cmd/progress.h"

#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

/* How long it will take is guessed once so much has passed, of the time and of the way. */
enum { EVERY_NS = 200 * 1000 * 1000, GUESS_AFTER_MS = 2000, GUESS_PERMILLE = 20 };

void progress_init(struct progress *progress, const char *what, bool quiet)
{
    *progress = (struct progress){.what = what,
                                  .shown = !quiet && isatty(STDERR_FILENO) == 1,
                                  .began_ns = clock_steady_ns(&clock_real)};
    progress->last_ns = progress->began_ns;
}

/* ", 2 min left", as if it went on like this. */
static void say_left(uint64_t permille, int64_t passed_ms)
{
    char left[QUANTITY_TEXT_SIZE];

    if (passed_ms >= GUESS_AFTER_MS && permille >= GUESS_PERMILLE && permille < 1000) {
        int64_t seconds = passed_ms * (int64_t)(1000 - permille) / (int64_t)permille / 1000 + 1;
        quantity_say(QUANTITY_DURATION, seconds * 1000, left);
        (void)fprintf(stderr, ", %s left", left);
    }
}

void progress_say(struct progress *progress, enum quantity kind, uint64_t done, uint64_t total)
{
    char texts[2][QUANTITY_TEXT_SIZE];
    int64_t now_ns = progress->shown ? clock_steady_ns(&clock_real) : 0;

    if (!progress->shown || now_ns - progress->last_ns < EVERY_NS) {
        return;
    }
    progress->last_ns = now_ns;
    progress->drawn = true;
    quantity_say(kind, (int64_t)done, texts[0]);
    quantity_say(kind, (int64_t)total, texts[1]);
    if (total == 0) {
        (void)fprintf(stderr, "\r\033[K%s  %s", progress->what, texts[0]);
    } else {
        uint64_t permille = done >= total               ? 1000
                            : total > UINT64_MAX / 1000 ? done / (total / 1000)
                                                        : done * 1000 / total;
        (void)fprintf(stderr, "\r\033[K%s  %s of %s  %u %%", progress->what, texts[0], texts[1],
                      (unsigned)(permille / 10));
        say_left(permille, (now_ns - progress->began_ns) / 1000000);
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
