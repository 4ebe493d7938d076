#include "cmd/mint.h"

#include <string.h>

enum { AMOUNT_MIN = 100, AMOUNT_MAX = 999999 }; /* 1.00 to 9,999.99 */
enum { TEST_AMOUNT_MIN = 50, TEST_AMOUNT_MAX = 200 };

static const char *const currencies[] = {"USD", "EUR", "GBP", "JPY", "CAD", "AUD", "SGD", "CHF"};
static const char *const regions[] = {"US", "EU", "JP", "AU"};
static const char *const methods[] = {"credit_card", "debit_card", "wallet", "bank_transfer"};

/* Numbers that card networks publish for tests. */
static const char *const cards[] = {
    "4111111111111111", "4242424242424242", "5555555555554444", "5105105105105100",
    "378282246310005",  "6011111111111117", "3530111333300000", "30569309025904",
};

uint64_t dice_roll(struct dice *dice)
{
    uint64_t mixed = dice->state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t dice_below(struct dice *dice, uint64_t limit)
{
    return ((dice_roll(dice) >> 32) * limit) >> 32;
}

bool dice_chance(struct dice *dice, uint64_t parts_per_million)
{
    return dice_below(dice, 1000000) < parts_per_million;
}

void mint_default(struct mint *mint)
{
    *mint = (struct mint){.seed = 1, .account_count = 10000};
    for (size_t index = 0; index < sizeof(currencies) / sizeof(currencies[0]); index++) {
        memcpy(mint->currencies[index], currencies[index], sizeof(mint->currencies[0]));
        mint->currency_count++;
    }
}

static uint32_t receiver_of(const struct mint *mint, struct dice *dice, uint32_t sender)
{
    uint32_t receiver = (uint32_t)dice_below(dice, mint->account_count);

    return receiver == sender ? (receiver + 1) % mint->account_count : receiver;
}

/* One account, one device, one address; many cards, small amounts, one right after the other. */
static void test_card(const struct mint *mint, struct minted *minted, struct dice *own)
{
    struct dice thief = {mint->seed ^ minted->number / MINT_CARD_TESTS_OF};

    minted->sender = (uint32_t)dice_below(&thief, mint->account_count);
    minted->receiver = receiver_of(mint, own, minted->sender);
    minted->currency = mint->currencies[dice_below(&thief, mint->currency_count)];
    minted->device = (uint32_t)dice_roll(&thief);
    minted->address = (uint32_t)dice_roll(&thief);
    minted->method = "credit_card";
    minted->amount_hundredths =
        TEST_AMOUNT_MIN + (int64_t)dice_below(own, TEST_AMOUNT_MAX - TEST_AMOUNT_MIN + 1);
}

void mint_payment(const struct mint *mint, uint64_t number, struct minted *ret_minted,
                  struct dice *ret_dice)
{
    struct dice dice = {mint->seed};

    dice.state = dice_roll(&dice) ^ (number * UINT64_C(0xd1342543de82ef95));
    ret_minted->number = number;
    ret_minted->id_high = (dice_roll(&dice) & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    ret_minted->id_low = (dice_roll(&dice) & ~(UINT64_C(3) << 62)) | (UINT64_C(1) << 63);
    ret_minted->sender = (uint32_t)dice_below(&dice, mint->account_count);
    ret_minted->receiver = receiver_of(mint, &dice, ret_minted->sender);
    ret_minted->amount_hundredths =
        AMOUNT_MIN + (int64_t)dice_below(&dice, AMOUNT_MAX - AMOUNT_MIN + 1);
    ret_minted->currency = mint->currencies[dice_below(&dice, mint->currency_count)];

    uint64_t small = dice_roll(&dice);
    ret_minted->region = regions[small & 3];
    ret_minted->method = methods[(small >> 2) & 3];
    ret_minted->card = cards[(small >> 4) & 7];
    ret_minted->device = (uint32_t)(small >> 32);
    ret_minted->cvv = (uint32_t)((small >> 8) & 0xfff) % 1000;
    ret_minted->expiry_month = 1 + (uint32_t)((small >> 20) & 0x7f) % 12;
    ret_minted->expiry_year = 27 + (uint32_t)((small >> 28) & 3);
    ret_minted->address = (uint32_t)dice_roll(&dice);
    ret_minted->event_ms = 0;
    if (mint->card_testing && number % MINT_CARD_TESTS_OF < MINT_CARD_TESTS) {
        test_card(mint, ret_minted, &dice);
    }
    *ret_dice = dice;
}

static inline char *put(char *to, const char *text)
{
    size_t size = strlen(text);

    memcpy(to, text, size);
    return to + size;
}

static inline char *put_digits(char *to, uint64_t value, int count)
{
    for (int index = count - 1; index >= 0; index--) {
        to[index] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

static char *put_number(char *to, uint64_t value)
{
    int count = 1;

    for (uint64_t rest = value; rest >= 10; rest /= 10) {
        count++;
    }
    return put_digits(to, value, count);
}

static inline char *put_hex(char *to, uint64_t value, int count)
{
    for (int index = count - 1; index >= 0; index--) {
        to[index] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
    return to + count;
}

void minted_id_write(const struct minted *minted, char ret_text[MINTED_ID_SIZE])
{
    char *to = put_hex(ret_text, minted->id_high >> 32, 8);

    *to++ = '-';
    to = put_hex(to, minted->id_high >> 16, 4);
    *to++ = '-';
    to = put_hex(to, minted->id_high, 4);
    *to++ = '-';
    to = put_hex(to, minted->id_low >> 48, 4);
    *to++ = '-';
    put_hex(to, minted->id_low, 12);
}

char *minted_amount_write(const struct minted *minted, char *to)
{
    to = put_number(to, (uint64_t)minted->amount_hundredths / 100);
    *to++ = '.';
    return put_digits(to, (uint64_t)minted->amount_hundredths % 100, 2);
}

static char *put_address(char *to, uint32_t address)
{
    to = put(to, "10.");
    to = put_number(to, (address >> 16) & 255);
    *to++ = '.';
    to = put_number(to, (address >> 8) & 255);
    *to++ = '.';
    return put_number(to, address & 255);
}

static char *put_card(char *to, const struct minted *minted)
{
    to = put(to, "\",\"credit_card\":\"");
    to = put(to, minted->card);
    to = put(to, "\",\"cvv\":\"");
    to = put_digits(to, minted->cvv, 3);
    to = put(to, "\",\"card_expiry\":\"");
    to = put_digits(to, minted->expiry_month, 2);
    *to++ = '/';
    to = put_digits(to, minted->expiry_year, 2);
    return put(to, "\"}");
}

size_t minted_write(const struct minted *minted, char *to)
{
    char *start = to;

    to = put(to, "{\"transaction_id\":\"");
    minted_id_write(minted, to);
    to = put(to + MINTED_ID_SIZE, "\",\"sender_account_id\":\"ACC_");
    to = put_digits(to, minted->sender, 6);
    to = put(to, "\",\"receiver_account_id\":\"ACC_");
    to = put_digits(to, minted->receiver, 6);
    to = put(to, "\",\"amount\":");
    to = minted_amount_write(minted, to);
    to = put(to, ",\"currency\":\"");
    to = put(to, minted->currency);
    to = put(to, "\",\"device_id\":\"device_");
    to = put_hex(to, minted->device, 8);
    to = put(to, "\",\"ip_address\":\"");
    to = put_address(to, minted->address);
    to = put(to, "\",\"timestamp\":");
    to = put_number(to, (uint64_t)minted->event_ms);
    to = put(to, ",\"region\":\"");
    to = put(to, minted->region);
    to = put(to, "\",\"payment_method\":\"");
    to = put(to, minted->method);
    return (size_t)(put_card(to, minted) - start);
}
