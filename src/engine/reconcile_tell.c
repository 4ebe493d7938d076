#include "engine/reconcile_parts.h"

#include "os/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KIND_NAME(name, label, one, several) [name] = label,
#define KIND_WHAT(name, label, one, several) [name] = {one, several},

const char *reconcile_kind_name(enum reconcile_kind kind)
{
    static const char *const names[] = {RECONCILE_KINDS_OF(KIND_NAME)};

    must(kind < RECONCILE_KINDS);
    return names[kind];
}

const char *reconcile_kind_what(enum reconcile_kind kind, uint64_t count)
{
    static const char *const whats[][2] = {RECONCILE_KINDS_OF(KIND_WHAT)};

    must(kind < RECONCILE_KINDS);
    return whats[kind][count == 1 ? 0 : 1];
}

void *reconcile_reserve(struct reconcile *reconcile, size_t size, struct fault *ret_fault)
{
    struct reconcile_reservation *reservation =
        &reconcile->reservations[reconcile->reservation_count];

    must(reconcile->reservation_count < RECONCILE_RESERVATIONS_MAX);
    if (memory_reserve(size, &reservation->at, ret_fault) != DONE) {
        return NULL;
    }
    reservation->size = size;
    reconcile->reservation_count++;
    return reservation->at;
}

void reconcile_tell(struct reconcile *reconcile, enum reconcile_kind kind, const char *format, ...)
{
    size_t list_max = reconcile->settings.list_max;

    reconcile->report.found[kind]++;
    if (reconcile->report.told[kind] == list_max) {
        return;
    }
    struct reconcile_finding *finding =
        &reconcile->findings[kind * list_max + reconcile->report.told[kind]++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(finding->text, sizeof(finding->text), format, arguments);
    va_end(arguments);
    finding->kind = kind;
}

void reconcile_place(const struct reconcile *reconcile, int64_t source, int64_t offset,
                     char *ret_text, size_t size)
{
    if (source < 0 || (size_t)source >= reconcile->source_count) {
        (void)snprintf(ret_text, size, "an unknown source, offset %lld", (long long)offset);
        return;
    }
    const struct origin *origin = &reconcile->sources[source].origin;
    (void)snprintf(ret_text, size, "%s/%u@%lld", origin->topic, origin->partition,
                   (long long)offset);
}

void reconcile_currency(size_t index, char ret_text[4])
{
    must(index < RECONCILE_CURRENCIES);
    memset(ret_text, 0, 4);
    if (index < RECONCILE_CURRENCIES - 1) {
        ret_text[0] = (char)('A' + index / 26 / 26);
        ret_text[1] = (char)('A' + index / 26 % 26);
        ret_text[2] = (char)('A' + index % 26);
    }
}

size_t reconcile_currency_index(const char *currency)
{
    size_t index = 0;

    for (size_t letter = 0; letter < CURRENCY_SIZE; letter++) {
        if (currency[letter] < 'A' || currency[letter] > 'Z') {
            return RECONCILE_CURRENCIES - 1;
        }
        index = index * 26 + (size_t)(currency[letter] - 'A');
    }
    return index;
}
