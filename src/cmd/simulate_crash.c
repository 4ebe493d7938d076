#include "cmd/simulate_kafka_parts.h"

#include "cmd/say.h"
#include "os/clock.h"

enum { LOOK_EVERY_MS = 200 };

enum outcome crash_open(struct kafka_sending *sending, const struct kafka_settings *client,
                        struct fault *ret_fault)
{
    struct kafka_crash *crash = &sending->crash;

    if (sending->kafka->set_back == 0) {
        return DONE;
    }
    for (size_t index = 0; index < SIMULATOR_OUTPUTS_MAX; index++) {
        crash->stood[index] = KAFKA_UNCOMMITTED;
    }
    return kafka_group_open(client, sending->kafka->group, &crash->group, ret_fault);
}

/* Where they moved since we left them, they go back; a consumer that starts anew goes on there. */
static uint64_t choose(struct kafka_sending *sending, uint64_t *offsets)
{
    struct kafka_crash *crash = &sending->crash;
    uint64_t by = sending->kafka->set_back;
    uint64_t moved = 0;

    for (uint32_t index = 0; index < sending->partition_count; index++) {
        if (offsets[index] == crash->stood[index] || offsets[index] == 0) {
            offsets[index] = KAFKA_UNCOMMITTED;
        }
        if (offsets[index] != KAFKA_UNCOMMITTED) {
            offsets[index] = offsets[index] < by ? 0 : offsets[index] - by;
            moved++;
        }
    }
    return moved;
}

static enum outcome set_back(struct kafka_sending *sending, struct fault *ret_fault)
{
    struct kafka_crash *crash = &sending->crash;
    uint64_t offsets[SIMULATOR_OUTPUTS_MAX];
    enum outcome outcome = kafka_group_read(crash->group, sending->kafka->topic, offsets,
                                            sending->partition_count, ret_fault);
    uint64_t moved = outcome == DONE ? choose(sending, offsets) : 0;

    if (moved > 0) {
        outcome = kafka_group_write(crash->group, sending->kafka->topic, offsets,
                                    sending->partition_count, ret_fault);
    }
    for (uint32_t index = 0; outcome == DONE && index < sending->partition_count; index++) {
        if (offsets[index] != KAFKA_UNCOMMITTED) {
            crash->stood[index] = offsets[index];
        }
    }
    crash->set_back += outcome == DONE ? moved : 0;
    if (outcome == REFUSED) {
        fault_next(ret_fault, "allow READ of group %s, or name another with --group",
                   sending->kafka->group);
    }
    return outcome == LATER ? DONE : firm(outcome); /* Another time. */
}

enum outcome crash_turn(struct kafka_sending *sending, struct fault *ret_fault)
{
    struct kafka_crash *crash = &sending->crash;
    int64_t now_ns = crash->group == NULL ? 0 : clock_steady_ns(&clock_real);

    if (crash->group == NULL || now_ns < crash->due_ns) {
        return DONE;
    }
    enum outcome outcome = set_back(sending, ret_fault);
    crash->due_ns = clock_steady_ns(&clock_real) + LOOK_EVERY_MS * (int64_t)MS_NS;
    return outcome;
}

enum outcome crash_end(struct kafka_sending *sending, struct fault *ret_fault)
{
    struct kafka_crash *crash = &sending->crash;

    if (crash->group == NULL) {
        return DONE;
    }
    enum outcome outcome = set_back(sending, ret_fault);
    if (outcome == DONE && crash->set_back == 0 && !sending->kafka->quiet) {
        say_note("group %s has committed nothing here: nothing was set back",
                 sending->kafka->group);
    }
    return outcome;
}
