/*
 * transact_double: os/kafka_transact.h without brokers: a cluster in memory that does to its
 * clients what Kafka's transactions may do, at each call, by a die.
 *
 * A commit is carried out and its answer is lost. A commit is lost on the way, and carried out
 * later, as long as nobody has fenced. A transaction takes too long and is ended. Any call finds
 * nobody. What was committed, in which order, is kept for the test to look at.
 */
#ifndef TEST_TRANSACT_DOUBLE_H
#define TEST_TRANSACT_DOUBLE_H

#include "base/base.h"

enum { DOUBLE_COMMITS_MAX = 4096, DOUBLE_TEXT_SIZE = 1024, DOUBLE_VALUE_SIZE = 2048 };

/* How often, in thousandths, each of these happens when it can. */
struct double_odds {
    uint32_t unreachable;
    uint32_t answer_lost; /* Of a commit that was carried out, and of a fence. */
    uint32_t late_commit; /* The request is lost for now. */
    uint32_t too_slow;    /* The transaction's time is over before its end. */
    uint32_t aborted;     /* Something fails before a commit is tried. */
    uint32_t outrun;      /* Somebody else fences just then: the client is of no use any more. */
};

/* One record of a committed transaction. */
struct double_record {
    uint64_t commit; /* Of which transaction, counted from 1. */
    uint32_t topic;
    size_t key_size;
    char key[DOUBLE_TEXT_SIZE];
    size_t value_size;
    char value[DOUBLE_VALUE_SIZE];
};

void double_start(uint64_t seed, const struct double_odds *odds);
void double_stop(void);
void double_set_odds(const struct double_odds *odds);

/* The cursor's text; NULL: none was committed. It may be taken away, or set by a stranger. */
const char *double_cursor(void);
void double_set_cursor(const char *text, uint64_t offset);
/* The topics are deleted and made anew, and with them the cursor. */
void double_empty(void);
/* The topics are gone, and with them the cursor; or (false) made anew, and empty. */
void double_take_away(bool gone);

size_t double_record_count(void);
const struct double_record *double_record(size_t index);
uint64_t double_commit_count(void);

/* Whoever was using it is gone: what it had open stays open. */
void double_forget_clients(void);

#endif
