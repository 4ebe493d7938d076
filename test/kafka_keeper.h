/*
 * kafka_keeper: what a mock cluster does not know of transactions.
 *
 * A mock cluster answers all that a transaction asks for, but forgets the cursor that it carries,
 * and shows the records of an aborted one. The keeper stands between a program and librdkafka
 * (link it with the wraps of test/meson.build) and makes up for both: a cursor is committed
 * to the cluster when its transaction is, and of each record it knows whether it counts.
 *
 * For one transactional producer, which writes to partition 0 of one topic. Start and stop it
 * while nothing is written.
 */
#ifndef TEST_KAFKA_KEEPER_H
#define TEST_KAFKA_KEEPER_H

#include "base/base.h"

/* Cursors are those of this group, at this topic. */
void kafka_keeper_start(const char *brokers, const char *group, const char *topic);
void kafka_keeper_stop(void);

/* A commit that is answered by an error: is it carried out all the same? At first: no. */
void kafka_keeper_carry_out(bool unknown);

/* How many commits were answered by errors for good? */
unsigned kafka_keeper_unknown(void);

/*
 * How often a committed record has each key: of "p0-17" (three bytes, then the number) in
 * ret_counts[17]. A key of another number is a failure. It reads as a client that trusts nothing
 * of the cluster's transactions: a newer mock knows of them, and writes markers whose checksums
 * are wrong.
 */
void kafka_keeper_count(unsigned *ret_counts, size_t count);

/* Somebody else claims the cursor: it stands where it stood, with another owner beside it. */
void kafka_keeper_usurp(void);

#endif
