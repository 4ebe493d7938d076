/*
 * network: the road between a test in C and its brokers: proxy.py, and the script `brokers`.
 *
 * Both are found in $KAFKA_TOOLS. Whatever fails here ends the test.
 */
#ifndef TEST_KAFKA_NETWORK_H
#define TEST_KAFKA_NETWORK_H

#include "base/base.h"

struct network;

struct network *network_start(void);
void network_stop(struct network *network);

/* Where whoever uses it finds the brokers. NULL: these have no addresses of the proxy's. */
const char *network_brokers(void);

/* One command of proxy.py; the second is given so much later, while the test goes on. */
void network_tell(struct network *network, const char *command);
void network_tell_later(struct network *network, int seconds, const char *command);

/* A verb of `brokers` on this cluster: "allow", "payonce write topic t". */
void network_brokers_do(const char *verb, const char *words);

#endif
