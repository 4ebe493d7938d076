#include "test/unit.h"

#include "os/clock.h"
#include "test/kafka/transact_place.h"

#include <stdlib.h>
#include <time.h>

enum { SECOND_MS = 1000, OPENINGS_MAX = 8 };

struct place *place_make(const char *brokers)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    if (brokers == NULL) {
        assert_true(topic_brokers(&brokers));
    }
    topic_create(&place->topic, PLACE_PARTITIONS);
    place->made_ms = clock_wall_ms(&clock_real);
    place->client = (struct kafka_settings){.brokers = brokers, .client_id = "payonce-test"};
    return place;
}

void place_end(struct place *place)
{
    topic_close(&place->topic);
    free(place);
}

enum outcome place_open(struct place *place, bool writes)
{
    const struct kafka_transactor_settings settings = {
        .client = place->client,
        .transactional_id = writes ? place->topic.name : NULL,
        .group = place->topic.name,
    };
    uint32_t number;

    assert_int_equal(kafka_transactor_open(&settings, &place->transactor, &place->fault), DONE);
    return kafka_transactor_topic(place->transactor, place->topic.name, &number, &place->fault);
}

enum outcome place_read_cursor(struct place *place)
{
    return kafka_transactor_read(place->transactor, 0, &place->cursor, &place->fault);
}

void place_let_go(struct place *place)
{
    assert_true(kafka_transactor_close(place->transactor));
    place->transactor = NULL;
}

/* What is in the way for a moment, or an answer that did not come in time, is asked for again. */
static void read_cursor(struct place *place)
{
    enum outcome outcome = LATER;

    for (int patience = OPENINGS_MAX; outcome == LATER && patience > 0; patience--) {
        outcome = place_read_cursor(place);
    }
    assert_int_equal(outcome, DONE);
}

/* Look, fence, look again; what hangs there is waited for. */
void place_take_over(struct place *place)
{
    enum outcome outcome = LATER;

    assert_int_equal(place_open(place, true), DONE);
    for (int patience = OPENINGS_MAX; outcome == LATER && patience > 0; patience--) {
        outcome = kafka_transactor_fence(place->transactor, &place->fault);
    }
    assert_int_equal(outcome, DONE);
    read_cursor(place);
}

void place_write(struct place *place, const char *word)
{
    char key[COMMITTED_TEXT_SIZE];
    char value[COMMITTED_TEXT_SIZE];

    for (int index = 0; index < PLACE_ROWS; index++) {
        size_t key_size = (size_t)snprintf(key, sizeof(key), "%s-%d", word, index);
        size_t size = (size_t)snprintf(value, sizeof(value), "%s-value-%d", word, index);
        const struct kafka_header headers[] = {{"first", {word, strlen(word)}},
                                               {"second", {"2", 1}}};
        const struct kafka_outgoing record = {.stamp_ms = place->made_ms + index,
                                              .key = {key, key_size},
                                              .value = {value, size},
                                              .headers = headers,
                                              .header_count = 2};
        kafka_transactor_write(place->transactor, &record);
    }
}

enum kafka_end place_finish(struct place *place, uint64_t offset, const char *text)
{
    return kafka_transactor_end(place->transactor, 0, offset, text, &place->outcome, &place->fault);
}

enum kafka_end place_deliver(struct place *place, const char *word, uint64_t offset)
{
    kafka_transactor_begin(place->transactor);
    place_write(place, word);
    return place_finish(place, offset, word);
}

size_t place_see(struct place *place)
{
    return committed_read(place->topic.name, PLACE_PARTITIONS, place->seen, PLACE_SEEN_MAX);
}

void place_assert_cursor(struct place *place, uint64_t offset, const char *text)
{
    read_cursor(place);
    assert_true(place->cursor.exists);
    assert_int_equal(place->cursor.offset, offset);
    assert_string_equal(place->cursor.text, text);
}

void place_nap(int ms)
{
    const struct timespec span = {ms / SECOND_MS, (ms % SECOND_MS) * 1000000L};

    (void)nanosleep(&span, NULL);
}
