/*
 * mint: payment number k of a seed, always the same one.
 *
 * Payments as public payment producers send them, JSON with the fields of the default
 * configuration and a test card. Everything about a payment is a pure function of seed and
 * number, so a copy can be made again at any time and nothing has to be kept of it.
 */
#ifndef CMD_MINT_H
#define CMD_MINT_H

#include "base/base.h"

enum {
    MINT_CURRENCIES_MAX = 32,
    MINT_ACCOUNTS_MAX = 1000000, /* ACC_000000 to ACC_999999. */
    MINTED_SIZE_MAX = 512,       /* Of one payment as JSON. */
    MINTED_ID_SIZE = 36,
};

/* Random numbers that depend on nothing but where they start (splitmix64). */
struct dice {
    uint64_t state;
};

uint64_t dice_roll(struct dice *dice);
uint64_t dice_below(struct dice *dice, uint64_t limit); /* 0 to limit - 1; limit below 2^32. */
bool dice_chance(struct dice *dice, uint64_t parts_per_million);

struct mint {
    uint64_t seed;
    uint32_t account_count;
    uint32_t currency_count;
    char currencies[MINT_CURRENCIES_MAX][4];
    bool card_testing; /* Of each thousand payments the first are somebody trying stolen cards. */
};

enum { MINT_CARD_TESTS = 60, MINT_CARD_TESTS_OF = 1000 };

struct minted {
    uint64_t number;
    uint64_t id_high;
    uint64_t id_low;
    uint32_t sender;
    uint32_t receiver;
    int64_t amount_hundredths;
    int64_t event_ms; /* The caller's to fill in. */
    const char *currency;
    const char *region;
    const char *method;
    const char *card;
    uint32_t device;
    uint32_t address;
    uint32_t cvv;
    uint32_t expiry_month;
    uint32_t expiry_year;
};

/* The eight currencies of the public producers, 10,000 accounts. */
void mint_default(struct mint *mint);

/* ret_dice goes on behind the payment's own draws: for whatever else is to be its fate. */
void mint_payment(const struct mint *mint, uint64_t number, struct minted *ret_minted,
                  struct dice *ret_dice);

void minted_id_write(const struct minted *minted, char ret_text[MINTED_ID_SIZE]);

/* "1234.50"; returns the end. */
char *minted_amount_write(const struct minted *minted, char *to);

/* JSON, one line without its newline; `to` has room for MINTED_SIZE_MAX. Returns the size. */
size_t minted_write(const struct minted *minted, char *to);

#endif
