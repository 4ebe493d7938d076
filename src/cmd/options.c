#include "cmd/options.h"

#include "cmd/say.h"
#include "cmd/suggest.h"

#include <stdlib.h>
#include <string.h>

static int wrong_option(const struct options *options, const char *word)
{
    struct suggestion suggestion = {.word = word + strspn(word, "-")};

    for (const struct option *option = options->known; option->name != NULL; option++) {
        suggest_offer(&suggestion, option->name);
    }
    if (suggestion.best != NULL) {
        (void)say_usage(options->command, "unknown option \"%s\"; did you mean --%s?", word,
                        suggestion.best);
    } else {
        (void)say_usage(options->command, "unknown option \"%s\"", word);
    }
    return '?';
}

static bool take_common(struct options *options, int letter)
{
    struct config_request *request = &options->request;

    request->sets = options->sets;
    if (letter == 'c') {
        request->file = optarg;
    } else if (letter == OPTION_NO_COLOR) {
        (void)setenv("NO_COLOR", "1", 1);
    } else if (letter == OPTION_JSON) {
        options->json = true;
    } else if (letter == 'q') {
        options->quiet = true;
    } else if (letter == 'v') {
        options->verbose = true;
    } else if (letter == OPTION_SET && request->set_count < OPTIONS_SETS_MAX) {
        options->sets[request->set_count++] = optarg;
    } else {
        return false;
    }
    return true;
}

/* ":qvc:", from the list of options; the colon in front keeps getopt silent. */
static void list_letters(const struct option *known, char ret_letters[2 * OPTIONS_LETTERS_MAX + 2])
{
    size_t size = 0;

    ret_letters[size++] = ':';
    for (const struct option *option = known; option->name != NULL; option++) {
        if (option->val < OPTION_SET) {
            must(size < 2 * OPTIONS_LETTERS_MAX);
            ret_letters[size++] = (char)option->val;
            if (option->has_arg == required_argument) {
                ret_letters[size++] = ':';
            }
        }
    }
    ret_letters[size] = '\0';
}

int options_next(struct options *options)
{
    char letters[2 * OPTIONS_LETTERS_MAX + 2];

    list_letters(options->known, letters);
    opterr = 0;
    for (;;) {
        int at = optind == 0 ? 1 : optind;
        int letter = getopt_long(options->count, options->arguments, letters, options->known, NULL);
        if (letter == ':') {
            (void)say_usage(options->command, "%s takes a value", options->arguments[optind - 1]);
            return '?';
        }
        if (letter == '?') {
            /* getopt moves words around, but the one it stumbled on is the one before. */
            const char *word = options->arguments[optind - 1];
            return wrong_option(options, word[0] == '-' ? word : options->arguments[at]);
        }
        if (letter == OPTION_SET && options->request.set_count == OPTIONS_SETS_MAX) {
            (void)say_usage(options->command, "more than %d times --set", OPTIONS_SETS_MAX);
            return '?';
        }
        if (letter == -1 || !take_common(options, letter)) {
            return letter;
        }
    }
}

int options_rest(const struct options *options, char ***ret_rest)
{
    *ret_rest = options->arguments + optind;
    return options->count - optind;
}

bool options_names_config(const char *argument)
{
    const char *dot = strrchr(argument, '.');

    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

bool options_take_inputs(struct options *options)
{
    char **rest;
    int count = options_rest(options, &rest);

    if (count > 0 && options->request.file == NULL && options_names_config(rest[0])) {
        options->request.file = *rest++;
        count--;
    }
    for (int index = 0; index < count; index++) {
        if (options_names_config(rest[index])) {
            (void)say_usage(options->command,
                            "%s: a configuration stands in front of the files, or behind -c",
                            rest[index]);
            return false;
        }
    }
    for (int index = 0; index < count && count > 1; index++) {
        if (strcmp(rest[index], "-") == 0) {
            (void)say_usage(options->command, "either - (standard input) or files");
            return false;
        }
    }
    options->request.inputs = (const char *const *)rest;
    options->request.input_count = (size_t)count;
    return true;
}
