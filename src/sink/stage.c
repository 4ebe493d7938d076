#include "sink/stage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void stage_path(const struct stage *stage, const char *name, char ret_path[128])
{
    (void)snprintf(ret_path, 128, "%s/%s", stage->directory, name);
}

struct stage *stage_make(void)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    const char *base = getenv("TMPDIR");
    char path[128];

    must(stage != NULL);
    (void)snprintf(stage->directory, sizeof(stage->directory), "%.40s/payonce-sink.XXXXXX",
                   base == NULL || strlen(base) > 40 ? "/tmp" : base);
    must(mkdtemp(stage->directory) != NULL);
    stage_path(stage, "payments.db", path);
    sample_settings(&stage->settings, path);
    sample_init(&stage->sample);
    for (size_t index = 0; index < STAGE_EPOCHS; index++) {
        sample_epoch_init(&stage->epochs[index], STAGE_ROWS);
    }
    return stage;
}

struct stage *stage_open(int64_t part_rows)
{
    struct stage *stage = stage_make();

    if (part_rows > 0) {
        stage->settings.part_rows = part_rows;
    }
    must(stage_open_sink(stage) == DONE);
    must(sink_begin(stage->sink, stage->sample.journal_id, &stage->sample.rules, &stage->fault) ==
         DONE);
    return stage;
}

enum outcome stage_open_sink(struct stage *stage)
{
    must(stage->sqlite == NULL);
    stage->sqlite = calloc(1, sizeof(*stage->sqlite));
    must(stage->sqlite != NULL);
    stage->sink = &stage->sqlite->sink;
    enum outcome outcome =
        sink_open(stage->sink, sink_type_named("sqlite"), &stage->settings, &stage->fault);
    if (outcome != DONE) {
        free(stage->sqlite);
        stage->sqlite = NULL;
    }
    return outcome;
}

void stage_close_sink(struct stage *stage)
{
    if (stage->sqlite != NULL) {
        sink_close(stage->sink);
        free(stage->sqlite);
        stage->sqlite = NULL;
    }
}

void stage_close(struct stage *stage)
{
    struct dirent *entry;
    DIR *directory;

    stage_close_sink(stage);
    directory = opendir(stage->directory);
    must(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        char path[340];
        (void)snprintf(path, sizeof(path), "%s/%s", stage->directory, entry->d_name);
        if (entry->d_name[0] != '.') {
            (void)unlink(path);
        }
    }
    (void)closedir(directory);
    (void)rmdir(stage->directory);
    for (size_t index = 0; index < STAGE_EPOCHS; index++) {
        sample_epoch_free(&stage->epochs[index]);
    }
    free(stage);
}

enum outcome stage_deliver(struct stage *stage, size_t first, size_t count)
{
    const struct epoch *epochs[STAGE_EPOCHS];

    for (size_t index = 0; index < count; index++) {
        epochs[index] = &stage->epochs[first + index].epoch;
    }
    return sample_deliver(&stage->sample, stage->sink, epochs, count, &stage->fault);
}

void stage_add(struct stage *stage, size_t count)
{
    sample_fill(&stage->sample, &stage->epochs[0], count);
    must(stage_deliver(stage, 0, 1) == DONE);
}

static void take_answer(struct stage *stage, sqlite3_stmt *statement)
{
    size_t size = 0;

    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *text = (const char *)sqlite3_column_text(statement, column);
            (void)snprintf(stage->answer + size, sizeof(stage->answer) - size, "%s%s",
                           size == 0 ? "" : "|", text == NULL ? "-" : text);
            size = strlen(stage->answer);
        }
    }
}

const char *stage_ask(struct stage *stage, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;

    must(sqlite3_open(stage->settings.path, &database) == SQLITE_OK);
    stage->answer[0] = '\0';
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK) {
        take_answer(stage, statement);
    }
    bool failed = sqlite3_finalize(statement) != SQLITE_OK || statement == NULL;
    if (failed) {
        (void)snprintf(stage->answer, sizeof(stage->answer), "error: %s", sqlite3_errmsg(database));
    }
    (void)sqlite3_close(database);
    return stage->answer;
}

void stage_copy(struct stage *stage, const char *from, const char *to)
{
    char paths[2][128];
    char bytes[4096];
    size_t size;

    stage_path(stage, from, paths[0]);
    stage_path(stage, to, paths[1]);
    FILE *source = fopen(paths[0], "rb");
    FILE *target = fopen(paths[1], "wb");
    must(source != NULL);
    must(target != NULL);
    while ((size = fread(bytes, 1, sizeof(bytes), source)) > 0) {
        must(fwrite(bytes, 1, size, target) == size);
    }
    (void)fclose(source);
    must(fclose(target) == 0);
}
