#include "cmd/commands.h"

#include "cmd/help_parts.h"
#include "cmd/say.h"
#include "cmd/settings.h"
#include "cmd/suggest.h"
#include "pay/refusal.h"

#include <string.h>
#include <strings.h>

const char help_help[] =
    "Usage: payonce help [COMMAND | settings [PATH] | exit-codes | CODE | HALT]\n"
    "\n"
    "Examples:\n"
    "  payonce help run\n"
    "  payonce help settings                    every setting, its default\n"
    "  payonce help settings dedup.retention    all about one\n"
    "  payonce help exit-codes\n"
    "  payonce help C003                        what an error code means\n"
    "  payonce help state_full                  the same, by its name\n";

static void list_commands(void)
{
    static const char *const groups[] = {"Start", "Run", "Check", "Look", "Repair", "Help"};

    (void)printf("payonce - records every payment exactly once\n"
                 "Usage: payonce <command> [options]\n\n");
    for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]); group++) {
        const char *heading = groups[group];
        for (const struct command *command = commands; command->name != NULL; command++) {
            if (strcmp(command->group, groups[group]) == 0) {
                (void)printf("%-8s  %-11s  %s\n", heading, command->name, command->summary);
                heading = "";
            }
        }
    }
    (void)printf(
        "\npayonce <command> --help has examples.   Exit codes: payonce help exit-codes\n");
}

static void list_exit_codes(void)
{
    (void)printf("exit  meaning\n"
                 "   0  done, healthy, reconciled; a clean stop after SIGTERM or SIGINT\n"
                 "   1  it ran and the answer is no: not reconciled, warnings with --strict\n"
                 "   2  wrong usage\n"
                 "  65  halted: a person must decide (never restart by itself); a service stays\n"
                 "      alive, halted, and only run --until-caught-up ends with this\n"
                 "  69  something needed could not be reached in time; a restart helps\n"
                 "  70  a bug in payonce\n"
                 "  74  a write or fsync failed; never retried\n"
                 "  75  another process owns data_dir or the pipeline; a restart waits its turn\n"
                 "  77  not allowed: permissions\n"
                 "  78  the configuration is wrong\n");
}

/* By its code or its name, in letters of any size. */
static bool explain_fault(const char *word)
{
    for (int fault = FAULT_NONE + 1; fault < FAULT_CODE_COUNT; fault++) {
        const char *code = fault_code_text((enum fault_code)fault);
        const char *name = fault_code_name((enum fault_code)fault);
        if (strcasecmp(code, word) == 0 || strcasecmp(name, word) == 0) {
            (void)printf("%s  %s\n\nexit code  %d\nnext       %s\n", code, name,
                         say_exit_code(fault_code_class((enum fault_code)fault)),
                         fault_code_next((enum fault_code)fault));
            return true;
        }
    }
    return false;
}

/* Codes of rows in payment_dead_letters. */
static bool explain_reason(const char *word)
{
    static const char *const others[][3] = {
        {"P201", "late", "its event time is at or before the watermark"},
        {"P202", "future",
         "its event time is further ahead of its arrival than "
         "watermark.max_future"},
        {"P301", "conflict",
         "an accepted payment has this transaction_id and another amount, "
         "currency, sender, receiver or status"},
    };

    for (int reason = REFUSAL_NONE + 1; reason < REFUSAL_COUNT; reason++) {
        const char *code = refusal_code((enum refusal_reason)reason);
        const char *label = refusal_label((enum refusal_reason)reason);
        if (strcasecmp(code, word) == 0 || strcasecmp(label, word) == 0) {
            (void)printf("%s  invalid (%s): %s\n\nThe message is kept as a row of "
                         "payment_dead_letters.\n",
                         code, label, refusal_sentence((enum refusal_reason)reason));
            return true;
        }
    }
    for (size_t index = 0; index < sizeof(others) / sizeof(others[0]); index++) {
        if (strcasecmp(others[index][0], word) == 0 || strcasecmp(others[index][1], word) == 0) {
            (void)printf("%s  %s: %s\n\nThe message is kept as a row of payment_dead_letters.\n",
                         others[index][0], others[index][1], others[index][2]);
            return true;
        }
    }
    return false;
}

static int unknown(const char *topic)
{
    struct suggestion suggestion = {.word = topic};

    for (const struct command *command = commands; command->name != NULL; command++) {
        suggest_offer(&suggestion, command->name);
    }
    suggest_offer(&suggestion, "settings");
    suggest_offer(&suggestion, "exit-codes");
    for (int fault = FAULT_NONE + 1; fault < FAULT_CODE_COUNT; fault++) {
        suggest_offer(&suggestion, fault_code_name((enum fault_code)fault));
    }
    if (suggestion.best != NULL) {
        return say_usage("help", "no help on \"%s\"; did you mean \"%s\"?", topic, suggestion.best);
    }
    return say_usage("help", "no help on \"%s\"", topic);
}

int command_help(int count, char **arguments)
{
    const char *topic = count > 1 ? arguments[1] : NULL;
    const struct command *command = topic == NULL ? NULL : command_named(topic);

    if (topic != NULL && strcmp(topic, "settings") == 0 && count <= 3) {
        return help_settings(count == 3 ? arguments[2] : NULL);
    }
    if (count > 2) {
        return say_usage("help", "\"%s\" is one word too many", arguments[2]);
    }
    if (topic == NULL) {
        list_commands();
    } else if (command != NULL) {
        (void)fputs(command->help, stdout);
    } else if (strcmp(topic, "exit-codes") == 0) {
        list_exit_codes();
    } else if (setting_named(topic) != SETTING_NAMES || help_has_settings(topic)) {
        return help_settings(topic);
    } else if (!explain_fault(topic) && !explain_reason(topic)) {
        return unknown(topic);
    }
    return EXIT_DONE;
}
