/*
 * open_files: may this process have as many files open as its configuration names?
 */
#ifndef CMD_OPEN_FILES_H
#define CMD_OPEN_FILES_H

#include "base/fault.h"

/* Take as many as a configuration can need, if the system grants them. */
void open_files_raise(void);

/* BROKEN: so many input files cannot be open side by side; the fault says how many can. */
MUST_USE enum outcome open_files_fit(size_t paths, struct fault *ret_fault);

#endif
