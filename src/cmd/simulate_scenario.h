/*
 * simulate_scenario: what has been seen to happen, by name: settings that belong together.
 *
 * Whatever else the command line says comes on top of them.
 */
#ifndef CMD_SIMULATE_SCENARIO_H
#define CMD_SIMULATE_SCENARIO_H

#include "cmd/simulate.h"

/* False: there is none of that name. */
MUST_USE bool scenario_apply(const char *name, struct simulate_request *request);

/* Does it need a Kafka topic to write to? */
bool scenario_needs_kafka(const char *name);

/* "producer-retry, retry-storm, ..." */
extern const char scenario_names[];

#endif
