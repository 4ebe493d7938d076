/*
 * engine_place: a directory with inputs, a data_dir and a SQLite ledger, and the engine run in it.
 *
 * For tests of the whole machine. There is one place at a time.
 */
#ifndef TEST_ENGINE_PLACE_H
#define TEST_ENGINE_PLACE_H

#include "engine/engine.h"

/* A directory of its own for each test, with a configuration for it. */
struct place {
    char path[256];
    char inputs[3][300];
    const char *paths[3];
    struct engine_settings settings;
    struct engine *engine;
    struct fault fault;
    char events[64 * 1024]; /* "name text\n" each. */
};

extern struct place place;

/* Whoever waits looks so often, each time for some 10 ms: what does not come about fails, and a
 * machine that is slow or busy does not. */
enum { PLACE_LOOKS = 12000 };

/* A new directory, and settings that read so many files of it to their end. */
void place_make(size_t input_count);
void place_remove(void);

/* Run a line of shell in it; it must go well. */
void in_place(const char *command);

/* Payments number first to last, so far apart, one dollar each; every tenth comes twice. */
void write_apart(size_t input, int first, int last, int apart_s);
void write_payments(size_t input, int first, int last);

/* Keep what is told in place.events until nothing more comes within the time. */
void note_events(int64_t timeout_ms);

/* Until the engine has ended (or long enough). */
enum engine_end wait_for_end(void);

/* Start, wait, close. */
enum engine_end run(void);

/* What the ledger says: how many messages got this verdict. */
uint64_t counted(uint8_t tally);

#endif
