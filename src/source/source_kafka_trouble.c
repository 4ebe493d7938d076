#include "base/plural.h"
#include "source/source_kafka_parts.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned long long number(uint64_t value)
{
    return value;
}

/* "payment-events/3" */
static const char *name_of(const struct kafka_source *kafka, char ret_name[TOPIC_TEXT_MAX])
{
    (void)snprintf(ret_name, TOPIC_TEXT_MAX, "%.250s/%u", kafka->source.origin.topic,
                   kafka->source.origin.partition);
    return ret_name;
}

static enum kafka_step halted(struct kafka_source *kafka)
{
    kafka->halted = true;
    return STEP_HALTED;
}

void kafka_say(struct kafka_source *kafka, const char *format, ...)
{
    char text[KAFKA_LINE_SIZE];
    char name[TOPIC_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    int size = snprintf(text, sizeof(text), "%.200s: ", name_of(kafka, name));
    (void)vsnprintf(text + size, sizeof(text) - (size_t)size, format, arguments);
    va_end(arguments);
    kafka_partition_say(kafka->partition, text);
}

void kafka_say_passed(struct kafka_source *kafka, uint64_t first)
{
    kafka->passed = true;
    kafka_say(kafka,
              "retention has deleted the record at offset %llu, by which the partition would be "
              "known again (oldest is %llu); reading goes on at %llu, where nothing is missing",
              number(kafka->mark.offset), number(first), number(kafka->next));
}

static enum kafka_step stale(struct kafka_source *kafka, const char *why)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_SOURCE_STALE, "%s is read by a new client: %.200s",
                   name_of(kafka, name), why);
    return halted(kafka);
}

/* What is gone is for a person to accept: nobody else may go on behind it. */
static enum kafka_step gone(struct kafka_source *kafka, uint64_t next, const char *before)
{
    char name[TOPIC_TEXT_MAX];

    kafka->source.gone_first = kafka->next;
    kafka->source.gone_next = next;
    fault_next(&kafka->fault,
               "%s; to go on without them: payonce accept-gap %.100s %llu %llu --by WHO", before,
               name_of(kafka, name), number(kafka->next), number(next - 1));
    return halted(kafka);
}

enum kafka_step kafka_lost(struct kafka_source *kafka, uint64_t first)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_KAFKA_LOST,
                   "the next offset %llu of %s has been deleted by retention (oldest is %llu): "
                   "%llu offset%s %s gone",
                   number(kafka->next), name_of(kafka, name), number(first),
                   number(first - kafka->next), plural(first - kafka->next),
                   plural_verb(first - kafka->next));
    return gone(kafka, first, "look for them in a backup or mirror of the topic");
}

enum kafka_step kafka_truncated(struct kafka_source *kafka, uint64_t end)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_SOURCE_TRUNCATED,
                   "%s ends at offset %llu, and has been read up to %llu: %llu offset%s %s gone "
                   "from its end",
                   name_of(kafka, name), number(end), number(kafka->next),
                   number(kafka->next - end), plural(kafka->next - end),
                   kafka->next - end == 1 ? "has" : "have");
    fault_next(
        &kafka->fault,
        "if a broker lost its tail, bring the records back and start again; if the topic was "
        "made anew: payonce adopt-topic %.100s --by WHO",
        kafka->source.origin.topic);
    return halted(kafka);
}

enum kafka_step kafka_replaced(struct kafka_source *kafka, const char *instead)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_SOURCE_REPLACED,
                   "%s is not the partition that was read: at offset %llu %s", name_of(kafka, name),
                   number(kafka->mark.offset), instead);
    fault_next(&kafka->fault,
               "bring the old topic back; or read the new one from its start: payonce adopt-topic "
               "%.100s --by WHO",
               kafka->source.origin.topic);
    return halted(kafka);
}

/* Nothing is at the offset that was asked for: what is there now says why. */
static enum kafka_step judge_bounds(struct kafka_source *kafka, const char *why)
{
    uint64_t first = 0;
    uint64_t end = 0;

    if (kafka_partition_bounds(kafka->partition, &first, &end, &kafka->fault) != DONE) {
        return stale(kafka, why);
    }
    if (first > kafka->next) {
        return kafka_lost(kafka, first);
    }
    if (!kafka->matched && first > kafka->mark.offset) {
        kafka_say_passed(kafka, first);
        return kafka_assign_at(kafka, false);
    }
    if (end < kafka->next) {
        return kafka_truncated(kafka, end);
    }
    return stale(kafka, why);
}

static enum kafka_step judge_damage(struct kafka_source *kafka, const char *why)
{
    char name[TOPIC_TEXT_MAX];

    if (!kafka->damaged) {
        kafka->damaged = true;
        return kafka_assign_at(kafka, kafka->marked && !kafka->passed);
    }
    (void)fault_is(&kafka->fault, BROKEN, FAULT_KAFKA_DAMAGED,
                   "%s is damaged behind offset %llu, and was when asked again, too: %.200s",
                   name_of(kafka, name), number(kafka->next), why);
    return halted(kafka);
}

static enum kafka_step not_allowed(struct kafka_source *kafka, int error, const char *why)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_SOURCE_PERMISSION,
                   "%s may not be read: %.200s (%s)", name_of(kafka, name), why,
                   kafka_error_name(error));
    fault_next(&kafka->fault,
               "give this user the right to READ topic %.100s; a payonce that runs "
               "tries again by itself, every 30 s",
               kafka->source.origin.topic);
    return halted(kafka);
}

static enum kafka_step refused(struct kafka_source *kafka, int error, const char *why)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_SOURCE_READ, "%s cannot be read on: %.200s (%s)",
                   name_of(kafka, name), why, kafka_error_name(error));
    fault_next(&kafka->fault, "look at the brokers' logs; then start again");
    return halted(kafka);
}

enum kafka_step kafka_judge_error(struct kafka_source *kafka, const struct kafka_record *record)
{
    char why[200];

    kafka_escape(record->text == NULL ? "" : record->text, why, sizeof(why));
    if (record->kind == KAFKA_STALE) {
        return stale(kafka, why);
    }
    switch (kafka_error_class(record->error)) {
    case KAFKA_PASSING:
        kafka->counts.errors++;
        return STEP_ON;
    case KAFKA_OUTSIDE:
        return judge_bounds(kafka, why);
    case KAFKA_DAMAGED:
        return judge_damage(kafka, why);
    case KAFKA_MISSING:
    case KAFKA_FATAL:
        return stale(kafka, why);
    case KAFKA_NOT_ALLOWED:
        return not_allowed(kafka, record->error, why);
    case KAFKA_FENCED:
    case KAFKA_STRANGE:
        break;
    }
    return refused(kafka, record->error, why);
}

enum kafka_step kafka_missing(struct kafka_source *kafka, uint64_t to)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_KAFKA_GAP,
                   "%s: offset %llu is expected, and %llu came: %llu offset%s %s missing",
                   name_of(kafka, name), number(kafka->next), number(to), number(to - kafka->next),
                   plural(to - kafka->next), plural_verb(to - kafka->next));
    return gone(kafka, to, "if producers use transactions, set source.kafka.gaps to confirm");
}

enum kafka_step kafka_beyond(struct kafka_source *kafka, uint64_t offset)
{
    char name[TOPIC_TEXT_MAX];

    (void)fault_is(&kafka->fault, BROKEN, FAULT_SOURCE_LIMIT,
                   "%s: offset %llu is beyond what can be recorded", name_of(kafka, name),
                   number(offset));
    return halted(kafka);
}
