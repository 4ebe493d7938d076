#include "engine/truth.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "truth_test_XXXXXX";
static struct truth truth;
static struct truth_row row;
static struct fault fault;

static int set_up(void **unused)
{
    int made = mkstemp(path);
    return made < 0 || close(made) != 0;
}

static int tear_down(void **unused)
{
    return unlink(path);
}

static enum outcome open_text(const char *text)
{
    FILE *stream = fopen(path, "we");

    assert_non_null(stream);
    (void)fputs(text, stream);
    (void)fclose(stream);
    truth_close(&truth);
    return truth_open(&truth, path, &fault);
}

static void expect_row(const char *id, int64_t units, int64_t scale, const char *currency)
{
    assert_int_equal(truth_read(&truth, &row, &fault), DONE);
    assert_int_equal(row.id.size, strlen(id));
    assert_memory_equal(row.id.at, id, strlen(id));
    assert_int_equal(row.amount.units, units);
    assert_int_equal(row.amount.scale, scale);
    assert_string_equal(row.currency, currency);
}

static void reads_what_simulate_writes(void **unused)
{
    assert_int_equal(open_text("transaction_id,amount,currency,event_time,expected\n"
                               "abc-123,1000.00,USD,2026-01-01T00:00:00.000Z,accepted\n"
                               "def-456,5,JPY,2026-01-01T00:00:00.000Z,late\n"),
                     DONE);
    expect_row("abc-123", 100000, 2, "USD");
    assert_true(row.expectation);
    assert_int_equal(row.expected, ACCEPTED);
    expect_row("def-456", 5, 0, "JPY");
    assert_int_equal(row.expected, LATE);
    assert_int_equal(truth_read(&truth, &row, &fault), LATER);
    assert_int_equal(truth.bytes, truth.size);
}

static void reads_a_statement_with_quotes_other_columns_and_no_last_newline(void **unused)
{
    assert_int_equal(open_text("\"note\",currency,\"amount\",transaction_id\r\n"
                               "\"a \"\"b\"\", c\",EUR,\"10.50\",x1\r\n"
                               "\r\n"
                               ",EUR,1,\"x,2\""),
                     DONE);
    expect_row("x1", 1050, 2, "EUR");
    assert_false(row.expectation);
    expect_row("x,2", 1, 0, "EUR");
    assert_int_equal(truth_read(&truth, &row, &fault), LATER);
}

static void refuses(const char *text, const char *sentence)
{
    enum outcome outcome = open_text(text);

    if (outcome == DONE) {
        outcome = truth_read(&truth, &row, &fault);
    }
    assert_int_equal(outcome, BROKEN);
    assert_int_equal(fault.code, FAULT_TRUTH);
    if (strstr(fault.text, sentence) == NULL) {
        fail_msg("%s does not say: %s", fault.text, sentence);
    }
}

#define HEADER "transaction_id,amount,currency,expected\n"

static void says_which_line_is_wrong_and_why(void **unused)
{
    refuses("", ":1: there is no column \"transaction_id\"");
    refuses("transaction_id,currency\n", ":1: there is no column \"amount\"");
    refuses(HEADER "x,1e3,USD,\n", ":2: no plain decimal amount: \"1e3\"");
    refuses(HEADER "x,-1,USD,\n", ":2: no plain decimal amount: \"-1\"");
    refuses(HEADER ",1,USD,\n", ":2: no transaction_id");
    refuses(HEADER "x,1,US,\n", ":2: no currency of three letters: \"US\"");
    refuses(HEADER "x,1,USD,good\n", ":2: no verdict: \"good\"");
    refuses(HEADER "x,1\n", ":2: too few fields");
    refuses(HEADER "x,1,\"USD\n", ":2: too few fields");
    refuses(HEADER "x,1,\"USD\"D,\n", ":2: too few fields");
    assert_int_equal(truth_open(&truth, "/nonexistent/truth.csv", &fault), BROKEN);
    assert_non_null(strstr(fault.text, "No such file"));
}

static void a_line_without_end_is_refused(void **unused)
{
    static char text[sizeof(HEADER) + 2 * TRUTH_LINE_SIZE];

    (void)strcpy(text, HEADER);
    memset(text + sizeof(HEADER) - 1, 'x', 2 * TRUTH_LINE_SIZE);
    refuses(text, ":2: a line that is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_simulate_writes),
        cmocka_unit_test(reads_a_statement_with_quotes_other_columns_and_no_last_newline),
        cmocka_unit_test(says_which_line_is_wrong_and_why),
        cmocka_unit_test(a_line_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
