/*
 * reconcile: does the ledger hold each payment once, to the cent?
 *
 * It reads a ledger through the sink's listings, as of one moment (open it read_only), and adds
 * everything up again by itself:
 *
 *   - of each table the rows are numbered without a hole; of each place there is one row
 *   - the rows add up to the recorded totals, by source, verdict and currency (I5)
 *   - next - start = all verdicts + skipped + gap, of each source (I1)
 *   - payment_metrics = aggregate(payment_transactions) (I6)
 *   - the epochs follow on each other up to the head, and their ranges tile each source
 *   - every duplicate and conflict names a place where a payment was accepted
 *   - no id was accepted twice; and, given a truth, each of its payments is there once, with its
 *     amount and currency, or set aside as expected, and nothing else is
 *
 * What is wrong is counted by kind; of each kind the first few are told. Works beside a running
 * payonce. Memory: two bits a message, and 16 bytes an id up to a limit; with more ids than
 * that the rows are read several times.
 */
#ifndef ENGINE_RECONCILE_H
#define ENGINE_RECONCILE_H

#include "sink/sink.h"

/* X(enum, name (a label), what is listed under it: one, several) */
#define RECONCILE_KINDS_OF(X)                                                                      \
    X(RECONCILE_MISSING, "missing", "payment of the truth that is in no table",                    \
      "payments of the truth that are in no table")                                                \
    X(RECONCILE_EXTRA, "extra", "payment in the table that the truth does not know",               \
      "payments in the table that the truth does not know")                                        \
    X(RECONCILE_AMOUNT, "wrong_amount", "payment with another amount or currency",                 \
      "payments with another amount or currency")                                                  \
    X(RECONCILE_VERDICT, "wrong_verdict", "payment that became something else than expected",      \
      "payments that became something else than expected")                                         \
    X(RECONCILE_REACCEPTED, "reaccepted", "id that was accepted more than once",                   \
      "ids that were accepted more than once")                                                     \
    X(RECONCILE_NUMBER, "numbering", "row that is gone or numbered otherwise",                     \
      "rows that are gone or numbered otherwise")                                                  \
    X(RECONCILE_PLACE, "place", "row whose place in the source is taken or was never read",        \
      "rows whose place in the source is taken or was never read")                                 \
    X(RECONCILE_VALUE, "value", "row whose columns contradict each other",                         \
      "rows whose columns contradict each other")                                                  \
    X(RECONCILE_FIRST, "first", "duplicate or conflict of a payment that is not there",            \
      "duplicates and conflicts of a payment that is not there")                                   \
    X(RECONCILE_TOTAL, "total", "total that is not the sum of the rows",                           \
      "totals that are not the sum of the rows")                                                   \
    X(RECONCILE_CONSERVED, "conservation", "source of which messages are unaccounted for",         \
      "sources of which messages are unaccounted for")                                             \
    X(RECONCILE_METRIC, "metric", "window that is not the sum of its payments",                    \
      "windows that are not the sum of their payments")                                            \
    X(RECONCILE_EPOCH, "epoch", "epoch that does not follow on the one before",                    \
      "epochs that do not follow on each other")

#define RECONCILE_ENUM(name, label, one, several) name,
enum reconcile_kind { RECONCILE_KINDS_OF(RECONCILE_ENUM) RECONCILE_KINDS };
#undef RECONCILE_ENUM

const char *reconcile_kind_name(enum reconcile_kind kind);
const char *reconcile_kind_what(enum reconcile_kind kind, uint64_t count);

enum {
    RECONCILE_TEXT_SIZE = 320,
    RECONCILE_LIST_MAX = 1000, /* Of each kind. */
    RECONCILE_CURRENCIES = 26 * 26 * 26 + 1,
};

struct reconcile_settings {
    struct sink *ledger;  /* Open; borrowed. */
    const char *truth;    /* A file (engine/truth.h), or NULL. Lent. */
    size_t list_max;      /* Of each kind so many are told; 1 .. RECONCILE_LIST_MAX. */
    uint64_t match_bytes; /* For ids, at a time. */
};

struct reconcile_finding {
    enum reconcile_kind kind;
    char text[RECONCILE_TEXT_SIZE];
};

/* What came together in one currency, by verdict. The last entry: no readable currency. */
struct reconcile_sum {
    uint64_t counts[VERDICT_COUNT];
    struct money_sum sums[VERDICT_COUNT];
    uint64_t sent; /* Of the truth: what is expected to be accepted, or has no expectation. */
    struct money_sum sent_sum;
    uint64_t sent_aside; /* Of the truth: what is expected to be set aside. */
    struct money_sum sent_aside_sum;
    int64_t places; /* The most that an accepted amount has after the point: as sums are written. */
};

struct reconcile_report {
    uint64_t epoch;
    int64_t watermark_ms;             /* G; INSTANT_NONE: none yet. */
    int64_t newest_accepted_ms;       /* After the watermark: more may still come. INSTANT_NONE. */
    uint64_t counts[TALLY_COUNT + 1]; /* Rows by verdict; skipped and gap as recorded. */
    uint64_t sources;
    uint64_t windows;
    uint64_t epochs;
    uint64_t truth_rows;
    uint64_t truth_accepted; /* Of them in payment_transactions, and right. */
    uint64_t truth_aside;    /* Of them set aside, as expected. */
    uint64_t rows;           /* Read, over all passes. */
    uint64_t found[RECONCILE_KINDS];
    /* Lent: of each kind the first told[kind], from findings[kind * list_max] on. */
    const struct reconcile_finding *findings;
    size_t told[RECONCILE_KINDS];
    const struct reconcile_sum *sums; /* Lent: RECONCILE_CURRENCIES, by reconcile_currency. */
};

struct reconcile;

/* BROKEN: the ledger or the truth cannot be read, it holds nothing of the pipeline, no memory. */
MUST_USE enum outcome reconcile_open(const struct reconcile_settings *settings,
                                     struct reconcile **ret_reconcile, struct fault *ret_fault);

/* Some thousand rows more. LATER: go on. DONE: all has been looked at. BROKEN: see above. */
MUST_USE enum outcome reconcile_step(struct reconcile *reconcile, struct fault *ret_fault);

/* How much of it, in steps of some size. */
void reconcile_progress(const struct reconcile *reconcile, uint64_t *ret_done, uint64_t *ret_total);

/* After DONE; lent until the close. */
const struct reconcile_report *reconcile_report(const struct reconcile *reconcile);
bool reconcile_good(const struct reconcile_report *report);

/* The three letters of an entry of sums, and which entry three letters have. */
void reconcile_currency(size_t index, char ret_text[4]);
size_t reconcile_currency_index(const char *currency);

void reconcile_close(struct reconcile *reconcile); /* May be NULL. */

#endif
