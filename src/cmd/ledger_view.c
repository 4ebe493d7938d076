#include "cmd/ledger_view.h"

#include "os/memory.h"

enum outcome ledger_view_open(struct ledger_view *view, const char *type_name,
                              const struct sink_settings *settings, struct fault *ret_fault)
{
    const struct sink_type *type = sink_type_named(type_name);
    struct sink_settings looking = *settings;

    looking.read_only = true;
    looking.snapshot = true;
    must(type != NULL); /* The configuration takes no other. */
    *view = (struct ledger_view){.size = type->size};
    if (memory_reserve(view->size, &view->memory, ret_fault) != DONE) {
        return BROKEN;
    }
    view->sink = view->memory;
    enum outcome outcome = sink_open(view->sink, type, &looking, ret_fault);
    if (outcome != DONE) {
        view->sink = NULL;
        ledger_view_close(view);
    }
    return outcome;
}

void ledger_view_close(struct ledger_view *view)
{
    if (view->sink != NULL) {
        sink_close(view->sink);
    }
    memory_release(view->memory, view->size);
    *view = (struct ledger_view){0};
}
