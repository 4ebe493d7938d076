/*
 * reconcile_parts: what the parts of reconcile say to each other.
 *
 * reconcile.c goes through the phases; reconcile_rows.c looks at each row; reconcile_sums.c
 * keeps totals and epochs, reconcile_windows.c windows; reconcile_match.c lays ids and truth side
 * by side; reconcile_confirm.c looks up what they disagree in; reconcile_tell.c keeps what was
 * found.
 */
#ifndef ENGINE_RECONCILE_PARTS_H
#define ENGINE_RECONCILE_PARTS_H

#include "base/instant.h"
#include "engine/match.h"
#include "engine/reconcile.h"
#include "engine/truth.h"

enum {
    RECONCILE_STEP_ROWS = 4096,
    RECONCILE_TOTALS_MAX = 1 << 18,
    RECONCILE_RESERVATIONS_MAX = 16,
    RECONCILE_SUSPECTS_MAX = 1 << 16,
    RECONCILE_PLACE_SIZE = 128, /* The tail of a long name is cut. */
};

enum reconcile_phase {
    PHASE_STANDING, /* Cursors and totals. */
    PHASE_WINDOWS,  /* payment_metrics into memory. */
    PHASE_ROWS,     /* The three tables of messages, once for each share of the ids. */
    PHASE_TRUTH,    /* The truth, and the two laid side by side. */
    PHASE_EPOCHS,
    PHASE_SUMS,          /* What was added up against what was recorded. */
    PHASE_CONFIRM_TRUTH, /* Suspects are looked up again by their text. */
    PHASE_CONFIRM_ROWS,
    PHASE_END,
};

struct reconcile_source {
    struct origin origin;
    uint64_t start;
    uint64_t next;
    uint64_t tiled;    /* Up to where the epochs' ranges reach. */
    uint64_t counted;  /* By the recorded totals, gaps included. */
    uint8_t *taken;    /* A bit an offset: it has its row. */
    uint8_t *accepted; /* A bit an offset: and that is an accepted one. */
};

/* One total, recorded and added up. */
struct reconcile_total {
    uint32_t source;
    uint8_t tally;
    char currency[3];
    bool used;
    uint64_t recorded_count;
    uint64_t row_count;
    struct money_sum recorded;
    struct money_sum rows;
};

/* One window of payment_metrics, and what of it has been found in payment_transactions. */
struct reconcile_window {
    int64_t start_ms;
    uint64_t group; /* Digest of region and currency. */
    uint64_t seq;
    uint64_t count;
    uint64_t found;
    struct money_sum total;
    struct money_sum found_total;
    struct money least;
    struct money most;
    struct money found_least;
    struct money found_most;
    int64_t places;
    int64_t found_places;
};

/* A payment that something is wrong with, by its digest, until its text has been seen. */
struct reconcile_suspect {
    uint64_t id;
    enum reconcile_kind kind;
    bool confirmed; /* REACCEPTED: the text was the same, too. */
    char text[IDENT_TEXT_MAX + 1];
    char place[RECONCILE_PLACE_SIZE];
};

struct reconcile_reservation {
    void *at;
    size_t size;
};

struct reconcile {
    struct reconcile_settings settings;
    struct sink *ledger;
    struct sink_head head;
    struct siphash_key key; /* Random, of this run. */
    struct reconcile_report report;
    enum reconcile_phase phase;
    int region_place; /* Among the carried fields; -1: none. */

    struct reconcile_source *sources;
    size_t source_count;
    struct reconcile_total *totals;
    size_t total_count;
    struct reconcile_sum *sums;

    struct reconcile_window *windows;
    size_t window_count;
    uint32_t *window_slots; /* Index + 1. */
    size_t window_slot_count;
    int64_t *window_starts; /* Sorted, each once. */
    size_t window_start_count;

    enum table table; /* Where PHASE_ROWS and PHASE_CONFIRM_ROWS stand. */
    uint64_t seq;
    uint64_t next_epoch;
    struct chain chain;
    uint64_t share; /* Of the ids: those with id % share_count == share. */
    uint64_t share_count;
    struct match_list known; /* In the ledger. */
    struct match_list sent;  /* In the truth. */
    uint64_t sent_invalid;
    bool truth_opened;
    struct truth truth;

    struct reconcile_suspect *suspects; /* Sorted by id once they are looked up. */
    size_t suspect_count;               /* Those beyond are counted and not told. */

    struct reconcile_finding *findings;
    struct reconcile_reservation reservations[RECONCILE_RESERVATIONS_MAX];
    size_t reservation_count;
};

/* Zeroed memory until the close. NULL and a fault: there is none. */
void *reconcile_reserve(struct reconcile *reconcile, size_t size, struct fault *ret_fault);

/* One more of this kind; the first few are kept. */
void reconcile_tell(struct reconcile *reconcile, enum reconcile_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "payments.jsonl/0@17" */
void reconcile_place(const struct reconcile *reconcile, int64_t source, int64_t offset,
                     char *ret_text, size_t size);

static inline struct money_sum reconcile_wide(uint64_t low, uint64_t high)
{
    __extension__ unsigned __int128 wide = (unsigned __int128)high << 64 | low;

    return (struct money_sum){(money_wide)wide};
}

/* sums */
MUST_USE enum outcome reconcile_read_standing(struct reconcile *reconcile, struct fault *ret_fault);
MUST_USE enum outcome reconcile_read_epochs(struct reconcile *reconcile, struct fault *ret_fault);
MUST_USE enum outcome reconcile_count_total(struct reconcile *reconcile, uint32_t source,
                                            uint8_t tally, const char *currency,
                                            const struct money *amount, struct fault *ret_fault);
void reconcile_compare_totals(struct reconcile *reconcile);

/* windows */
MUST_USE enum outcome reconcile_read_windows(struct reconcile *reconcile, struct fault *ret_fault);
void reconcile_count_window(struct reconcile *reconcile, const struct row *row,
                            struct money amount);
MUST_USE enum outcome reconcile_compare_windows(struct reconcile *reconcile,
                                                struct fault *ret_fault);

/* rows */
MUST_USE enum outcome reconcile_read_rows(struct reconcile *reconcile, struct fault *ret_fault);

/* match */
MUST_USE enum outcome reconcile_match_begin(struct reconcile *reconcile, struct fault *ret_fault);
void reconcile_match_row(struct reconcile *reconcile, struct span id, struct money amount,
                         const char *currency, enum verdict verdict);
MUST_USE enum outcome reconcile_match_truth(struct reconcile *reconcile, struct fault *ret_fault);

/* confirm */
MUST_USE enum outcome reconcile_confirm_rows(struct reconcile *reconcile, struct fault *ret_fault);
MUST_USE enum outcome reconcile_confirm_truth(struct reconcile *reconcile, struct fault *ret_fault);

#endif
