/* What an accepted payment adds up to in the model. */
#include "core/model_parts.h"

#include <stdio.h>
#include <string.h>

static void copy_text(char *to, const char *text)
{
    (void)snprintf(to, MODEL_TEXT, "%s", text);
}

static struct model_group *group_of(struct model *model, int64_t start_ms, const char *region,
                                    const char *currency)
{
    for (int index = 0; index < model->group_count; index++) {
        struct model_group *group = &model->groups[index];
        if (group->start_ms == start_ms && strcmp(group->region, region) == 0 &&
            strcmp(group->currency, currency) == 0) {
            return group;
        }
    }
    return NULL;
}

static int own_groups(const struct model *model, int64_t start_ms)
{
    int count = 0;

    for (int index = 0; index < model->group_count; index++) {
        count += model->groups[index].start_ms == start_ms &&
                 strcmp(model->groups[index].region, "~other") != 0;
    }
    return count;
}

static void count_in_window(struct model *model, const struct told *told, int64_t amount)
{
    const char *region = told->region == NULL ? "" : told->region;
    const char *currency = told->currency == NULL ? "USD" : told->currency;
    int64_t until_ms = INT64_MAX;
    int length = model->length_count - 1;

    for (; length > 0 && model->length_from[length] > told->event_ms; length--) {
        until_ms = model->length_from[length];
    }
    int64_t start_ms = told->event_ms - told->event_ms % model->length_ms[length];
    int64_t end_ms = start_ms + model->length_ms[length];
    if (strlen(region) > 64) {
        region = "~other";
    }
    struct model_group *group = group_of(model, start_ms, region, currency);
    if (group == NULL && own_groups(model, start_ms) >= model->rules.window_groups_max) {
        region = "~other";
        group = group_of(model, start_ms, region, currency);
    }
    if (group == NULL) {
        group = &model->groups[model->group_count++];
        memset(group, 0, sizeof(*group));
        group->start_ms = start_ms;
        group->end_ms = end_ms < until_ms ? end_ms : until_ms;
        copy_text(group->region, region);
        (void)snprintf(group->currency, sizeof(group->currency), "%s", currency);
    }
    group->least = group->count == 0 || amount < group->least ? amount : group->least;
    group->most = group->count == 0 || amount > group->most ? amount : group->most;
    group->count++;
    group->thousandths += amount;
    if (!group->touched) {
        group->touched = true;
        group->touched_as = model->touched_count++;
    }
}

/* To the end of the list: who paid latest. */
static struct model_sender *latest_sender(struct model *model, const char *name)
{
    struct model_sender found;
    int at = 0;

    memset(&found, 0, sizeof(found));
    copy_text(found.name, name);
    while (at < model->sender_count && strcmp(model->senders[at].name, name) != 0) {
        at++;
    }
    if (at < model->sender_count) {
        found = model->senders[at];
    } else if (model->sender_count >= model->rules.senders_max) {
        at = 0;
    } else {
        model->sender_count++;
    }
    memmove(&model->senders[at], &model->senders[at + 1],
            (size_t)(model->sender_count - 1 - at) * sizeof(found));
    model->senders[model->sender_count - 1] = found;
    return &model->senders[model->sender_count - 1];
}

void model_accept(struct model *model, const struct told *told, int64_t amount)
{
    struct model_payment *payment = &model->payments[model->payment_count];
    const char *name = told->sender == NULL ? "payer" : told->sender;
    struct model_sender *sender = latest_sender(model, name);

    copy_text(payment->id, told->id);
    copy_text(payment->sender, name);
    copy_text(payment->receiver, told->receiver == NULL ? "shop" : told->receiver);
    (void)snprintf(payment->currency, sizeof(payment->currency), "%s",
                   told->currency == NULL ? "USD" : told->currency);
    payment->thousandths = amount;
    payment->event_ms = told->event_ms;
    payment->source = told->source;
    payment->offset = told->offset;
    payment->remembered = true;
    sender->payments[sender->count++] = model->payment_count++;
    count_in_window(model, told, amount);
}

const struct model_group *model_touched(const struct model *model, int index)
{
    for (int at = 0; at < model->group_count; at++) {
        if (model->groups[at].touched && model->groups[at].touched_as == index) {
            return &model->groups[at];
        }
    }
    return NULL;
}

void model_epoch_end(struct model *model)
{
    int kept = 0;

    for (int index = 0; index < model->group_count; index++) {
        model->groups[index].touched = false;
        if (!model->groups[index].closed) {
            model->groups[kept++] = model->groups[index];
        }
    }
    model->group_count = kept;
    model->touched_count = 0;
}
