/*
 * sqlite: how many rows a second the SQLite sink takes, beside the bare inserts.
 *
 * The reference writes the same rows into the same tables with the same settings of SQLite: ten
 * rows an INSERT, 50,000 a transaction, parts of 500,000 rows, each indexed when it is full. The
 * sink does that and the rest: the compare-and-set, cursors, totals, epochs, views. The making of
 * the rows is not measured. Afterwards: ids looked up at random, as anybody would with SQL.
 *
 * usage: sqlite [ROWS] [DIRECTORY]     1,000,000 rows in the working directory by default
 */
#include "sink/sample.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    EPOCH_ROWS = 10000,
    EPOCHS = 5, /* In one transaction. */
    PART_ROWS = 500000,
    VALUES_ROWS = 10,
    COLUMNS = 24,
    LOOKUPS = 1000,
};

static const char columns_sql[] =
    "seq INTEGER PRIMARY KEY, transaction_id TEXT, sender_account_id TEXT,"
    " receiver_account_id TEXT, amount TEXT, amount_units INTEGER, amount_scale INTEGER,"
    " currency TEXT, event_time INTEGER, region TEXT, payment_method TEXT, status TEXT,"
    " device_id TEXT, ip_address TEXT, fraud_score INTEGER, is_high_risk INTEGER,"
    " velocity_60s INTEGER, count_5m INTEGER, look_alike_of TEXT, source INTEGER,"
    " source_offset INTEGER, epoch INTEGER, arrival_time INTEGER";

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The id of the n-th payment: a UUID that looks random. */
static void id_of(uint64_t number, char ret_id[40])
{
    uint64_t high = number * UINT64_C(0x9e3779b97f4a7c15);
    high = (high ^ (high >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
    uint64_t low = (high ^ (high >> 29)) * UINT64_C(0x94d049bb133111eb);
    (void)snprintf(ret_id, 40, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(high >> 32),
                   (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff), (unsigned)(low >> 48),
                   low & UINT64_C(0xffffffffffff));
}

static void make_epoch(struct sample *sample, struct sample_epoch *epoch)
{
    sample_begin(sample, epoch);
    for (size_t row = 0; row < EPOCH_ROWS; row++) {
        char id[40];
        id_of(sample->seq_next[TABLE_TRANSACTIONS], id);
        sample_accept(sample, epoch, row % SAMPLE_SOURCES, id, "1234.56");
    }
    sample_end(sample, epoch);
}

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "sqlite: %s: %s\n", what, why);
    exit(1);
}

static void run(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail(sql, sqlite3_errmsg(database));
    }
}

struct reference {
    sqlite3 *database;
    sqlite3_stmt *insert;
    uint64_t part;
    int waiting;
};

static void reference_part(struct reference *reference, uint64_t part)
{
    char sql[2048];
    int size;

    (void)sqlite3_finalize(reference->insert);
    if (reference->part > 0) {
        (void)snprintf(sql, sizeof(sql),
                       "CREATE INDEX p%" PRIu64 "_id ON p%" PRIu64 " (transaction_id)",
                       reference->part, reference->part);
        run(reference->database, sql);
    }
    reference->part = part;
    (void)snprintf(sql, sizeof(sql), "CREATE TABLE p%" PRIu64 " (%s)", part, columns_sql);
    run(reference->database, sql);
    size = snprintf(sql, sizeof(sql), "INSERT INTO p%" PRIu64 " VALUES ", part);
    for (int row = 0; row < VALUES_ROWS; row++) {
        size += snprintf(sql + size, sizeof(sql) - (size_t)size,
                         "%s(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", row == 0 ? "" : ",");
    }
    if (sqlite3_prepare_v2(reference->database, sql, -1, &reference->insert, NULL) != SQLITE_OK) {
        fail(sql, sqlite3_errmsg(reference->database));
    }
}

static void reference_row(struct reference *reference, const struct row *row, uint64_t epoch)
{
    sqlite3_stmt *insert = reference->insert;
    int place = reference->waiting * (COLUMNS - 1);
    static const int numbers[] = {TRANSACTION_FRAUD_SCORE, TRANSACTION_HIGH_RISK,
                                  TRANSACTION_VELOCITY_60S, TRANSACTION_COUNT_5M};

    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_SEQ]);
    for (int text = TRANSACTION_ID; text <= TRANSACTION_AMOUNT; text++) {
        sqlite3_bind_text(insert, ++place, row->texts[text].at, (int)row->texts[text].size, NULL);
    }
    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_UNITS]);
    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_SCALE]);
    sqlite3_bind_text(insert, ++place, row->texts[TRANSACTION_CURRENCY].at, 3, NULL);
    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_EVENT_MS]);
    for (int text = TRANSACTION_CARRY; text < TRANSACTION_CARRY + SAMPLE_CARRY; text++) {
        sqlite3_bind_text(insert, ++place, row->texts[text].at, (int)row->texts[text].size, NULL);
    }
    for (size_t number = 0; number < 4; number++) {
        sqlite3_bind_int64(insert, ++place, row->numbers[numbers[number]]);
    }
    sqlite3_bind_null(insert, ++place);
    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_SOURCE]);
    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_OFFSET]);
    sqlite3_bind_int64(insert, ++place, (int64_t)epoch);
    sqlite3_bind_int64(insert, ++place, row->numbers[TRANSACTION_ARRIVAL_MS]);
    if (++reference->waiting == VALUES_ROWS) {
        if (sqlite3_step(insert) != SQLITE_DONE) {
            fail("insert", sqlite3_errmsg(reference->database));
        }
        sqlite3_reset(insert);
        reference->waiting = 0;
    }
}

static void reference_epoch(struct reference *reference, const struct epoch *epoch)
{
    struct span left = {epoch->rows.at, epoch->rows.size};
    struct row row;

    while (left.size > 0) {
        size_t size = row_read(left, &row);
        uint64_t part = ((uint64_t)row.numbers[TRANSACTION_SEQ] - 1) / PART_ROWS + 1;
        if (part != reference->part) {
            reference_part(reference, part);
        }
        reference_row(reference, &row, epoch->number);
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
}

static void remove_files(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[1100];

    for (size_t index = 0; index < 3; index++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[index]);
        (void)unlink(name);
    }
}

static void measure_reference(const char *path, uint64_t row_count, struct sample_epoch *epochs)
{
    struct reference reference = {NULL, NULL, 0, 0};
    struct sample sample;
    double taken = 0;
    double cpu = 0;

    remove_files(path);
    sample_init(&sample);
    if (sqlite3_open(path, &reference.database) != SQLITE_OK) {
        fail(path, "cannot be opened");
    }
    run(reference.database, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL;"
                            "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
                            "PRAGMA wal_autocheckpoint = 1024");
    for (uint64_t rows = 0; rows < row_count; rows += (uint64_t)EPOCHS * EPOCH_ROWS) {
        for (size_t index = 0; index < EPOCHS; index++) {
            make_epoch(&sample, &epochs[index]);
        }
        double start = seconds();
        double cpu_start = cpu_seconds();
        run(reference.database, "BEGIN IMMEDIATE");
        for (size_t index = 0; index < EPOCHS; index++) {
            reference_epoch(&reference, &epochs[index].epoch);
        }
        run(reference.database, "COMMIT");
        taken += seconds() - start;
        cpu += cpu_seconds() - cpu_start;
    }
    sqlite3_finalize(reference.insert);
    sqlite3_close(reference.database);
    (void)printf("bare inserts     %9.0f rows/s, %.0f ns CPU a row\n", (double)row_count / taken,
                 cpu * 1e9 / (double)row_count);
    remove_files(path);
}

/* Ids of the rows from `first` on, by plain SQL on the view. */
static void measure_lookups(const char *path, uint64_t row_count, uint64_t first, const char *which,
                            uint64_t lookups)
{
    sqlite3 *database;
    sqlite3_stmt *select;
    uint64_t found = 0;

    if (sqlite3_open(path, &database) != SQLITE_OK ||
        sqlite3_prepare_v2(database, "SELECT * FROM payment_transactions WHERE transaction_id = ?",
                           -1, &select, NULL) != SQLITE_OK) {
        fail("look-up", sqlite3_errmsg(database));
    }
    double start = seconds();
    for (uint64_t lookup = 0; lookup < lookups; lookup++) {
        char id[40];
        id_of(first + lookup * UINT64_C(7919) % (row_count - first) + 1, id);
        sqlite3_bind_text(select, 1, id, -1, SQLITE_STATIC);
        while (sqlite3_step(select) == SQLITE_ROW) {
            found++;
        }
        sqlite3_reset(select);
    }
    (void)printf("look-up %-16s %.3f ms (%" PRIu64 " of %" PRIu64 " found)\n", which,
                 (seconds() - start) * 1000 / (double)lookups, found, lookups);
    sqlite3_finalize(select);
    sqlite3_close(database);
}

static void deliver_all(struct sink *sink, struct sample *sample, uint64_t row_count,
                        struct sample_epoch *epochs)
{
    const struct epoch *pointers[EPOCHS];
    struct fault fault;
    double taken = 0;
    double cpu = 0;
    double longest = 0;

    for (uint64_t rows = 0; rows < row_count; rows += (uint64_t)EPOCHS * EPOCH_ROWS) {
        for (size_t index = 0; index < EPOCHS; index++) {
            make_epoch(sample, &epochs[index]);
            pointers[index] = &epochs[index].epoch;
        }
        double start = seconds();
        double cpu_start = cpu_seconds();
        if (sample_deliver(sample, sink, pointers, EPOCHS, &fault) != DONE) {
            fail("deliver", fault.text);
        }
        double one = seconds() - start;
        taken += one;
        cpu += cpu_seconds() - cpu_start;
        longest = one > longest ? one : longest;
    }
    (void)printf("sink_deliver     %9.0f rows/s, %.0f ns CPU a row, longest delivery %.0f ms\n",
                 (double)row_count / taken, cpu * 1e9 / (double)row_count, longest * 1000);
}

static void measure_sink(const char *path, uint64_t row_count, struct sample_epoch *epochs)
{
    const struct sink_type *type = sink_type_named("sqlite");
    struct sink *sink = calloc(1, type->size);
    struct sink_settings settings;
    struct sample sample;
    struct fault fault;

    remove_files(path);
    sample_init(&sample);
    sample_settings(&settings, path);
    if (sink == NULL || sink_open(sink, type, &settings, &fault) != DONE ||
        sink_begin(sink, 1, &sample.rules, &fault) != DONE) {
        fail("open", fault.text);
    }
    deliver_all(sink, &sample, row_count, epochs);
    if (row_count % PART_ROWS != 0) {
        measure_lookups(path, row_count, row_count - row_count % PART_ROWS, "in the open part", 20);
    }
    double start = seconds();
    sink_close(sink);
    (void)printf("the close        %9.0f ms\n", (seconds() - start) * 1000);
    measure_lookups(path, row_count, 0, "by id", LOOKUPS);
    free(sink);
    remove_files(path);
}

int main(int count, char **arguments)
{
    uint64_t row_count = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    const char *directory = count > 2 ? arguments[2] : ".";
    struct sample_epoch epochs[EPOCHS];
    char path[1050];

    (void)snprintf(path, sizeof(path), "%s/bench-sqlite.db", directory);
    row_count -= row_count % ((uint64_t)EPOCHS * EPOCH_ROWS);
    if (row_count == 0) {
        fail(count > 1 ? arguments[1] : "", "at least 50000 rows");
    }
    for (size_t index = 0; index < EPOCHS; index++) {
        sample_epoch_init(&epochs[index], EPOCH_ROWS);
    }
    measure_reference(path, row_count, epochs);
    measure_sink(path, row_count, epochs);
    for (size_t index = 0; index < EPOCHS; index++) {
        sample_epoch_free(&epochs[index]);
    }
    return 0;
}
