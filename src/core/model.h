/*
 * model: the rules of judging once more, slow and plain, for tests only.
 *
 * Lists and texts, walked from end to end: no hash, no digest, no tree, no sweep. It shares
 * no code with what it is compared with but the structs. Written from DESIGN section 2, not
 * from the code.
 */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include "core/world.h"

enum {
    MODEL_SOURCES = 4,
    MODEL_PAYMENTS = 512,
    MODEL_SENDERS = 16,
    MODEL_GROUPS = 512,
    MODEL_TEXT = 80,
};

struct model_source {
    bool active;
    bool seen;
    int64_t newest_ms;
    uint64_t next;
};

struct model_payment {
    char id[MODEL_TEXT];
    char sender[MODEL_TEXT];
    char receiver[MODEL_TEXT];
    char currency[4];
    int64_t thousandths; /* Its amount. */
    int64_t event_ms;
    uint16_t source;
    uint64_t offset;
    bool remembered;
};

struct model_sender {
    char name[MODEL_TEXT];
    int payments[MODEL_PAYMENTS]; /* All since it came, by number; the last 32 count. */
    int count;
};

struct model_group {
    int64_t start_ms;
    int64_t end_ms;
    char region[MODEL_TEXT];
    char currency[4];
    int64_t count;
    int64_t thousandths;
    int64_t least;
    int64_t most;
    bool touched;
    int touched_as; /* Its place among what the epoch touched. */
    bool closed;
};

struct model {
    struct rules rules;
    bool has_watermark;
    int64_t watermark_ms;
    struct model_source sources[MODEL_SOURCES];
    int source_count;
    struct model_payment payments[MODEL_PAYMENTS]; /* All accepted, in order. */
    int payment_count;
    struct model_sender senders[MODEL_SENDERS]; /* Who paid longest ago first. */
    int sender_count;
    struct model_group groups[MODEL_GROUPS];
    int group_count;
    int touched_count;
    int64_t length_from[8];
    int64_t length_ms[8];
    int length_count;
    int64_t counts[MODEL_SOURCES][TALLY_COUNT];
};

void model_begin(struct model *model);
void model_rules(struct model *model, const struct rules *rules);
void model_join(struct model *model, uint64_t start);
void model_stand(struct model *model, int source, bool active);
void model_start(struct model *model);

/* Judge and take in. */
struct judgement model_take(struct model *model, const struct told *told);

/* The group touched `index`-th in this epoch; NULL: no more. */
const struct model_group *model_touched(const struct model *model, int index);
void model_epoch_end(struct model *model);

#endif
