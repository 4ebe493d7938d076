#include "test/sim/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACT_SIZE_MAX = 80, WORDS_MAX = 5 };

/* One act: its words, and the fault it must end with ("" for none). */
struct act {
    char text[ACT_SIZE_MAX];
    char *words[WORDS_MAX];
    size_t word_count;
    const char *expected;
    struct instance *instance; /* NULL: of the world. */
};

static size_t number_of(const struct act *act, size_t word, size_t otherwise)
{
    return act->word_count > word ? (size_t)strtoull(act->words[word], NULL, 10) : otherwise;
}

static enum outcome act_start(struct world *world, const struct act *act, struct fault *ret_fault)
{
    return instance_start(world, act->instance, ret_fault);
}

static enum outcome act_take(struct world *world, const struct act *act, struct fault *ret_fault)
{
    return instance_take(world, act->instance, number_of(act, 1, 1), ret_fault);
}

static enum outcome act_take_from(struct world *world, const struct act *act,
                                  struct fault *ret_fault)
{
    return instance_take_from(world, act->instance, (uint16_t)number_of(act, 1, 0),
                              number_of(act, 2, 1), ret_fault);
}

static enum outcome act_seal(struct world *world, const struct act *act, struct fault *ret_fault)
{
    return instance_seal(world, act->instance, ret_fault);
}

static enum outcome act_deliver(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)world;
    return instance_deliver(act->instance, number_of(act, 1, WORLD_EPOCHS_MAX), ret_fault);
}

static enum outcome act_follow(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)world;
    return follower_deliver(act->instance, number_of(act, 1, WORLD_EPOCHS_MAX), ret_fault);
}

static enum outcome act_audit_copy(struct world *world, const struct act *act,
                                   struct fault *ret_fault)
{
    (void)world;
    return follower_audit(act->instance, ret_fault);
}

static enum outcome act_audit(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)world;
    return instance_audit(act->instance, ret_fault);
}

static enum outcome act_trim(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)world;
    return pipeline_trim(&act->instance->pipeline, ret_fault);
}

static enum outcome act_finish(struct world *world, const struct act *act, struct fault *ret_fault)
{
    return instance_finish(world, act->instance, ret_fault);
}

static enum outcome act_kill(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    instance_kill(world, act->instance);
    return DONE;
}

/* The disk as it was has no future; what it counted is kept. */
static void leave_disk(struct world *world, struct instance *instance)
{
    instance_kill(world, instance);
    world_leave_disk(world, instance);
}

static enum outcome act_power(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    leave_disk(world, act->instance);
    disk_sim_restart(&act->instance->disk, number_of(act, 1, 0));
    world_burn_on(world, act->instance);
    return DONE;
}

static enum outcome act_lose(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    leave_disk(world, act->instance);
    disk_sim_free(&act->instance->disk);
    disk_sim_init(&act->instance->disk);
    world_burn_on(world, act->instance);
    return DONE;
}

static enum outcome act_clone(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    leave_disk(world, act->instance);
    disk_sim_copy(&act->instance->disk, &world->instances[act->words[1][0] - 'A'].disk);
    world_burn_on(world, act->instance);
    return DONE;
}

static enum outcome act_trouble(struct world *world, const struct act *act, struct fault *ret_fault)
{
    struct ledger_sim *ledger = &act->instance->ledger;

    (void)world;
    (void)ret_fault;
    ledger->trouble = strcmp(act->words[1], "unknown") == 0 ? LEDGER_UNKNOWN_APPLIED : LEDGER_BUSY;
    ledger->trouble_at = ledger->deliveries + number_of(act, 2, 1);
    return DONE;
}

static enum outcome act_trouble_copy(struct world *world, const struct act *act,
                                     struct fault *ret_fault)
{
    struct ledger_sim *copy = &act->instance->copy;

    (void)world;
    (void)ret_fault;
    copy->trouble = strcmp(act->words[1], "unknown") == 0 ? LEDGER_UNKNOWN_APPLIED : LEDGER_BUSY;
    copy->trouble_at = copy->deliveries + number_of(act, 2, 1);
    return DONE;
}

static enum outcome act_set(struct world *world, const struct act *act, struct fault *ret_fault)
{
    struct engine_settings *settings = &act->instance->settings;
    int64_t number = (int64_t)number_of(act, 2, 0);

    (void)world;
    (void)ret_fault;
    if (strcmp(act->words[1], "window") == 0) {
        settings->rules.window_ms = number * 1000;
    } else if (strcmp(act->words[1], "retention") == 0) {
        settings->rules.retention_ms = number * 1000;
    } else if (strcmp(act->words[1], "arrival") == 0) {
        act->instance->arrival_s = (int32_t)number;
    } else if (strcmp(act->words[1], "follows") == 0) {
        act->instance->follows = number != 0;
    } else if (strcmp(act->words[1], "path") == 0) {
        (void)snprintf(settings->sinks[0].path, sizeof(settings->sinks[0].path), "memory%lld",
                       (long long)number);
    } else {
        must_failed("no such setting", __FILE__, __LINE__);
    }
    return DONE;
}

static enum outcome act_save(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    ledger_store_copy(&world->saved[number_of(act, 1, 0)], &world->ledger);
    return DONE;
}

static enum outcome act_restore(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    ledger_store_copy(&world->ledger, &world->saved[number_of(act, 1, 0)]);
    return DONE;
}

static enum outcome act_save_copy(struct world *world, const struct act *act,
                                  struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    ledger_store_copy(&world->copy_saved, &world->copy);
    return DONE;
}

static enum outcome act_restore_copy(struct world *world, const struct act *act,
                                     struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    ledger_store_copy(&world->copy, &world->copy_saved);
    return DONE;
}

static enum outcome act_empty_copy(struct world *world, const struct act *act,
                                   struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    memset(&world->copy, 0, offsetof(struct ledger_store, bytes));
    return DONE;
}

static enum outcome act_wipe_copy(struct world *world, const struct act *act,
                                  struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    world->copy.exists = false;
    world->copy.head.epoch = 0;
    return DONE;
}

/* The ledger is lost; its follower takes its place. */
static enum outcome act_swap(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    ledger_store_copy(&world->ledger, &world->copy);
    return DONE;
}

static enum outcome act_empty(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    memset(&world->ledger, 0, offsetof(struct ledger_store, bytes));
    return DONE;
}

static enum outcome act_wipe(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)act;
    (void)ret_fault;
    world->ledger.exists = false;
    return DONE;
}

static enum outcome act_hours(struct world *world, const struct act *act, struct fault *ret_fault)
{
    (void)ret_fault;
    world->clock.now_ms += (int64_t)number_of(act, 1, 1) * 3600000;
    return DONE;
}

static const struct verb {
    const char *name;
    bool of_instance;
    enum outcome (*run)(struct world *world, const struct act *act, struct fault *ret_fault);
} verbs[] = {
    {"start", true, act_start},
    {"take", true, act_take},
    {"take-from", true, act_take_from},
    {"seal", true, act_seal},
    {"deliver", true, act_deliver},
    {"audit", true, act_audit},
    {"trim", true, act_trim},
    {"finish", true, act_finish},
    {"kill", true, act_kill},
    {"power", true, act_power},
    {"lose", true, act_lose},
    {"clone", true, act_clone},
    {"trouble", true, act_trouble},
    {"set", true, act_set},
    {"save", false, act_save},
    {"restore", false, act_restore},
    {"empty", false, act_empty},
    {"wipe", false, act_wipe},
    {"hours", false, act_hours},
    {"follow", true, act_follow},
    {"audit-copy", true, act_audit_copy},
    {"trouble-copy", true, act_trouble_copy},
    {"save-copy", false, act_save_copy},
    {"restore-copy", false, act_restore_copy},
    {"empty-copy", false, act_empty_copy},
    {"wipe-copy", false, act_wipe_copy},
    {"swap", false, act_swap},
};

/* The next act of the story; returns where the one after it begins, NULL: none left. */
static const char *read_act(struct world *world, const char *story, struct act *ret_act)
{
    size_t size = strcspn(story, "|");
    char *rest = NULL;

    memset(ret_act, 0, sizeof(*ret_act));
    must(size < ACT_SIZE_MAX);
    memcpy(ret_act->text, story, size);
    ret_act->expected = "";
    char *expected = strchr(ret_act->text, '=');
    if (expected != NULL) {
        *expected = '\0';
        ret_act->expected = strtok_r(expected + 1, " \n", &rest);
    }
    rest = NULL;
    char *word = strtok_r(ret_act->text, " \n", &rest);
    if (word != NULL && (strcmp(word, "A") == 0 || strcmp(word, "B") == 0)) {
        ret_act->instance = &world->instances[word[0] - 'A'];
        word = strtok_r(NULL, " \n", &rest);
    }
    for (; word != NULL && ret_act->word_count < WORDS_MAX; word = strtok_r(NULL, " \n", &rest)) {
        ret_act->words[ret_act->word_count++] = word;
    }
    return story[size] == '|' ? story + size + 1 : NULL;
}

static const struct verb *verb_of(const struct act *act)
{
    for (size_t index = 0; index < sizeof(verbs) / sizeof(verbs[0]); index++) {
        if (act->word_count > 0 && strcmp(verbs[index].name, act->words[0]) == 0 &&
            verbs[index].of_instance == (act->instance != NULL)) {
            return &verbs[index];
        }
    }
    must_failed("a story is told in verbs", __FILE__, __LINE__);
}

static bool as_told(const struct act *act, enum outcome outcome, struct fault *fault)
{
    const char *ended = outcome == DONE ? "" : fault_code_name(fault->code);

    if (strcmp(ended, act->expected) == 0) {
        return true;
    }
    struct fault before = *fault;
    (void)snprintf(fault->text, sizeof(fault->text), "%s %s: ended with \"%s\", not \"%s\": %.300s",
                   act->words[0], act->word_count > 1 ? act->words[1] : "", ended, act->expected,
                   outcome == DONE ? "" : before.text);
    return false;
}

bool story_run(struct world *world, const char *story, struct fault *ret_fault)
{
    while (story != NULL) {
        struct act act;
        story = read_act(world, story, &act);
        enum outcome outcome = verb_of(&act)->run(world, &act, ret_fault);
        if (world->instances[0].disk.dead) {
            return true;
        }
        if (!as_told(&act, outcome, ret_fault)) {
            return false;
        }
    }
    return true;
}
