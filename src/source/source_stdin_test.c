#include "source/lines.h"
#include "test/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINES_MAX = 512, CAPACITY = 256 * 1024 };

static uint8_t bytes[CAPACITY];
static struct source_line lines[LINES_MAX];
static struct source_block block;
static struct source *source;
static struct fault fault;
static const struct fingerprint nothing;
static int writer; /* The other end of standard input. */

static int set_up(void **state)
{
    source = malloc(source_stdin.size);
    return source == NULL;
}

static int tear_down(void **state)
{
    free(source);
    return 0;
}

static int fresh_pipe(void **state)
{
    int ends[2];

    block = (struct source_block){.bytes = bytes,
                                  .capacity = sizeof(bytes),
                                  .target = sizeof(bytes),
                                  .lines = lines,
                                  .line_capacity = LINES_MAX};
    if (pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) != STDIN_FILENO) {
        return -1;
    }
    (void)close(ends[0]);
    writer = ends[1];
    return 0;
}

static void open_stdin(uint64_t next, const struct fingerprint *fingerprint)
{
    assert_int_equal(source_open(source, &source_stdin, "stdin", &fault), DONE);
    assert_int_equal(source_assign(source, next, fingerprint, &fault), DONE);
}

static void send(const char *text)
{
    assert_int_equal(write(writer, text, strlen(text)), strlen(text));
}

static enum outcome read_block(void)
{
    enum outcome outcome;

    do {
        outcome = source_read(source, &block, &fault);
    } while (outcome == LATER);
    return outcome;
}

static void expect_line(size_t index, uint64_t offset, const char *text)
{
    assert_true(index < block.line_count);
    assert_int_equal(lines[index].offset, offset);
    assert_int_equal(lines[index].size, strlen(text));
    assert_memory_equal(bytes + lines[index].at, text, strlen(text));
}

static void an_idle_pipe_does_not_hold_anybody(void **state)
{
    open_stdin(1, &nothing);
    assert_int_equal(source_read(source, &block, &fault), LATER);
    send("one\ntw");
    assert_int_equal(source_read(source, &block, &fault), DONE);
    assert_int_equal(block.line_count, 1);
    expect_line(0, 1, "one");
    assert_int_equal(source_read(source, &block, &fault), LATER);
    send("o\r\nthree");
    assert_int_equal(source_read(source, &block, &fault), DONE);
    expect_line(0, 2, "two");
    assert_false(block.ended);
    (void)close(writer);
    assert_int_equal(read_block(), DONE);
    expect_line(0, 3, "three");
    assert_true(block.ended);
    assert_string_equal(source->origin.topic, "stdin");
    source_close(source);
}

static void ends_with_the_pipe(void **state)
{
    open_stdin(1, &nothing);
    (void)close(writer);
    assert_int_equal(read_block(), DONE);
    assert_int_equal(block.line_count, 0);
    assert_true(block.ended);
}

static void after_a_restart_the_lines_are_numbered_on(void **state)
{
    struct fingerprint fingerprint;

    open_stdin(1, &nothing);
    send("one\ntwo\n");
    assert_int_equal(read_block(), DONE);
    source_fingerprint(source, &lines[1], bytes, &fingerprint);
    source_close(source);
    open_stdin(3, &fingerprint);
    send("new\n");
    assert_int_equal(read_block(), DONE);
    expect_line(0, 3, "new");
    assert_int_equal(lines[0].end, 12);
    (void)close(writer);
}

static void what_is_carried_is_given_before_more_is_read(void **state)
{
    open_stdin(1, &nothing);
    block.line_capacity = 2;
    send("1\n2\n3\n4\n5\n6");
    for (uint64_t offset = 1; offset <= 3; offset += 2) {
        assert_int_equal(source_read(source, &block, &fault), DONE);
        assert_int_equal(block.line_count, 2);
        assert_int_equal(lines[0].offset, offset);
    }
    assert_int_equal(source_read(source, &block, &fault), DONE);
    expect_line(0, 5, "5");
    (void)close(writer);
    assert_int_equal(read_block(), DONE);
    expect_line(0, 6, "6");
    assert_true(block.ended);
}

/* A file of one's own may be standard input, too. */
static void reads_a_regular_file(void **state)
{
    char path[] = "source_stdin_test_XXXXXX";
    int file = mkstemp(path);

    assert_true(file >= 0);
    assert_int_equal(write(file, "one\ntwo", 7), 7);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    open_stdin(1, &nothing);
    assert_int_equal(read_block(), DONE);
    expect_line(0, 1, "one");
    assert_int_equal(read_block(), DONE);
    expect_line(0, 2, "two");
    assert_true(block.ended);
    (void)close(file);
    (void)close(writer);
    assert_int_equal(unlink(path), 0);
}

static void a_closed_standard_input_is_named(void **state)
{
    (void)close(writer);
    (void)close(STDIN_FILENO);
    assert_int_equal(source_open(source, &source_stdin, "stdin", &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_MISSING);
}

struct flood {
    uint64_t size; /* Of the long line, without its ending. */
    const char *ending;
};

static void *pour(void *argument)
{
    static char zeros[64 * 1024];
    const struct flood *flood = argument;

    for (uint64_t left = flood->size; left > 0;) {
        size_t part = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
        ssize_t count = write(writer, zeros, part);
        if (count < 0) {
            break;
        }
        left -= (uint64_t)count;
    }
    ssize_t count = write(writer, flood->ending, strlen(flood->ending));
    (void)close(writer);
    return count < 0 ? argument : NULL;
}

/* Pour one long line through the pipe; it is one message, and what follows is read. */
static void pour_line(uint64_t size, const char *ending, uint32_t behind, const char *next)
{
    struct flood flood = {size, ending};
    pthread_t thread;
    void *failed = NULL;

    assert_int_equal(pthread_create(&thread, NULL, pour, &flood), 0);
    open_stdin(1, &nothing);
    assert_int_equal(read_block(), DONE);
    assert_int_equal(lines[0].offset, 1);
    assert_int_equal(lines[0].size, size);
    assert_int_equal(lines[0].kept, size <= MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX + 1);
    assert_int_equal(lines[0].behind, behind);
    assert_int_equal(lines[0].end, size + behind);
    if (block.line_count == 1 && !block.ended) {
        assert_int_equal(read_block(), DONE);
        if (next != NULL) {
            expect_line(0, 2, next);
        }
    } else if (next != NULL) {
        expect_line(1, 2, next);
    }
    (void)pthread_join(thread, &failed);
    assert_null(failed);
}

static void a_gigabyte_without_a_newline_is_one_message(void **state)
{
    pour_line(UINT64_C(1024) * 1024 * 1024, "\r\nnext", 2, "next");
}

static void what_ends_a_long_line_may_come_in_two_parts(void **state)
{
    static char text[LINES_TOO_LONG + 1];

    memset(text, 'x', sizeof(text));
    text[LINES_TOO_LONG] = '\r';
    assert_true(fcntl(writer, F_SETPIPE_SZ, 2 * sizeof(text)) > 0);
    open_stdin(1, &nothing);
    assert_int_equal(write(writer, text, sizeof(text)), sizeof(text));
    for (unsigned times = 0; times < 4; times++) {
        assert_int_equal(source_read(source, &block, &fault), LATER);
    }
    send("\nnext\n");
    assert_int_equal(read_block(), DONE);
    assert_int_equal(lines[0].size, LINES_TOO_LONG);
    assert_int_equal(lines[0].behind, 2);
    assert_int_equal(read_block(), DONE);
    expect_line(0, 2, "next");
    (void)close(writer);
}

static void lines_about_the_limit_are_told_apart(void **state)
{
    static const char *const endings[] = {"\nnext\n", "\r\nnext\n", ""};

    (void)close(writer);
    for (uint64_t size = MESSAGE_SIZE_MAX - 2; size <= MESSAGE_SIZE_MAX + 4; size++) {
        for (uint32_t which = 0; which < 3; which++) {
            assert_int_equal(fresh_pipe(state), 0);
            pour_line(size, endings[which], (which + 1) % 3, which < 2 ? "next" : NULL);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_pipe_does_not_hold_anybody),
        TEST(ends_with_the_pipe),
        TEST(after_a_restart_the_lines_are_numbered_on),
        TEST(what_is_carried_is_given_before_more_is_read),
        TEST(reads_a_regular_file),
        TEST(a_gigabyte_without_a_newline_is_one_message),
        TEST(what_ends_a_long_line_may_come_in_two_parts),
        TEST(lines_about_the_limit_are_told_apart),
        TEST(a_closed_standard_input_is_named),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
