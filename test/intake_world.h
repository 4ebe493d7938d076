/*
 * intake_world: files of random payments, read unevenly, and an intake over them.
 *
 * For the tests of intake. What is read unevenly comes after a while, or later, a little or
 * much at once; the files and their order are real.
 */
#ifndef TEST_INTAKE_WORLD_H
#define TEST_INTAKE_WORLD_H

#include "engine/intake.h"

enum { WORLD_FILES_MAX = 300 };

struct world_file {
    struct source *source;
    uint16_t number;     /* The state's. */
    size_t line_count;   /* As written; may be 0. */
    int64_t *event_ms;   /* Of each line; INSTANT_NONE: it is no payment. */
    unsigned cut_before; /* Somebody cuts the file before this read; 0: nobody does. */
};

struct world {
    struct world_file files[WORLD_FILES_MAX];
    size_t file_count; /* Open. */
    struct state *state;
    struct intake *intake;
    struct fault fault;
};

extern struct world world;

/* cmocka's: once for all tests, and around each. */
int world_set_up(void **unused);
int world_tear_down(void **unused);
int world_clear(void **unused);

void world_path(size_t file, char ret_path[100]);

/* A file of so many lines, some of them no payments, its time going on by leaps and back. */
void world_write(size_t file, size_t line_count, unsigned seed);

/* Until the world is cleared messages are parsed like this, not by the default settings. */
void world_parse_by(const struct parse_settings *settings);

/* Open the first files, none taken from yet. delay_us: at most, 0: read evenly and at once. */
void world_open(size_t file_count, unsigned delay_us, unsigned seed);

/* Standard input alone, in place of files. */
void world_open_stdin(void);

void world_start(unsigned thread_count);

/* The next item that is something; of a payment the newest event is kept, as the state would. */
struct intake_item world_take(void);

/* Stop the intake, close the files. */
void world_stop(void);

#endif
