#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *code;
    const char *name;
    enum fault_class class;
    const char *next;
} table[FAULT_CODE_COUNT] = {[FAULT_NONE] = {"", "none", FAULT_CLASS_NONE, ""},
#define FAULT_ROW(fault, code, name, class, next) [fault] = {code, name, class, next},
                             FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

enum outcome fault_is(struct fault *ret_fault, enum outcome outcome, enum fault_code code,
                      const char *format, ...)
{
    must(outcome != DONE);
    must(code < FAULT_CODE_COUNT);

    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(ret_fault->text, sizeof(ret_fault->text), format, arguments);
    va_end(arguments);
    ret_fault->code = code;
    ret_fault->next[0] = '\0';
    return outcome;
}

void fault_next(struct fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->next, sizeof(fault->next), format, arguments);
    va_end(arguments);
}

const char *fault_code_text(enum fault_code code)
{
    must(code < FAULT_CODE_COUNT);
    return table[code].code;
}

const char *fault_code_name(enum fault_code code)
{
    must(code < FAULT_CODE_COUNT);
    return table[code].name;
}

enum fault_class fault_code_class(enum fault_code code)
{
    must(code < FAULT_CODE_COUNT);
    return table[code].class;
}

const char *fault_code_next(enum fault_code code)
{
    must(code < FAULT_CODE_COUNT);
    return table[code].next;
}
