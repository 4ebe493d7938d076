/*
 * fuzz_decided: any bytes at all as the file of an operator's decision.
 *
 * What is read from them is within its limits, comes out of what is written of it again, and
 * makes a note's text that is read as the same.
 */
#include "engine/decided.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[DECIDED_SIZE_MAX];
    char note[RULING_TEXT_MAX];
    char told[DECIDED_TOLD_SIZE];
    struct decided decided;
    struct decided again;
    struct ruling ruling;
    struct fault fault;

    if (decided_read((struct span){data, size}, &decided, &fault) != DONE) {
        must(fault.code == FAULT_DECISION && fault.text[0] != '\0');
        return 0;
    }
    must(decided.first <= decided.last && decided.last <= OFFSET_MAX);
    must(strlen(decided.topic) > 0 && strlen(decided.topic) <= TOPIC_TEXT_MAX);
    struct span written = {text, decided_write(&decided, text)};
    must(decided_read(written, &again, &fault) == DONE);
    must(memcmp(&decided, &again, sizeof(decided)) == 0);
    must(ruling_read(decided_ruling(&decided, note), &ruling));
    must(ruling.kind == decided.kind && ruling.id == decided.id);
    must(ruling.by.size == strlen(decided.by));
    must(memcmp(ruling.by.at, decided.by, ruling.by.size) == 0);
    decided_tell(&decided, told);
    must(strlen(told) < sizeof(told));
    return 0;
}
