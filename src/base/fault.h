/*
 * fault: what went wrong, for the person who has to mend it.
 *
 * Every failure a user can meet has one line in the table below: a stable code, a
 * name, what kind of ending it is, and what to do next. The sentence (what, where)
 * is written where it happens; `payonce help CODE` and the `next:` line come from here.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/base.h"

/* How it ends; cmd/ turns it into an exit code. */
enum fault_class {
    FAULT_CLASS_NONE,
    FAULT_CLASS_USAGE,       /* 2: wrong command line */
    FAULT_CLASS_HALT,        /* 65: a person must decide; a service stays alive, halted */
    FAULT_CLASS_UNAVAILABLE, /* 69: cannot be reached in time; a restart helps */
    FAULT_CLASS_BUG,         /* 70 */
    FAULT_CLASS_IO,          /* 74: a write or fsync failed; never retried */
    FAULT_CLASS_TEMPORARY,   /* 75: another owner; a restart waits its turn */
    FAULT_CLASS_PERMISSION,  /* 77 */
    FAULT_CLASS_CONFIG,      /* 78 */
};

/*  X(enum, code, name, class, what to do next)  Codes are stable: never reuse one. */
#define FAULTS(X)                                                                                  \
    X(FAULT_USAGE, "U001", "usage", FAULT_CLASS_USAGE, "payonce help")                             \
    X(FAULT_CONFIG_READ, "C001", "config_unreadable", FAULT_CLASS_CONFIG,                          \
      "check the file's path and permissions")                                                     \
    X(FAULT_CONFIG_SYNTAX, "C002", "config_syntax", FAULT_CLASS_CONFIG, "mend the YAML")           \
    X(FAULT_CONFIG_UNKNOWN_KEY, "C003", "unknown_key", FAULT_CLASS_CONFIG,                         \
      "payonce help settings lists every key")                                                     \
    X(FAULT_CONFIG_DUPLICATE_KEY, "C004", "duplicate_key", FAULT_CLASS_CONFIG,                     \
      "keep one of the two")                                                                       \
    X(FAULT_CONFIG_VALUE, "C010", "bad_value", FAULT_CLASS_CONFIG,                                 \
      "payonce help settings shows what each key takes")                                           \
    X(FAULT_CONFIG_UNIT, "C011", "no_unit", FAULT_CLASS_CONFIG, "write the unit: 60s, 1h, 4MiB")   \
    X(FAULT_CONFIG_RANGE, "C012", "out_of_range", FAULT_CLASS_CONFIG,                              \
      "payonce help settings shows the range")                                                     \
    X(FAULT_CONFIG_MISSING, "C013", "required_setting_missing", FAULT_CLASS_CONFIG,                \
      "payonce help settings shows an example")                                                    \
    X(FAULT_CONFIG_MEMORY, "C014", "larger_than_memory", FAULT_CLASS_CONFIG,                       \
      "lower state.memory_limit, or give the machine or container more memory")                    \
    X(FAULT_CONFIG_VARIABLE, "C015", "variable_not_set", FAULT_CLASS_CONFIG,                       \
      "set the environment variable, or give a default: ${NAME:-default}")                         \
    X(FAULT_CONFIG_STATE_TOO_SMALL, "C040", "state_cannot_fit", FAULT_CLASS_CONFIG,                \
      "raise state.memory_limit, or lower watermark.lateness and dedup.retention")                 \
    X(FAULT_CONFIG_LEDGER_MOVED, "C050", "ledger_moved", FAULT_CLASS_CONFIG,                       \
      "name the first sink as it was before")                                                      \
    X(FAULT_MEMORY, "M001", "no_memory", FAULT_CLASS_UNAVAILABLE,                                  \
      "lower state.memory_limit, or free memory")                                                  \
    X(FAULT_SOURCE_MISSING, "F001", "topic_missing", FAULT_CLASS_HALT,                             \
      "put the file back under this path, or take it out of source.file.paths")                    \
    X(FAULT_SOURCE_REPLACED, "F002", "topic_replaced", FAULT_CLASS_HALT,                           \
      "put the old file back; or read the new one from its start: payonce adopt-topic PATH "       \
      "--by WHO")                                                                                  \
    X(FAULT_SOURCE_TRUNCATED, "F003", "topic_truncated", FAULT_CLASS_HALT,                         \
      "put the old file back; or read the new one from its start: payonce adopt-topic PATH "       \
      "--by WHO")                                                                                  \
    X(FAULT_SOURCE_READ, "F004", "source_refused", FAULT_CLASS_HALT,                               \
      "make the file readable, then start again")                                                  \
    X(FAULT_SOURCE_PERMISSION, "F005", "source_not_allowed", FAULT_CLASS_PERMISSION,               \
      "give payonce permission to read it")                                                        \
    X(FAULT_SOURCE_LIMIT, "F006", "source_limit", FAULT_CLASS_HALT, "split the input")             \
    X(FAULT_SOURCE_STALE, "F010", "source_stale", FAULT_CLASS_UNAVAILABLE,                         \
      "payonce connects anew by itself, and reads on from its own cursor")                         \
    X(FAULT_KAFKA_SETTING, "K001", "kafka_setting", FAULT_CLASS_CONFIG,                            \
      "mend the setting; what librdkafka calls it stands in the line above")                       \
    X(FAULT_KAFKA_SECRET, "K002", "kafka_secret", FAULT_CLASS_CONFIG,                              \
      "put the secret into a file that only payonce may read (chmod 600)")                         \
    X(FAULT_KAFKA_UNREACHABLE, "K003", "kafka_unreachable", FAULT_CLASS_UNAVAILABLE,               \
      "look whether the brokers run and can be reached; payonce tries again by itself")            \
    X(FAULT_KAFKA_TOPIC, "K004", "kafka_topic_missing", FAULT_CLASS_CONFIG,                        \
      "create the topic, or mend its name")                                                        \
    X(FAULT_KAFKA_NOT_ALLOWED, "K005", "kafka_not_allowed", FAULT_CLASS_PERMISSION,                \
      "check the credentials, and that they allow WRITE and DESCRIBE of the topic")                \
    X(FAULT_KAFKA_WRITE, "K006", "kafka_not_written", FAULT_CLASS_UNAVAILABLE,                     \
      "look at the brokers; a record whose fate is unknown may stand in the topic")                \
    X(FAULT_KAFKA_COMPACTED, "K013", "topic_compacted", FAULT_CLASS_CONFIG,                        \
      "set cleanup.policy of the topic to delete: a payment's first message must not vanish")      \
    X(FAULT_KAFKA_LOST, "K021", "retention_passed", FAULT_CLASS_HALT,                              \
      "find the lost messages in a backup or mirror; or payonce accept-gap; lengthen "             \
      "retention.ms")                                                                              \
    X(FAULT_KAFKA_GAP, "K022", "offset_gap", FAULT_CLASS_HALT,                                     \
      "if producers use transactions, set source.kafka.gaps to confirm; else payonce accept-gap")  \
    X(FAULT_KAFKA_DAMAGED, "K023", "record_damaged", FAULT_CLASS_HALT,                             \
      "let another replica lead the partition; then start again")                                  \
    X(FAULT_JOURNAL_IO, "J001", "journal_io_error", FAULT_CLASS_IO,                                \
      "look at the volume (dmesg, SMART); then start again: nothing sealed is lost")               \
    X(FAULT_DATA_DIR_IN_USE, "J002", "data_dir_in_use", FAULT_CLASS_TEMPORARY,                     \
      "stop the other process, or give this one a data_dir of its own")                            \
    X(FAULT_DATA_DIR, "J003", "data_dir_unusable", FAULT_CLASS_PERMISSION,                         \
      "make data_dir a directory that payonce may write")                                          \
    X(FAULT_DISK_SPACE, "J004", "disk_space", FAULT_CLASS_UNAVAILABLE,                             \
      "free space on the volume of data_dir; payonce needs at least 64 MiB to start")              \
    X(FAULT_JOURNAL_FORMAT, "J005", "journal_format", FAULT_CLASS_CONFIG,                          \
      "run the version of payonce that wrote it")                                                  \
    X(FAULT_JOURNAL_CORRUPT, "J010", "journal_corrupt", FAULT_CLASS_HALT,                          \
      "restore the volume; or, with the ledger whole, move data_dir/journal away: the next start " \
      "rebuilds from the ledger")                                                                  \
    X(FAULT_LEDGER_LOST, "J021", "ledger_lost", FAULT_CLASS_HALT,                                  \
      "restore the ledger; or empty that sink and start again")                                    \
    X(FAULT_LEDGER_OTHER_HISTORY, "J022", "ledger_has_other_history", FAULT_CLASS_HALT,            \
      "name the right ledger and pipeline, or give this pipeline an empty ledger and journal")     \
    X(FAULT_LEDGER_GAP, "J023", "ledger_gap", FAULT_CLASS_HALT,                                    \
      "restore a newer backup of the ledger; the journal no longer reaches back that far")         \
    X(FAULT_FOLLOWER_AHEAD, "J024", "follower_ahead", FAULT_CLASS_HALT,                            \
      "empty that sink beyond the ledger's epoch")                                                 \
    X(FAULT_FENCED, "J030", "fenced", FAULT_CLASS_TEMPORARY,                                       \
      "find the second owner of this pipeline; a restart is safe")                                 \
    X(FAULT_POISON, "J040", "poison", FAULT_CLASS_HALT,                                            \
      "fix what kills the process, then remove data_dir/deaths and start again")                   \
    X(FAULT_STATE_FULL, "J041", "state_full", FAULT_CLASS_HALT,                                    \
      "raise state.memory_limit, then start again")                                                \
    X(FAULT_DECISION, "D001", "decision_refused", FAULT_CLASS_USAGE,                               \
      "decide what the line of the halt names; what was refused stands in data_dir/decisions")     \
    X(FAULT_SINK_BUSY, "S001", "sink_unreachable", FAULT_CLASS_UNAVAILABLE,                        \
      "end what holds the database; payonce tries again by itself")                                \
    X(FAULT_SINK_OPEN, "S002", "sink_cannot_open", FAULT_CLASS_PERMISSION,                         \
      "check the sink's path and its permissions")                                                 \
    X(FAULT_SINK_IO, "S003", "sink_io_error", FAULT_CLASS_IO,                                      \
      "look at the sink's volume, then start again: the journal holds what the sink lacks")        \
    X(FAULT_SINK_DAMAGED, "S004", "sink_damaged", FAULT_CLASS_HALT,                                \
      "restore the ledger from a backup: the journal refills what it lacks")                       \
    X(FAULT_SINK_SCHEMA, "S033", "sink_schema", FAULT_CLASS_CONFIG,                                \
      "give payonce a database of its own, or drop the foreign table")                             \
    X(FAULT_SINK_REPLACED, "S034", "sink_replaced", FAULT_CLASS_TEMPORARY,                         \
      "a restart opens the file that is there now and refills what it lacks")                      \
    X(FAULT_SINK_CURSOR_LOST, "S035", "sink_cursor_lost", FAULT_CLASS_HALT,                        \
      "name topics that are empty, or create these anew: it is then filled from the beginning")    \
    X(FAULT_OUTPUT, "O001", "output_failed", FAULT_CLASS_IO,                                       \
      "look at where the output goes, then run it again")                                          \
    X(FAULT_TRUTH, "T001", "truth_unreadable", FAULT_CLASS_USAGE,                                  \
      "a CSV file whose first line names transaction_id, amount and currency is expected")         \
    X(FAULT_BUG, "B001", "bug", FAULT_CLASS_BUG, "please report it with the lines above")

#define FAULT_ENUM(name, code, text, class, next) name,
enum fault_code { FAULT_NONE, FAULTS(FAULT_ENUM) FAULT_CODE_COUNT };
#undef FAULT_ENUM

struct fault {
    enum fault_code code;
    char text[480];
    char next[240]; /* What to do, if more is known than the table says; else empty. */
};

/*
 * Write the sentence and hand the outcome back, so a caller can return both in one
 * line. The outcome must not be DONE.
 */
enum outcome fault_is(struct fault *ret_fault, enum outcome outcome, enum fault_code code,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Say more exactly than the table what to do next. */
void fault_next(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *fault_code_text(enum fault_code code); /* "J021" */
const char *fault_code_name(enum fault_code code); /* "ledger_lost" */
enum fault_class fault_code_class(enum fault_code code);
const char *fault_code_next(enum fault_code code);

#endif
