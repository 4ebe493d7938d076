#include "test/owner_check.h"

#include "test/transact_double.h"
#include "test/unit.h"

#include <stdlib.h>

enum { STEPS_MAX = 3000 };

void owner_finish(struct owner *owner)
{
    for (size_t steps = 0; owner_step(owner); steps++) {
        assert_true(steps < STEPS_MAX);
    }
    assert_false(owner->over);
}

static uint64_t seq_of(const struct double_record *record)
{
    char text[DOUBLE_VALUE_SIZE + 1];

    memcpy(text, record->value, record->value_size);
    text[record->value_size] = '\0';
    const char *at = strstr(text, "\"seq\":");
    assert_non_null(at);
    return strtoull(at + 6, NULL, 10);
}

/* Which topic of the double's is this? They are numbered as they were met. */
static bool is_of(const struct double_record *record, enum table table)
{
    return record->topic == (uint32_t)table;
}

void owner_check_all(const struct owner *owner)
{
    for (enum table table = TABLE_TRANSACTIONS; table < TABLE_COUNT; table++) {
        uint64_t next = 1;
        for (size_t index = 0; index < double_record_count(); index++) {
            uint64_t seq = seq_of(double_record(index));
            if (!is_of(double_record(index), table)) {
                continue;
            }
            if (table == TABLE_METRICS) {
                assert_true(seq >= next);
                next = seq + 1;
            } else {
                assert_int_equal(seq, next++);
            }
        }
        assert_int_equal(next, owner->sample->seq_next[table]);
    }
}
