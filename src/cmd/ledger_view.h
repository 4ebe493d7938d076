/*
 * ledger_view: a ledger opened for looking only, with the memory it needs.
 */
#ifndef CMD_LEDGER_VIEW_H
#define CMD_LEDGER_VIEW_H

#include "sink/sink.h"

struct ledger_view {
    struct sink *sink;
    void *memory;
    size_t size;
};

/* As of one moment, beside whoever writes it. LATER: it is busy; ask again. */
MUST_USE enum outcome ledger_view_open(struct ledger_view *view, const char *type_name,
                                       const struct sink_settings *settings,
                                       struct fault *ret_fault);
void ledger_view_close(struct ledger_view *view);

#endif
