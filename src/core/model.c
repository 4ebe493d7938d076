#include "core/model_parts.h"

#include <string.h>

void model_begin(struct model *model)
{
    memset(model, 0, sizeof(*model));
}

static int64_t thousandths_of(const struct told *told)
{
    int64_t value = told->units == 0 ? 100 : told->units;

    for (int64_t scale = told->scale; scale < 3; scale++) {
        value *= 10;
    }
    return value;
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

static void close_windows(struct model *model)
{
    for (;;) { /* In the order of time, and within a window of the first payment. */
        struct model_group *next = NULL;
        for (int index = 0; index < model->group_count; index++) {
            struct model_group *group = &model->groups[index];
            if (!group->closed && model->has_watermark && model->watermark_ms >= group->end_ms &&
                (next == NULL || group->start_ms < next->start_ms)) {
                next = group;
            }
        }
        if (next == NULL) {
            return;
        }
        next->closed = true;
        if (!next->touched) {
            next->touched = true;
            next->touched_as = model->touched_count++;
        }
    }
}

static void move_watermark(struct model *model)
{
    bool any = false;
    int64_t smallest = INT64_MAX;

    for (int index = 0; index < model->source_count; index++) {
        const struct model_source *source = &model->sources[index];
        if (source->active && !source->seen) {
            return;
        }
        if (source->active) {
            any = true;
            if (source->newest_ms - model->rules.lateness_ms < smallest) {
                smallest = source->newest_ms - model->rules.lateness_ms;
            }
        }
    }
    if (any && (!model->has_watermark || smallest > model->watermark_ms)) {
        model->has_watermark = true;
        model->watermark_ms = smallest;
        close_windows(model);
    }
}

static void forget(struct model *model)
{
    for (int index = 0; index < model->payment_count; index++) {
        struct model_payment *payment = &model->payments[index];
        if (model->has_watermark &&
            model->watermark_ms >= payment->event_ms + model->rules.retention_ms) {
            payment->remembered = false;
        }
    }
}

static void set_length(struct model *model, int64_t length_ms)
{
    int64_t until = model->has_watermark ? model->watermark_ms : 0;

    for (int index = 0; index < model->group_count; index++) {
        if (!model->groups[index].closed && model->groups[index].end_ms > until) {
            until = model->groups[index].end_ms;
        }
    }
    while (until % length_ms != 0) {
        until++;
    }
    while (model->length_count > 0 && model->length_from[model->length_count - 1] >= until) {
        model->length_count--;
    }
    if (model->length_count == 0 || model->length_ms[model->length_count - 1] != length_ms) {
        if (model->length_count == 8) {
            memmove(model->length_from, model->length_from + 1, 7 * sizeof(int64_t));
            memmove(model->length_ms, model->length_ms + 1, 7 * sizeof(int64_t));
            model->length_count--;
        }
        model->length_from[model->length_count] = until;
        model->length_ms[model->length_count++] = length_ms;
    }
}

void model_rules(struct model *model, const struct rules *rules)
{
    if (model->rules.window_ms != 0) {
        forget(model);
    }
    model->rules = *rules;
    set_length(model, rules->window_ms);
    while (model->sender_count > rules->senders_max) {
        memmove(model->senders, model->senders + 1,
                (size_t)--model->sender_count * sizeof(model->senders[0]));
    }
    move_watermark(model);
}

void model_join(struct model *model, uint64_t start)
{
    model->sources[model->source_count++] = (struct model_source){.active = true, .next = start};
}

void model_stand(struct model *model, int source, bool active)
{
    model->sources[source].active = active;
    move_watermark(model);
}

void model_start(struct model *model)
{
    for (int index = 0; index < model->source_count; index++) {
        model->sources[index].active = true;
    }
    move_watermark(model);
}

static struct model_sender *sender_of(struct model *model, const char *name)
{
    for (int index = 0; index < model->sender_count; index++) {
        if (strcmp(model->senders[index].name, name) == 0) {
            return &model->senders[index];
        }
    }
    return NULL;
}

static void weigh(struct model *model, const struct told *told, struct judgement *judgement)
{
    struct model_sender *sender = sender_of(model, text_or(told->sender, "payer"));
    int first = sender == NULL || sender->count < 31 ? 0 : sender->count - 31;

    judgement->velocity_60s = 1;
    judgement->count_5m = 1;
    for (int index = first; sender != NULL && index < sender->count; index++) {
        const struct model_payment *payment = &model->payments[sender->payments[index]];
        int64_t ago = told->event_ms - payment->event_ms;
        judgement->velocity_60s += ago >= 0 && ago < 60000;
        judgement->count_5m += ago >= 0 && ago < 300000;
        if (ago <= 60000 && ago >= -60000 && strcmp(payment->id, told->id) != 0 &&
            strcmp(payment->receiver, text_or(told->receiver, "shop")) == 0 &&
            strcmp(payment->currency, text_or(told->currency, "USD")) == 0 &&
            payment->thousandths == thousandths_of(told)) {
            judgement->look_alike_size = (uint8_t)strlen(payment->id);
            memcpy(judgement->look_alike_of, payment->id, judgement->look_alike_size);
        }
    }
}

static bool content_same(const struct model_payment *payment, const struct told *told)
{
    return payment->thousandths == thousandths_of(told) &&
           strcmp(payment->currency, text_or(told->currency, "USD")) == 0 &&
           strcmp(payment->sender, text_or(told->sender, "payer")) == 0 &&
           strcmp(payment->receiver, text_or(told->receiver, "shop")) == 0;
}

static struct judgement judge(struct model *model, const struct told *told)
{
    const struct model_source *source = &model->sources[told->source];
    struct judgement judgement = {.verdict = INVALID};
    const struct model_payment *first = NULL;
    int64_t arrival_ms = told->arrival_ms == 0 ? told->event_ms : told->arrival_ms;

    if (told->invalid) {
        return judgement;
    }
    if (told->event_ms > arrival_ms + model->rules.max_future_ms) {
        judgement.verdict = FUTURE;
        return judgement;
    }
    forget(model);
    for (int index = 0; index < model->payment_count; index++) {
        if (model->payments[index].remembered && strcmp(model->payments[index].id, told->id) == 0) {
            first = &model->payments[index];
        }
    }
    if ((source->seen && told->event_ms <= source->newest_ms - model->rules.lateness_ms) ||
        (model->has_watermark && told->event_ms <= model->watermark_ms)) {
        judgement.verdict = LATE;
        judgement.known_id = first != NULL;
    } else if (first == NULL) {
        judgement.verdict = ACCEPTED;
        weigh(model, told, &judgement);
    } else {
        judgement.verdict = content_same(first, told) ? DUPLICATE : CONFLICT;
        judgement.earlier = judgement.verdict == DUPLICATE && told->event_ms < first->event_ms;
        judgement.first_source = first->source;
        judgement.first_offset = first->offset;
        judgement.first_event_ms = first->event_ms;
    }
    return judgement;
}

struct judgement model_take(struct model *model, const struct told *told)
{
    struct model_source *source = &model->sources[told->source];
    struct judgement judgement = judge(model, told);

    source->next = told->offset + 1;
    model->counts[told->source][judgement.verdict]++;
    if (judgement.verdict == INVALID || judgement.verdict == FUTURE) {
        return judgement;
    }
    if (judgement.verdict == ACCEPTED) {
        model_accept(model, told, thousandths_of(told));
    }
    source->newest_ms =
        source->seen && source->newest_ms > told->event_ms ? source->newest_ms : told->event_ms;
    source->seen = true;
    source->active = true;
    move_watermark(model);
    return judgement;
}
