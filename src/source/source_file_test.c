#include "source/lines.h"
#include "test/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES_MAX = 512, CAPACITY = 256 * 1024 };

static char directory[] = "source_file_test_XXXXXX";
static char path[100];
static uint8_t bytes[CAPACITY];
static struct source_line lines[LINES_MAX];
static struct source_block block;
static struct source *source;
static struct fault fault;
static const struct fingerprint nothing;

static int set_up(void **state)
{
    source = malloc(source_file.size);
    if (source == NULL || mkdtemp(directory) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/payments", directory);
    return 0;
}

static int tear_down(void **state)
{
    free(source);
    (void)unlink(path);
    return rmdir(directory);
}

static int fresh_block(void **state)
{
    block = (struct source_block){.bytes = bytes,
                                  .capacity = sizeof(bytes),
                                  .target = 4096,
                                  .lines = lines,
                                  .line_capacity = LINES_MAX};
    fault.next[0] = '\0';
    return 0;
}

static void write_at(const char *flags, const void *text, size_t size)
{
    FILE *file = fopen(path, flags);

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *text)
{
    (void)unlink(path);
    write_at("w", text, strlen(text));
}

static void open_file(uint64_t next, const struct fingerprint *fingerprint)
{
    assert_int_equal(source_open(source, &source_file, path, &fault), DONE);
    assert_int_equal(source_assign(source, next, fingerprint, &fault), DONE);
}

/* Read a block, however long its lines are skipped. */
static enum outcome read_block(void)
{
    enum outcome outcome;

    do {
        outcome = source_read(source, &block, &fault);
    } while (outcome == LATER);
    return outcome;
}

/* All the lines from here on, as "offset:text|". */
static const char *read_all(void)
{
    static char told[4000];
    size_t at = 0;

    told[0] = '\0';
    do {
        assert_int_equal(read_block(), DONE);
        for (size_t index = 0; index < block.line_count; index++) {
            at += (size_t)snprintf(told + at, sizeof(told) - at, "%llu:%.*s|",
                                   (unsigned long long)lines[index].offset, (int)lines[index].kept,
                                   (const char *)bytes + lines[index].at);
        }
    } while (!block.ended);
    return told;
}

/* Take this many lines of a file of this text; what is known of it afterwards. */
static struct fingerprint take(const char *text, size_t count)
{
    struct fingerprint fingerprint;

    write_file(text);
    open_file(1, &nothing);
    assert_int_equal(read_block(), DONE);
    assert_true(block.line_count >= count);
    source_fingerprint(source, &lines[count - 1], bytes, &fingerprint);
    source_close(source);
    return fingerprint;
}

static void refused_at(uint64_t next, const struct fingerprint *fingerprint, enum fault_code code,
                       const char *sentence)
{
    assert_int_equal(source_open(source, &source_file, path, &fault), DONE);
    assert_int_equal(source_assign(source, next, fingerprint, &fault), BROKEN);
    assert_int_equal(fault.code, code);
    assert_non_null(strstr(fault.text, sentence));
    source_close(source);
}

static void gives_numbered_lines(void **state)
{
    write_file("{\"a\":1}\n\n{\"b\":2}\r\nlast");
    open_file(1, &nothing);
    assert_string_equal(read_all(), "1:{\"a\":1}|2:|3:{\"b\":2}|4:last|");
    assert_string_equal(source->origin.topic, path);
    source_close(source);
}

static void an_empty_file_has_ended_before_its_first_line(void **state)
{
    write_file("");
    open_file(1, &nothing);
    assert_int_equal(read_block(), DONE);
    assert_true(block.line_count == 0 && block.ended && source->ahead == 0);
    source_close(source);
}

/* Lines of many lengths come out the same, whatever is read at once. */
static void the_lines_do_not_depend_on_how_much_is_read_at_once(void **state)
{
    static const size_t targets[] = {1, 7, 100, 4096, 70000, CAPACITY};
    static const size_t capacities[] = {1, 3, LINES_MAX};

    (void)unlink(path);
    FILE *file = fopen(path, "w");
    for (unsigned number = 1; number <= 600; number++) {
        (void)fprintf(file, "%0*u\n", (int)(number * 37 % 300 + 5), number);
    }
    (void)fprintf(file, "%070000u\n%065536u\r\n%065537u\n603", 601, 602, 603);
    (void)fclose(file);
    for (size_t which = 0; which < 6 * 3; which++) {
        uint64_t expected = 1;
        block.target = targets[which / 3];
        block.line_capacity = capacities[which % 3];
        open_file(1, &nothing);
        do {
            assert_int_equal(read_block(), DONE);
            assert_true(block.line_count == 0 || lines[0].offset == expected);
            for (size_t index = 0; index < block.line_count; index++, expected++) {
                size_t size = expected <= 600   ? expected * 37 % 300 + 5
                              : expected == 601 ? 70000
                              : expected == 602 ? 65536
                              : expected == 603 ? 65537
                                                : 3;
                assert_int_equal(lines[index].size, size);
                assert_int_equal(lines[index].kept, size <= 65536 ? size : 65537);
                assert_true(lines[index].at + lines[index].kept <= block.size);
            }
        } while (!block.ended);
        assert_int_equal(expected, 605);
        source_close(source);
    }
}

static void a_gigabyte_without_a_newline_is_one_message(void **state)
{
    static const off_t size = INT64_C(1024) * 1024 * 1024;

    write_file("first\n");
    assert_int_equal(truncate(path, size), 0);
    write_at("a", "\r\nlast\n", 7);
    open_file(1, &nothing);
    assert_int_equal(read_block(), DONE);
    assert_int_equal(block.line_count, 1);
    assert_int_equal(source_read(source, &block, &fault), LATER); /* One may stop in between. */
    assert_int_equal(read_block(), DONE);
    assert_int_equal(block.line_count, 1);
    assert_int_equal(lines[0].offset, 2);
    assert_int_equal(lines[0].size, size - 6);
    assert_int_equal(lines[0].kept, MESSAGE_SIZE_MAX + 1);
    assert_int_equal(lines[0].behind, 2);
    struct fingerprint fingerprint;
    source_fingerprint(source, &lines[0], bytes, &fingerprint);
    assert_string_equal(read_all(), "3:last|");
    source_close(source);

    open_file(3, &fingerprint);
    assert_string_equal(read_all(), "3:last|");
    source_close(source);
}

/* Also where one part of it was passed over and the next begins. */
static void the_end_of_a_long_line_is_found_wherever_it_stands(void **state)
{
    for (off_t step = 0; step < 21; step++) {
        off_t length = SOURCE_BLOCK_MIN - 3 + step % 7 + step / 7 * CAPACITY;
        write_file("");
        assert_int_equal(truncate(path, length), 0);
        write_at("a", "\r\nnext", 6);
        open_file(1, &nothing);
        assert_int_equal(read_block(), DONE);
        assert_int_equal(lines[0].size, length);
        assert_int_equal(lines[0].behind, 2);
        assert_string_equal(block.line_count == 1 ? read_all() : "2:next|", "2:next|");
        source_close(source);
    }
}

static void goes_on_behind_what_was_taken(void **state)
{
    struct fingerprint fingerprint = take("one\ntwo\r\nthree\n", 2);

    open_file(3, &fingerprint);
    assert_int_equal(source->ahead, 6);
    assert_string_equal(read_all(), "3:three|");
    source_close(source);
    fingerprint = take("one\ntwo\r\nthree\n", 3);
    open_file(4, &fingerprint);
    assert_string_equal(read_all(), "");
    source_close(source);
}

static void reads_what_was_appended(void **state)
{
    struct fingerprint fingerprint = take("one\n\n", 2);

    write_at("a", "three\nfour", 10);
    open_file(3, &fingerprint);
    assert_string_equal(read_all(), "3:three|4:four|");
    source_close(source);
}

static void a_last_line_may_get_its_newline_later(void **state)
{
    struct fingerprint fingerprint = take("one\ntwo", 2);

    open_file(3, &fingerprint);
    assert_string_equal(read_all(), "");
    source_close(source);
    write_at("a", "\nthree\n", 7);
    open_file(3, &fingerprint);
    assert_string_equal(read_all(), "3:three|");
    source_close(source);
    fingerprint = take("one\ntwo", 2);
    write_at("a", "\r\n", 2);
    open_file(3, &fingerprint);
    assert_string_equal(read_all(), "");
    source_close(source);
}

static void a_last_line_that_grew_is_another_line(void **state)
{
    struct fingerprint fingerprint = take("one\ntwo", 2);

    write_at("a", " more\n", 6);
    refused_at(3, &fingerprint, FAULT_SOURCE_REPLACED,
               "line 2 was read without a newline behind it, up to byte 7, and has become longer");
    assert_non_null(strstr(fault.next, "end line 2 at byte 7 as it was"));
}

static void a_shorter_file_is_noticed(void **state)
{
    struct fingerprint fingerprint = take("one\ntwo\nthree\n", 3);

    write_file("one\ntwo\n");
    refused_at(4, &fingerprint, FAULT_SOURCE_TRUNCATED,
               "has become shorter: 8 bytes, and there were 14, up to line 3");
}

static void another_last_line_is_noticed(void **state)
{
    static const char *const others[] = {
        "one\ntwO\nthree\n",  /* another byte */
        "one\nXtwo\nree\n",   /* moved by one */
        "onextwo\nthree\n",   /* longer */
        "one\ntw\n\nthree\n", /* two lines where one was */
        "one\n\ntwothree\n",  /* the same bytes, but no newline */
        "one\nt\r\nthree!\n", /* the same size, another ending */
    };
    struct fingerprint fingerprint = take("one\ntwo\nthree\n", 2);

    for (size_t index = 0; index < sizeof(others) / sizeof(others[0]); index++) {
        write_file(others[index]);
        refused_at(3, &fingerprint, FAULT_SOURCE_REPLACED,
                   "line 2, which ends at byte 8, is not the line that was read there");
    }
    write_file("one\ntwo\nthree\n");
    refused_at(3, &nothing, FAULT_SOURCE_REPLACED, "nothing tells where line 3 began");
}

static void the_same_bytes_in_another_file_are_the_same_file(void **state)
{
    struct fingerprint fingerprint = take("one\ntwo\nthree\n", 2);
    char other[120];

    (void)snprintf(other, sizeof(other), "%s.old", path);
    assert_int_equal(rename(path, other), 0);
    write_file("one\ntwo\nthree\n");
    open_file(3, &fingerprint);
    assert_string_equal(read_all(), "3:three|");
    source_close(source);
    assert_int_equal(unlink(other), 0);
}

static void a_file_that_shrinks_while_it_is_read_is_noticed(void **state)
{
    write_file("one\ntwo\nthree\n");
    open_file(1, &nothing);
    block.line_capacity = 1;
    assert_int_equal(read_block(), DONE);
    assert_int_equal(truncate(path, 6), 0);
    assert_int_equal(read_block(), BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_TRUNCATED);
    source_close(source);
}

static void a_file_may_grow_while_it_is_read(void **state)
{
    write_file("one\ntwo\n");
    open_file(1, &nothing);
    block.line_capacity = 1;
    assert_int_equal(read_block(), DONE);
    write_at("a", "three\n", 6);
    assert_string_equal(read_all(), "2:two|3:three|");
    source_close(source);
}

static void what_cannot_be_opened_is_named(void **state)
{
    (void)unlink(path);
    assert_int_equal(source_open(source, &source_file, path, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_MISSING);
    assert_int_equal(source_open(source, &source_file, directory, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_READ);
    assert_non_null(strstr(fault.text, "is a directory, not a file of lines"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(source_open(source, &source_file, path, &fault), BROKEN);
    assert_non_null(strstr(fault.text, "is a pipe, not a file of lines"));
    assert_int_equal(source_open(source, &source_file, "/dev/null", &fault), BROKEN);
    assert_non_null(strstr(fault.text, "is a device, not a file of lines"));

    static char long_path[TOPIC_TEXT_MAX + 2];
    memset(long_path, 'x', TOPIC_TEXT_MAX + 1);
    assert_int_equal(source_open(source, &source_file, long_path, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_LIMIT);
}

static void a_file_that_may_not_be_read_is_named(void **state)
{
    static const uid_t nobody = 65534;
    uid_t user = geteuid();

    write_file("one\n");
    assert_int_equal(chmod(path, 0), 0);
    if (user == 0 && seteuid(nobody) != 0) {
        print_message("SKIPPED: root may read everything, and cannot become anybody else here\n");
        skip();
    }
    enum outcome outcome = source_open(source, &source_file, path, &fault);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(outcome, BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_PERMISSION);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_block)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_numbered_lines),
        TEST(an_empty_file_has_ended_before_its_first_line),
        TEST(the_lines_do_not_depend_on_how_much_is_read_at_once),
        TEST(a_gigabyte_without_a_newline_is_one_message),
        TEST(the_end_of_a_long_line_is_found_wherever_it_stands),
        TEST(goes_on_behind_what_was_taken),
        TEST(reads_what_was_appended),
        TEST(a_last_line_may_get_its_newline_later),
        TEST(a_last_line_that_grew_is_another_line),
        TEST(a_shorter_file_is_noticed),
        TEST(another_last_line_is_noticed),
        TEST(the_same_bytes_in_another_file_are_the_same_file),
        TEST(a_file_that_shrinks_while_it_is_read_is_noticed),
        TEST(a_file_may_grow_while_it_is_read),
        TEST(what_cannot_be_opened_is_named),
        TEST(a_file_that_may_not_be_read_is_named),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
