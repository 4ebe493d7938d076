#include "pay/verdict.h"

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case ACCEPTED:
        return "accepted";
    case DUPLICATE:
        return "duplicate";
    case CONFLICT:
        return "conflict";
    case LATE:
        return "late";
    case FUTURE:
        return "future";
    case INVALID:
        return "invalid";
    case SKIPPED:
        return "skipped";
    }
    must_failed("a verdict has one of its values", __FILE__, __LINE__);
}
