/*
 * stage: one ledger in a directory of its own, and a history for it. For tests only.
 */
#ifndef SINK_STAGE_H
#define SINK_STAGE_H

#include "sink/sample.h"
#include "sink/sink_sqlite.h"

enum { STAGE_EPOCHS = 4, STAGE_ROWS = 4000 };

struct stage {
    char directory[64];
    struct sink_settings settings;
    struct sqlite_sink *sqlite;
    struct sink *sink;
    struct sample sample;
    struct sample_epoch epochs[STAGE_EPOCHS];
    struct fault fault;
    char answer[4096];
};

/* The file, opened and begun, in a new directory under TMPDIR or /tmp. part_rows 0: as usual. */
struct stage *stage_open(int64_t part_rows);
/* The same, not yet opened. */
struct stage *stage_make(void);
/* Close, take everything away, and free. */
void stage_close(struct stage *stage);

MUST_USE enum outcome stage_open_sink(struct stage *stage);
void stage_close_sink(struct stage *stage);

/* Deliver these epochs of the stage in one transaction. */
MUST_USE enum outcome stage_deliver(struct stage *stage, size_t first, size_t count);

/* The next so many accepted payments, delivered; must succeed. */
void stage_add(struct stage *stage, size_t count);

/* What a stranger's SQL answers, from a connection of its own: columns and rows joined by '|'. */
const char *stage_ask(struct stage *stage, const char *sql);

/* Copy the closed ledger's file; names within the directory. */
void stage_copy(struct stage *stage, const char *from, const char *to);
void stage_path(const struct stage *stage, const char *name, char ret_path[128]);

#endif
