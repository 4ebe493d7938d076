#include "parse/mask.h"
#include "test/unit.h"

/* What becomes of a text; NULL: it stays as it is. */
struct masked {
    const char *text;
    const char *after;
};

static const struct masked cards[] = {
    {"", NULL},
    {"4111111111111111", "************1111"},
    {"4111 1111 1111 1111", "**** **** **** 1111"},
    {"4111-1111-1111-1111", "****-****-****-1111"},
    {"4111 - 1111 -- 1111  1111", "**** - **** -- ****  1111"},
    {"378282246310005", "***********0005"},
    {"30569309025904", "**********5904"},
    {"4222222222222", "*********2222"},
    {"6304000000000000000", "***************0000"},
    {"411111111111111", NULL},                      /* 15 digits that do not pass. */
    {"4111111111111112", NULL},                     /* Nor do these. */
    {"422222222222", NULL},                         /* 12 digits. */
    {"00000000000000000000", NULL},                 /* 20. */
    {"0000000000000", "*********0000"},             /* 13, */
    {"0000000000000000000", "***************0000"}, /* 19. */
    {"card 4111111111111111, thanks", "card ************1111, thanks"},
    {"x4111111111111111y", "x************1111y"},
    {"4111.1111.1111.1111", NULL},
    {"4111\t1111 1111 1111", NULL},
    {"4111111111111111/4242424242424242", "************1111/************4242"},
    {"4111111111111111 4242424242424242", "************1111 ************4242"},
    {"2026-02-25 4111 1111 1111 1111", "2026-02-25 **** **** **** 1111"},
    {"12 4111111111111111 99", "12 ************1111 99"},
    {"4111 1111 1111 1111 5555 5555 5555 4444", "**** **** **** **** **** **** **** 4444"},
    {"407 5543800282802 003", "*** ************2 003"}, /* Two rows pass; each one is hidden. */
    {"2f1c1e5a-0b5e-4d8c-9a57-1d1f6c1c9b1e", NULL},
    {"41111111-1111-1111-1111-111111111111", NULL}, /* A UUID, whatever its digits. */
    {"41111111-1111-1111-1111-11111111111g", "********-****-1111-1111-11111111111g"},
    {"caf\xc3\xa9 4111111111111111", "caf\xc3\xa9 ************1111"},
    {"10.123.123.123", NULL},
    {"ACC_000123", NULL},
};

static void hides_card_numbers_but_their_last_four(void **state)
{
    for (size_t index = 0; index < sizeof(cards) / sizeof(cards[0]); index++) {
        const char *after = cards[index].after == NULL ? cards[index].text : cards[index].after;
        struct span text = {cards[index].text, strlen(cards[index].text)};
        char masked[64];

        assert_int_equal(mask_needed(text), cards[index].after != NULL);
        assert_int_equal(mask_cards(text, masked), text.size);
        masked[text.size] = '\0';
        assert_string_equal(masked, after);
        assert_false(mask_needed((struct span){masked, text.size}));
    }
}

/* What could_hold_card leaves out must not matter: a number in every place of texts of any size. */
static void finds_a_card_number_wherever_it_stands(void **state)
{
    static const char *const numbers[] = {"4222222222222", "4111111111111111",
                                          "4111-1111-1111-1111", "6304000000000000000"};
    char text[64];

    for (size_t which = 0; which < 4; which++) {
        size_t size = strlen(numbers[which]);
        for (size_t whole = size; whole <= sizeof(text); whole++) {
            for (size_t place = 0; place + size <= whole; place++) {
                memset(text, 'x', whole);
                memcpy(text + place, numbers[which], size);
                assert_true(mask_needed((struct span){text, whole}));
            }
        }
    }
}

/* A number of so many digits that passes: its head, zeros, and the digit that makes it pass. */
static void number_make(char *to, unsigned head, size_t size)
{
    unsigned sum = 0;

    memset(to, '0', size);
    for (size_t index = 4; index > 0; index--, head /= 10) {
        to[index - 1] = (char)('0' + head % 10);
    }
    for (size_t index = 0; index < size; index++) {
        unsigned digit = (unsigned)(to[index] - '0') << ((size - index) % 2 == 0);
        sum += digit / 10 + digit % 10;
    }
    to[size - 1] = (char)('0' + (10 - sum % 10) % 10);
}

/* How many of the ten thousand heads are a network's, by the number of digits behind them. */
static void reads_an_id_as_a_card_number_only_if_a_network_issues_such_numbers(void **state)
{
    static const struct {
        size_t size;
        size_t heads;
    } issued[] = {{12, 0},
                  {13, 1000 + 100 + 300 + 1000},
                  {14, 60 + 100 + 200 + 1400},
                  {15, 60 + 100 + 200 + 200 + 1400},
                  {16, 1000 + 500 + 500 + 62 + 60 + 100 + 200 + 1400},
                  {17, 62 + 60 + 100 + 200 + 1400},
                  {18, 62 + 60 + 100 + 200 + 1400},
                  {19, 1000 + 62 + 60 + 100 + 200 + 1400},
                  {20, 0}};

    for (size_t which = 0; which < sizeof(issued) / sizeof(issued[0]); which++) {
        size_t heads = 0;
        for (unsigned head = 0; head < 10000; head++) {
            char number[20];
            number_make(number, head, issued[which].size);
            struct span text = {number, issued[which].size};
            assert_int_equal(mask_needed(text), text.size >= 13 && text.size <= 19);
            heads += mask_reads_as_card(text);
        }
        assert_int_equal(heads, issued[which].heads);
    }
}

/* The least and the greatest head of each range, and its neighbours. */
static void knows_where_the_ranges_of_the_networks_end(void **state)
{
    static const struct {
        unsigned inside;
        unsigned outside;
        size_t size;
    } ends[] = {
        {4000, 3999, 13}, {4999, 1999, 16}, {4000, 2999, 19}, {5100, 2220, 16}, {2221, 2220, 16},
        {2720, 2721, 16}, {5599, 2721, 16}, {3400, 3399, 15}, {3499, 3500, 15}, {3700, 3500, 15},
        {3799, 3500, 15}, {3528, 3527, 16}, {3589, 3590, 16}, {3000, 2999, 14}, {3059, 3060, 14},
        {3600, 3599, 14}, {3699, 3700, 14}, {3800, 3799, 14}, {3999, 4000, 14}, {5000, 4999, 17},
        {5099, 5100, 17}, {5600, 5599, 17}, {5899, 5900, 17}, {6000, 5999, 13}, {6999, 7000, 19}};

    for (size_t index = 0; index < sizeof(ends) / sizeof(ends[0]); index++) {
        char number[20];
        struct span text = {number, ends[index].size};
        number_make(number, ends[index].inside, text.size);
        assert_true(mask_reads_as_card(text));
        number_make(number, ends[index].outside, text.size);
        assert_false(mask_reads_as_card(text));
    }
}

static void reads_an_id_as_a_card_number_only_where_no_letter_touches_it(void **state)
{
    static const char *const read_as_card[] = {"4111111111111111", "4111-1111-1111-1111",
                                               "pay-4111111111111111", "4111111111111111_2",
                                               "1a-4111111111111111"};
    static const char *const not_a_card[] = {"tx-1",
                                             "4111111111111112",
                                             "a4111111111111111",
                                             "4111111111111111f",
                                             "9f4111111111111111aa00112233445566",
                                             "0000000000000",
                                             "1888888888888888882", /* A snowflake. */
                                             "2220990000000002",
                                             "41111111-1111-1111-1111-111111111111"};

    for (size_t index = 0; index < sizeof(read_as_card) / sizeof(read_as_card[0]); index++) {
        struct span text = {read_as_card[index], strlen(read_as_card[index])};
        assert_true(mask_reads_as_card(text));
    }
    for (size_t index = 0; index < sizeof(not_a_card) / sizeof(not_a_card[0]); index++) {
        struct span text = {not_a_card[index], strlen(not_a_card[index])};
        assert_false(mask_reads_as_card(text));
    }
}

/* Random rows of digits, blanks and dashes: nothing that passes is left, and nothing else moves. */
static void leaves_no_card_number_in_any_row_of_digits(void **state)
{
    uint64_t dice = 7;
    size_t changed = 0;

    for (size_t turn = 0; turn < 100000; turn++) {
        char text[48], masked[48];
        for (size_t index = 0; index < sizeof(text); index++) {
            dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t draw = (dice >> 40) % 24;
            text[index] = draw < 20    ? (char)('0' + draw % 10)
                          : draw < 22  ? ' '
                          : draw == 22 ? '-'
                                       : 'x';
        }
        struct span span = {text, sizeof(text)};
        assert_int_equal(mask_cards(span, masked), sizeof(masked));
        assert_false(mask_needed((struct span){masked, sizeof(masked)}));
        bool same = memcmp(text, masked, sizeof(text)) == 0;
        assert_int_equal(same, !mask_needed(span));
        for (size_t index = 0; index < sizeof(text); index++) {
            bool digit = text[index] >= '0' && text[index] <= '9';
            assert_true(masked[index] == text[index] || (digit && masked[index] == '*'));
        }
        changed += !same;
    }
    assert_true(changed > 1000);
}

static void masks_where_the_text_stands(void **state)
{
    char text[] = "4111111111111111";
    struct span span = {text, 16};

    assert_int_equal(mask_cards(span, text), 16);
    assert_string_equal(text, "************1111");
    assert_int_equal(mask_last4(span, text), 16);
    assert_string_equal(text, "************1111");
}

static void keeps_the_last_four_characters(void **state)
{
    static const struct masked texts[] = {
        {"", NULL},
        {"123", NULL},
        {"1234", NULL},
        {"12345", "*2345"},
        {"4111111111111111", "************1111"},
        {"caf\xc3\xa9s", "*af\xc3\xa9s"},
        {"\xc3\xa9"
         "abcd",
         "**abcd"},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
         "****\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
    };

    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct span text = {texts[index].text, strlen(texts[index].text)};
        char masked[64];
        assert_int_equal(mask_last4(text, masked), text.size);
        masked[text.size] = '\0';
        assert_string_equal(masked,
                            texts[index].after == NULL ? texts[index].text : texts[index].after);
    }
}

static void shows_of_a_broken_message_no_digit_and_nothing_unprintable(void **state)
{
    const char raw[] = "{\"id\":\"4111\x01\x1b[31m\xc3\xa9\x7f~";
    char excerpt[MASK_EXCERPT_MAX];
    char long_raw[300];

    size_t size = mask_excerpt((struct span){raw, sizeof(raw) - 1}, excerpt);
    assert_int_equal(size, sizeof(raw) - 1);
    assert_memory_equal(excerpt, "{\"id\":\"####??[##m???~", size);
    memset(long_raw, '7', sizeof(long_raw));
    assert_int_equal(mask_excerpt((struct span){long_raw, 256}, excerpt), 256);
    assert_int_equal(mask_excerpt((struct span){long_raw, 257}, excerpt), 256);
    assert_int_equal(excerpt[255], '#');
    assert_int_equal(mask_excerpt((struct span){long_raw, 0}, excerpt), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_card_numbers_but_their_last_four),
        cmocka_unit_test(finds_a_card_number_wherever_it_stands),
        cmocka_unit_test(reads_an_id_as_a_card_number_only_if_a_network_issues_such_numbers),
        cmocka_unit_test(knows_where_the_ranges_of_the_networks_end),
        cmocka_unit_test(reads_an_id_as_a_card_number_only_where_no_letter_touches_it),
        cmocka_unit_test(leaves_no_card_number_in_any_row_of_digits),
        cmocka_unit_test(masks_where_the_text_stands),
        cmocka_unit_test(keeps_the_last_four_characters),
        cmocka_unit_test(shows_of_a_broken_message_no_digit_and_nothing_unprintable),
    };
    return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
