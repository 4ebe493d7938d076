#include "test/decided_place.h"

#include "test/unit.h"

#include "base/instant.h"

#include <sqlite3.h>

enum { TEXT_SIZE = 1024 };

struct broker broker;
static uint64_t ids;

void decided_make(size_t partition_count)
{
    place_make(0);
    broker_init(&broker, partition_count);
    place.settings.feed_type = &feed_double;
    place.settings.feed_settings = &broker;
    place.settings.rules.idle_after_ms = 200;
    place.settings.feed_look_ms = 100;
}

void decided_unmake(void)
{
    place_remove();
    broker_free(&broker);
}

void pay(size_t partition, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        int64_t event_ms = DECIDED_BASE + (int64_t)broker.partitions[partition].end * 10 +
                           broker.partitions[partition].generation * DECIDED_ANEW_MS;
        broker_pay(&broker, partition, event_ms, INSTANT_NONE);
    }
}

static struct disk_posix open_directory(void)
{
    struct disk_posix disk;
    char path[ENGINE_PATH_MAX + 16];

    (void)snprintf(path, sizeof(path), "%s/decisions", place.settings.data_dir);
    assert_int_equal(disk_posix_open(&disk, path, &place.fault), DONE);
    return disk;
}

static uint64_t decide(const struct decided *decided)
{
    struct disk_posix disk = open_directory();
    struct decided own = *decided;
    uint64_t number = 0;

    own.id = ++ids;
    (void)snprintf(own.by, sizeof(own.by), "Eve");
    (void)snprintf(own.why, sizeof(own.why), "we looked for them");
    assert_int_equal(decisions_add(&disk.disk, &own, &number, &place.fault), DONE);
    disk_posix_close(&disk);
    return number;
}

uint64_t accept_gap(const char *topic, uint32_t partition, uint64_t first, uint64_t last)
{
    struct decided decided = {
        .kind = RULING_GAP, .partition = partition, .first = first, .last = last};

    (void)snprintf(decided.topic, sizeof(decided.topic), "%s", topic);
    return decide(&decided);
}

uint64_t adopt(const char *topic)
{
    struct decided decided = {.kind = RULING_ADOPTION};

    (void)snprintf(decided.topic, sizeof(decided.topic), "%s", topic);
    return decide(&decided);
}

char why[DECISIONS_WHY_SIZE];

enum decisions_fate fate(uint64_t number)
{
    struct disk_posix disk = open_directory();
    enum decisions_fate fate = DECISION_WAITS;

    assert_int_equal(decisions_fate(&disk.disk, number, &fate, why, &place.fault), DONE);
    disk_posix_close(&disk);
    return fate;
}

void start_halts(enum fault_code code)
{
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, code);
}

const char *ask_ledger(const char *query)
{
    static char text[TEXT_SIZE];
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;

    text[0] = '\0';
    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *value = (const char *)sqlite3_column_text(statement, column);
            size_t used = strlen(text);
            (void)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? "|" : "",
                           value == NULL ? "-" : value);
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return text;
}

void balances(void)
{
    assert_string_equal(ask_ledger("SELECT count(*) FROM payonce_cursor c WHERE next - start <> "
                                   "(SELECT coalesce(sum(count), 0) FROM payonce_total t"
                                   " WHERE t.source = c.source)"),
                        "0");
}

void read_then_lose_by_retention(void)
{
    decided_make(2);
    pay(0, 10);
    pay(1, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    pay(1, 20);
    broker_retain(&broker, 1, 15);
    start_halts(FAULT_KAFKA_LOST);
}
