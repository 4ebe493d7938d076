#include "pay/table.h"
#include "test/unit.h"

static uint8_t bytes[ROW_SIZE_MAX];

static struct row sample(void)
{
    return (struct row){
        .table = TABLE_DUPLICATES,
        .number_count = 3,
        .text_count = 3,
        .numbers = {1, NUMBER_NULL, -5},
        .texts = {{"abc-123", 7}, {NULL, 0}, {"", 0}},
    };
}

static void reads_back_what_it_wrote(void **state)
{
    struct row row = sample();
    struct row again;
    size_t size = row_write(&row, bytes);

    assert_int_equal(size % 8, 0);
    assert_int_equal(row_read((struct span){bytes, size}, &again), size);
    assert_int_equal(again.table, TABLE_DUPLICATES);
    assert_int_equal(again.numbers[1], NUMBER_NULL);
    assert_int_equal(again.numbers[2], -5);
    assert_memory_equal(again.texts[0].at, "abc-123", 7);
    assert_null(again.texts[1].at);
    assert_non_null(again.texts[2].at);
    assert_int_equal(again.texts[2].size, 0);
}

static void refuses_a_row_that_is_cut_or_lies_about_its_size(void **state)
{
    struct row row = sample();
    struct row again;
    size_t size = row_write(&row, bytes);

    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(row_read((struct span){bytes, cut}, &again), 0);
    }
    for (size_t byte = 0; byte < 8; byte++) {
        uint8_t before = bytes[byte];
        bytes[byte] = 0xff;
        assert_int_equal(row_read((struct span){bytes, byte == 7 ? 0 : size}, &again), 0);
        bytes[byte] = before;
    }
    bytes[8 + 3 * 8] = 0xf0; /* A text longer than the row. */
    assert_int_equal(row_read((struct span){bytes, size}, &again), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(refuses_a_row_that_is_cut_or_lies_about_its_size),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
