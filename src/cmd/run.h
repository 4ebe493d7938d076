/*
 * run: the engine, started from a configuration, watched until its end.
 */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd/log.h"

/* From the start to the end, with signals. Returns the exit code. */
int run_engine(struct config *config, const struct log *log, bool quiet, bool json);

/* The engine's settings from the configuration: what only cmd/ knows is filled in. */
void run_settings(struct config *config, bool until_caught_up);

#endif
