#include "sink/sink_sqlite.h"

#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS = 16 };

bool decision_is_kept(const struct decision *note)
{
    return note->kind == NOTE_GAP || note->kind == NOTE_DECISION;
}

static enum outcome no_ruling(struct sqlite_sink *sqlite, uint64_t epoch, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "sink \"%s\": epoch %llu holds a decision that says neither what nor who",
                    sqlite->sink.settings.name, (unsigned long long)epoch);
}

/* Of a gap its offsets, of anything else none. */
static void bind_range(sqlite3_stmt *statement, const struct decision *note)
{
    bool gap = note->kind == NOTE_GAP;

    sqlite_bind_number(statement, 4, gap ? (int64_t)note->offset : NUMBER_NULL);
    sqlite_bind_number(statement, 5, gap ? note->event_ms : NUMBER_NULL);
}

enum outcome decision_keep(struct sqlite_sink *sqlite, uint64_t epoch, const struct decision *note,
                           struct fault *ret_fault)
{
    struct ruling ruling;
    sqlite3_stmt *statement;

    if (!ruling_read(note->text, &ruling) || note->source >= sqlite->numbers_count ||
        (ruling.kind == RULING_GAP) != (note->kind == NOTE_GAP)) {
        return no_ruling(sqlite, epoch, ret_fault);
    }
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_DECISION, &statement, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)epoch);
    (void)sqlite3_bind_text(statement, 2, ruling_name(ruling.kind), -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 3, sqlite->numbers[note->source]);
    bind_range(statement, note);
    sqlite_bind_number(statement, 6, note->arrival_ms);
    sqlite_bind_span(statement, 7, ruling.by);
    sqlite_bind_span(statement, 8, ruling.why);
    (void)sqlite3_bind_int64(statement, 9, (int64_t)ruling.id);
    return sqlite_change_one(sqlite, statement, "keeping a decision", ret_fault);
}

static bool read_kind(struct span name, struct ruling *ret_ruling)
{
    for (enum ruling_kind kind = 0; kind < RULING_KINDS; kind++) {
        const char *own = ruling_name(kind);
        if (name.size == strlen(own) && memcmp(name.at, own, name.size) == 0) {
            ret_ruling->kind = kind;
            return true;
        }
    }
    return false;
}

static bool read_id(sqlite3_stmt *statement, int place, struct ruling *ret_ruling)
{
    const char *digits = (const char *)sqlite3_column_text(statement, place);
    char *end = NULL;

    if (digits == NULL || strlen(digits) != ID_DIGITS) {
        return false;
    }
    ret_ruling->id = strtoull(digits, &end, 16);
    return *end == '\0';
}

/* The note's text as it was; false: the row makes no sense. */
static bool take_decision(sqlite3_stmt *statement, size_t source_count,
                          struct sink_decision *ret_decision)
{
    struct ruling ruling = {.by = sqlite_column_span(statement, 7),
                            .why = sqlite_column_span(statement, 8)};
    int64_t source = sqlite_column_number(statement, 3);

    if (!read_kind(sqlite_column_span(statement, 2), &ruling) || ruling.by.size == 0 ||
        !ruling_text_fits(ruling.by, RULING_BY_MAX) ||
        !ruling_text_fits(ruling.why, RULING_WHY_MAX) || !read_id(statement, 9, &ruling) ||
        source < 0 || source >= (int64_t)source_count) {
        return false;
    }
    bool gap = ruling.kind == RULING_GAP;
    ret_decision->note = (struct decision){
        .kind = gap ? NOTE_GAP : NOTE_DECISION,
        .source = (uint16_t)source,
        .offset = gap ? (uint64_t)sqlite3_column_int64(statement, 4) : 0,
        .event_ms = gap ? sqlite3_column_int64(statement, 5) : NUMBER_NULL,
        .arrival_ms = sqlite_column_number(statement, 6),
        .text = {ret_decision->text, ruling_write(&ruling, ret_decision->text)},
    };
    return true;
}

enum outcome sqlite_read_decision(struct sink *sink, uint64_t epoch, uint64_t after,
                                  struct sink_decision *ret_decision, struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    sqlite3_stmt *statement;
    bool row = false;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_READ_DECISION, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)epoch);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)after);
    outcome = sqlite_step(sqlite, statement, "reading a decision", &row, ret_fault);
    if (outcome != DONE || !row) {
        return outcome == DONE ? LATER : outcome;
    }
    ret_decision->number = (uint64_t)sqlite3_column_int64(statement, 0);
    ret_decision->epoch = (uint64_t)sqlite3_column_int64(statement, 1);
    bool sane = take_decision(statement, sqlite->source_count, ret_decision);
    (void)sqlite3_reset(statement);
    return sane ? DONE
                : fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                           "sink \"%s\" (%s): decision %llu makes no sense",
                           sqlite->sink.settings.name, sqlite->sink.settings.path,
                           (unsigned long long)ret_decision->number);
}
