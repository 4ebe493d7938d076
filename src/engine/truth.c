#include "engine/truth.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char *const columns[TRUTH_COLUMNS] = {
    [TRUTH_ID] = "transaction_id",
    [TRUTH_AMOUNT] = "amount",
    [TRUTH_CURRENCY] = "currency",
    [TRUTH_EXPECTED] = "expected",
};

static enum outcome wrong_line(const struct truth *truth, const char *what, struct span text,
                               struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_TRUTH, "%s:%llu: %s \"%.*s\"", truth->path,
                    (unsigned long long)truth->line, what, (int)text.size, (const char *)text.at);
}

/* The next line into text, without its end. LATER: no more. */
static enum outcome read_line(struct truth *truth, struct fault *ret_fault)
{
    errno = 0;
    if (fgets(truth->text, sizeof(truth->text), truth->stream) == NULL) {
        if (ferror(truth->stream) != 0) {
            return fault_is(ret_fault, BROKEN, FAULT_TRUTH, "%s: %s", truth->path, strerror(errno));
        }
        return LATER;
    }
    size_t size = strlen(truth->text);
    truth->line++;
    truth->bytes += size;
    if (size == sizeof(truth->text) - 1 && truth->text[size - 1] != '\n') {
        return wrong_line(truth, "a line that is too long", (struct span){truth->text, 32},
                          ret_fault);
    }
    while (size > 0 && (truth->text[size - 1] == '\n' || truth->text[size - 1] == '\r')) {
        size--;
    }
    truth->text[size] = '\0';
    return DONE;
}

/* A field in quotes, unquoted where it stands. False: the quotes do not close. */
static bool unquote(char **at, struct span *ret_field)
{
    char *from = *at + 1;
    char *to = *at;

    ret_field->at = to;
    while (*from != '\0' && (*from != '"' || from[1] == '"')) {
        from += *from == '"' ? 1 : 0;
        *to++ = *from++;
    }
    ret_field->size = (size_t)(to - (const char *)ret_field->at);
    *at = from + 1;
    return *from == '"' && (from[1] == ',' || from[1] == '\0');
}

/* The line's fields. -1: it cannot be taken apart. */
static int split(char *text, struct span fields[TRUTH_COLUMNS_MAX])
{
    for (int count = 0; count < TRUTH_COLUMNS_MAX;) {
        struct span *field = &fields[count++];
        if (*text == '"') {
            if (!unquote(&text, field)) {
                return -1;
            }
        } else {
            field->at = text;
            field->size = strcspn(text, ",");
            text += field->size;
        }
        if (*text == '\0') {
            return count;
        }
        text++;
    }
    return -1;
}

static bool field_is(struct span field, const char *word)
{
    return field.size == strlen(word) && memcmp(field.at, word, field.size) == 0;
}

static enum outcome read_header(struct truth *truth, struct fault *ret_fault)
{
    struct span fields[TRUTH_COLUMNS_MAX];
    enum outcome outcome = read_line(truth, ret_fault);

    if (outcome == BROKEN) {
        return BROKEN;
    }
    int count = outcome == DONE ? split(truth->text, fields) : 0;
    for (int column = 0; column < TRUTH_COLUMNS; column++) {
        truth->places[column] = -1;
        for (int index = 0; index < count; index++) {
            if (field_is(fields[index], columns[column])) {
                truth->places[column] = index;
            }
        }
        if (truth->places[column] < 0 && column != TRUTH_EXPECTED) {
            return fault_is(ret_fault, BROKEN, FAULT_TRUTH, "%s:1: there is no column \"%s\"",
                            truth->path, columns[column]);
        }
    }
    return DONE;
}

enum outcome truth_open(struct truth *truth, const char *path, struct fault *ret_fault)
{
    struct stat status;

    *truth = (struct truth){.path = path, .stream = fopen(path, "re")};
    if (truth->stream == NULL || fstat(fileno(truth->stream), &status) != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_TRUTH, "%s: %s", path, strerror(errno));
    }
    truth->size = (uint64_t)status.st_size;
    return read_header(truth, ret_fault);
}

static bool read_expected(struct span field, struct truth_row *row)
{
    for (enum verdict verdict = ACCEPTED; verdict <= INVALID; verdict++) {
        if (field_is(field, verdict_name(verdict))) {
            row->expectation = true;
            row->expected = verdict;
            return true;
        }
    }
    return field.size == 0;
}

enum outcome truth_read(struct truth *truth, struct truth_row *ret_row, struct fault *ret_fault)
{
    struct span fields[TRUTH_COLUMNS_MAX];
    const int *places = truth->places;
    enum outcome outcome;

    do {
        outcome = read_line(truth, ret_fault);
    } while (outcome == DONE && truth->text[0] == '\0');
    if (outcome != DONE) {
        return outcome;
    }
    int count = split(truth->text, fields);
    for (int column = 0; column < TRUTH_COLUMNS; column++) {
        if (places[column] >= count) {
            return wrong_line(truth, "too few fields", (struct span){"", 0}, ret_fault);
        }
    }
    *ret_row = (struct truth_row){.id = fields[places[TRUTH_ID]]};
    if (ret_row->id.size == 0) {
        return wrong_line(truth, "no transaction_id", ret_row->id, ret_fault);
    }
    if (!money_read(fields[places[TRUTH_AMOUNT]], &ret_row->amount)) {
        return wrong_line(truth, "no plain decimal amount:", fields[places[TRUTH_AMOUNT]],
                          ret_fault);
    }
    struct span currency = fields[places[TRUTH_CURRENCY]];
    if (currency.size != CURRENCY_SIZE) {
        return wrong_line(truth, "no currency of three letters:", currency, ret_fault);
    }
    memcpy(ret_row->currency, currency.at, CURRENCY_SIZE);
    if (places[TRUTH_EXPECTED] >= 0 && !read_expected(fields[places[TRUTH_EXPECTED]], ret_row)) {
        return wrong_line(truth, "no verdict:", fields[places[TRUTH_EXPECTED]], ret_fault);
    }
    return DONE;
}

void truth_close(struct truth *truth)
{
    if (truth->stream != NULL) {
        (void)fclose(truth->stream);
        truth->stream = NULL;
    }
}
