#include "pay/refusal.h"

static const struct {
    const char *code;
    const char *label;
    const char *sentence;
} table[REFUSAL_COUNT] = {
#define REFUSAL_ROW(reason, code, label, sentence) [reason] = {code, label, sentence},
    REFUSALS(REFUSAL_ROW)
#undef REFUSAL_ROW
};

const char *refusal_code(enum refusal_reason reason)
{
    must(reason < REFUSAL_COUNT);
    return table[reason].code;
}

const char *refusal_label(enum refusal_reason reason)
{
    must(reason < REFUSAL_COUNT);
    return table[reason].label;
}

const char *refusal_sentence(enum refusal_reason reason)
{
    must(reason < REFUSAL_COUNT);
    return table[reason].sentence;
}
