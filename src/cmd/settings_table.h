/*
 * The table of settings: X(name, path, kind, default, range, help), in the order in which
 * conf/payonce.yaml prints them. See cmd/settings.h.
 */
#ifndef CMD_SETTINGS_TABLE_H
#define CMD_SETTINGS_TABLE_H

#define SECONDS(number) (INT64_C(1000) * (number))
#define MINUTES(number) (INT64_C(60000) * (number))
#define HOURS(number) (INT64_C(3600000) * (number))
#define DAYS(number) (INT64_C(86400000) * (number))
#define KIB(number) (INT64_C(1024) * (number))
#define MIB(number) (INT64_C(1048576) * (number))
#define TIB(number) (INT64_C(1099511627776) * (number))

/* One designated initializer each: struct setting's least, most and choices. */
#define FROM_TO(low, high) .least = (low), .most = (high)
#define ONE_OF(words) .choices = (words)
#define UP_TO_OF(high, words) .most = (high), .choices = (words)
#define ANY .choices = NULL

/* clang-format off: one setting, one entry, the help as it will be printed. */
#define SETTINGS(X)                                                                                \
    X(SET_PIPELINE, "pipeline", SETTING_NAME, "payments", FROM_TO(1, 64),                          \
      "name of this history: the key in every sink. Never the name of a host or pod")              \
    X(SET_DATA_DIR, "data_dir", SETTING_PATH, "/var/lib/payonce", FROM_TO(1, 900),                 \
      "the journal of sealed epochs (the checkpoint), held by one process. Must outlive it")       \
    X(SET_SOURCE_TYPE, "source.type", SETTING_CHOICE, "file", ONE_OF("file|stdin|kafka"),          \
      "where payments come from")                                                                  \
    X(SET_SOURCE_PARSER_THREADS, "source.parser_threads", SETTING_COUNT, "auto", FROM_TO(1, 16),   \
      "threads that parse; auto: one less than the processors, 1 to 4")                            \
    X(SET_SOURCE_FILE_PATHS, "source.file.paths", SETTING_PATHS, "[]", FROM_TO(0, 1024),           \
      "JSON lines; each file is a partition, a line's number its offset. Read to their end and "   \
      "merged by event time. Required for type file")                                              \
    X(SET_KAFKA_BROKERS, "source.kafka.brokers", SETTING_LONG_TEXTS, "[]", FROM_TO(0, 64),         \
      "host:port of some brokers; they name the others. Required for type kafka")                  \
    X(SET_KAFKA_TOPICS, "source.kafka.topics", SETTING_LONG_TEXTS, "[]", FROM_TO(0, 64),           \
      "all their partitions are read by this process. Required for type kafka")                    \
    X(SET_KAFKA_GROUP, "source.kafka.group", SETTING_NAME, "auto", FROM_TO(1, 200),                \
      "what is committed under this name is for tools that show a lag; nothing reads it back; "    \
      "auto: payonce-PIPELINE")                                                                    \
    X(SET_KAFKA_START, "source.kafka.start", SETTING_TEXT, "earliest", FROM_TO(1, 40),             \
      "where a new pipeline begins, and never asked again: earliest, latest, or a time: "          \
      "2026-02-25T00:00:00Z")                                                                      \
    X(SET_KAFKA_GAPS, "source.kafka.gaps", SETTING_CHOICE, "confirm",                              \
      ONE_OF("strict|confirm|count"),                                                              \
      "offsets that are missing: strict halts, confirm reads again before it counts them as "      \
      "skipped, count counts them")                                                                \
    X(SET_KAFKA_MEMORY, "source.kafka.fetch_memory", SETTING_SIZE, "64MiB",                        \
      FROM_TO(MIB(1), MIB(16384)), "for what is fetched and not taken, all partitions together")   \
    X(SET_KAFKA_TLS, "source.kafka.tls.enabled", SETTING_BOOL, "false", ANY,                       \
      "encrypt, and check the brokers' certificates")                                              \
    X(SET_KAFKA_CA, "source.kafka.tls.ca_file", SETTING_TEXT, "none", FROM_TO(1, 1000),            \
      "who signs the brokers' certificates; none: whom the system trusts")                         \
    X(SET_KAFKA_CERT, "source.kafka.tls.cert_file", SETTING_TEXT, "none", FROM_TO(1, 1000),        \
      "our own certificate, if the brokers ask for one")                                           \
    X(SET_KAFKA_KEY, "source.kafka.tls.key_file", SETTING_TEXT, "none", FROM_TO(1, 1000),          \
      "its private key")                                                                           \
    X(SET_KAFKA_KEY_PASSWORD_FILE, "source.kafka.tls.key_password_file", SETTING_TEXT, "none",     \
      FROM_TO(1, 1000), "the file whose first line opens the key; nobody else may read it")        \
    X(SET_KAFKA_MECHANISM, "source.kafka.sasl.mechanism", SETTING_CHOICE, "none",                  \
      ONE_OF("none|plain|scram-sha-256|scram-sha-512"), "how payonce says who it is")              \
    X(SET_KAFKA_USERNAME, "source.kafka.sasl.username", SETTING_TEXT, "none", FROM_TO(1, 255),     \
      "its name there")                                                                            \
    X(SET_KAFKA_PASSWORD_FILE, "source.kafka.sasl.password_file", SETTING_TEXT, "none",            \
      FROM_TO(1, 1000), "the file whose first line is the password; nobody else may read it")      \
    X(SET_KAFKA_PASSWORD_VARIABLE, "source.kafka.sasl.password_variable", SETTING_TEXT, "none",    \
      FROM_TO(1, 100), "or the environment variable that holds it")                                \
    X(SET_KAFKA_EXTRA, "source.kafka.extra", SETTING_TEXT_BY_NAME, "{}", FROM_TO(0, 64),           \
      "librdkafka's own properties, as in {fetch.wait.max.ms: 50}; those that could lose or "      \
      "double a payment, or run a program, are refused")                                           \
    X(SET_LONGEST_OUTAGE, "source.longest_outage", SETTING_DURATION, "24h", FROM_TO(0, DAYS(365)), \
      "how long payonce may be down; check wants the topic's retention to cover it, lateness and " \
      "dedup.retention")                                                                           \
    X(SET_FIELD_ID, "payment.fields.transaction_id", SETTING_TEXTS, "[transaction_id]",            \
      FROM_TO(1, 8), "where to find it: the first one present wins, null counts as absent")        \
    X(SET_FIELD_EVENT_TIME, "payment.fields.event_time", SETTING_TEXTS, "[event_time, timestamp]", \
      FROM_TO(1, 8),                                                                               \
      "when it happened: s, ms, us or ns of the years 2000 to 2100, told by size, or RFC 3339")    \
    X(SET_FIELD_SENDER, "payment.fields.sender_account_id", SETTING_TEXTS,                         \
      "[sender_account_id, sender]", FROM_TO(1, 8), "who pays")                                    \
    X(SET_FIELD_RECEIVER, "payment.fields.receiver_account_id", SETTING_TEXTS,                     \
      "[receiver_account_id, receiver]", FROM_TO(1, 8), "who is paid")                             \
    X(SET_FIELD_AMOUNT, "payment.fields.amount", SETTING_TEXTS, "[amount]", FROM_TO(1, 8),         \
      "a decimal number above 0; kept exactly as sent")                                            \
    X(SET_FIELD_CURRENCY, "payment.fields.currency", SETTING_TEXTS, "[currency]", FROM_TO(1, 8),   \
      "three capital letters")                                                                     \
    X(SET_CARRY, "payment.carry", SETTING_TEXTS,                                                   \
      "[region, payment_method, status, device_id, ip_address]", FROM_TO(0, 8),                    \
      "fields that become columns beside those above. Fixed once a ledger has been written")       \
    X(SET_ONLY, "payment.only", SETTING_TEXTS_BY_NAME, "{}", FROM_TO(0, 1),                        \
      "read only messages whose field has one of these values, as in {status: [SUCCESS]}; the "    \
      "others are counted as skipped")                                                             \
    X(SET_MAX_DECIMALS, "payment.amount.max_decimals", SETTING_COUNT, "9", FROM_TO(0, 9),          \
      "more places than this make an amount invalid")                                              \
    X(SET_UNKNOWN_FIELDS, "payment.unknown_fields", SETTING_CHOICE, "ignore",                      \
      ONE_OF("ignore|reject"), "what to make of a field that no setting names")                    \
    X(SET_DROP, "privacy.drop", SETTING_TEXTS, "[cvv, cvc, cvv2, pin, card_expiry]",               \
      FROM_TO(0, 16), "fields that are never kept; gone before anything is written")               \
    X(SET_MASK, "privacy.mask", SETTING_CHOICE_BY_NAME, "{credit_card: last4}",                    \
      UP_TO_OF(16, "last4|drop"),                                                                  \
      "how a field is kept, if payment.carry names it: last4 or drop. Card numbers in other "      \
      "texts are masked anyway")                                                                   \
    X(SET_LATENESS, "watermark.lateness", SETTING_DURATION, "1h", FROM_TO(0, DAYS(30)),            \
      "the watermark is the newest event time less this; a payment at or before it is late")       \
    X(SET_MAX_FUTURE, "watermark.max_future", SETTING_DURATION, "5m", FROM_TO(0, DAYS(1)),         \
      "clock skew allowed; further ahead of its arrival is future, and moves nothing")             \
    X(SET_IDLE_AFTER, "watermark.idle_after", SETTING_DURATION, "30s",                             \
      FROM_TO(SECONDS(1), DAYS(1)),                                                                \
      "a partition silent at its end for so long stops holding the watermark back")                \
    X(SET_ALIGN, "watermark.align", SETTING_DURATION, "10m", FROM_TO(SECONDS(1), DAYS(30)),        \
      "while partitions have a backlog, none is taken from that is so far ahead of the slowest")   \
    X(SET_RETENTION, "dedup.retention", SETTING_DURATION, "=watermark.lateness",                   \
      FROM_TO(0, DAYS(30)), "an id is kept until the watermark is this far past it")               \
    X(SET_FRAUD_ENABLED, "fraud.enabled", SETTING_BOOL, "true", ANY,                               \
      "a score on accepted payments, never a verdict")                                             \
    X(SET_FRAUD_SCORE, "fraud.score", SETTING_RECORDS,                                             \
      "[{when: amount > 5000 USD, add: 30}, {when: amount > 1000 USD, add: 15}, "                  \
      "{when: count_5m > 10, add: 40}, {when: count_5m > 5, add: 25}]",                            \
      FROM_TO(0, 16), "rules that match add up, at most 100; a rule on amount names its currency") \
    X(SET_FRAUD_WHEN, "fraud.score[].when", SETTING_RULE, "", ANY,                                 \
      "one comparison (> >= < =) of amount, velocity_60s, count_5m or look_alike with a number")   \
    X(SET_FRAUD_ADD, "fraud.score[].add", SETTING_COUNT, "", FROM_TO(1, 100), "points")            \
    X(SET_HIGH_RISK, "fraud.high_risk_above", SETTING_COUNT, "60", FROM_TO(0, 100),                \
      "a score above this sets is_high_risk")                                                      \
    X(SET_MAX_SENDERS, "fraud.max_senders", SETTING_COUNT, "1000000", FROM_TO(1, 100000000),       \
      "senders whose latest payments are remembered; the one paid longest ago leaves first")       \
    X(SET_WINDOW_EVERY, "metrics_window.every", SETTING_DURATION, "1m",                            \
      FROM_TO(SECONDS(1), DAYS(1)), "one row of payment_metrics for so long, region and currency") \
    X(SET_WINDOW_GROUPS, "metrics_window.max_groups", SETTING_COUNT, "1000", FROM_TO(1, 100000),   \
      "a window; further ones are counted under region ~other")                                    \
    X(SET_EPOCH_INTERVAL, "checkpoint.interval", SETTING_DURATION, "5ms", FROM_TO(1, MINUTES(1)),  \
      "an epoch is sealed (one fsync) when the last fsync is back, at the latest after this")      \
    X(SET_EPOCH_MESSAGES, "checkpoint.max_messages", SETTING_COUNT, "10000", FROM_TO(1, 100000),   \
      "or after so many messages")                                                                 \
    X(SET_EPOCH_BYTES, "checkpoint.max_bytes", SETTING_SIZE, "4MiB", FROM_TO(KIB(64), MIB(64)),    \
      "or so many bytes of its largest table")                                                     \
    X(SET_JOURNAL_KEEP, "journal.keep", SETTING_DURATION, "7d", FROM_TO(0, DAYS(3650)),            \
      "how old a backup of the ledger may be and still be refilled from the journal")              \
    X(SET_JOURNAL_MAX, "journal.max_bytes", SETTING_SIZE, "auto", FROM_TO(MIB(64), TIB(1024)),     \
      "shortens keep, never what a sink lacks or the live ids need; auto: half the volume")        \
    X(SET_JOURNAL_SEGMENT, "journal.segment_size", SETTING_SIZE, "64MiB",                          \
      FROM_TO(MIB(1), MIB(4096)), "of one journal file")                                           \
    X(SET_EXPECTED_RATE, "state.expected_rate", SETTING_RATE, "1000/s", FROM_TO(1, 100000000),     \
      "payments; rate x (lateness + retention + align) ids must fit into memory_limit")            \
    X(SET_MEMORY_LIMIT, "state.memory_limit", SETTING_SIZE, "auto", FROM_TO(MIB(16), TIB(64)),     \
      "for ids, senders, windows. Reaching it is the halt state_full; auto: 60 % of the cgroup "   \
      "or machine")                                                                                \
    X(SET_RECONCILE, "reconcile.every", SETTING_DURATION, "1h", FROM_TO(0, DAYS(30)),              \
      "run compares totals and tables by itself; 0s: never")                                       \
    X(SET_SINKS, "sinks", SETTING_RECORDS, "[{name: local, type: sqlite}]", FROM_TO(1, 8),         \
      "where the tables go. The first one is the ledger: it decides what has happened; the "       \
      "others follow it, each at its own pace")                                                    \
    X(SET_SINK_NAME, "sinks[].name", SETTING_NAME, "", FROM_TO(1, 64),                             \
      "for messages and commands")                                                                 \
    X(SET_SINK_TYPE, "sinks[].type", SETTING_CHOICE, "", ONE_OF("sqlite|kafka"),                   \
      "sqlite: one file. kafka: topics; it always follows, so that a lone one gets a ledger of "   \
      "cursors, data_dir/ledger.db")                                                               \
    X(SET_SINK_PATH, "sinks[].path", SETTING_PATH, "=data_dir/payments.db", FROM_TO(1, 1000),      \
      "sqlite: the database file. On another volume than data_dir, one lost volume loses nothing") \
    X(SET_SINK_TRANSACTIONS, "sinks[].topics.payment_transactions", SETTING_TEXT, "none",          \
      FROM_TO(1, 249), "kafka: the topic for the payments, and for the sink's cursor. Required")   \
    X(SET_SINK_DUPLICATES, "sinks[].topics.payment_duplicates", SETTING_TEXT, "none",              \
      FROM_TO(1, 249), "kafka: the topic for duplicates; none: they are not sent")                 \
    X(SET_SINK_DEAD_LETTERS, "sinks[].topics.payment_dead_letters", SETTING_TEXT, "none",          \
      FROM_TO(1, 249), "kafka: the same for what is late, future, invalid, or in conflict")        \
    X(SET_SINK_METRICS, "sinks[].topics.payment_metrics", SETTING_TEXT, "none", FROM_TO(1, 249),   \
      "kafka: the same for windows: a version with each transaction that changed it")              \
    X(SET_SINK_BROKERS, "sinks[].kafka.brokers", SETTING_LONG_TEXTS, "=source.kafka.brokers",      \
      FROM_TO(1, 64),                                                                              \
      "kafka: host:port of some brokers. Without it, the whole connection of source.kafka holds")  \
    X(SET_SINK_TLS, "sinks[].kafka.tls.enabled", SETTING_BOOL, "false", ANY,                       \
      "all below kafka: as in source.kafka")                                                       \
    X(SET_SINK_CA, "sinks[].kafka.tls.ca_file", SETTING_TEXT, "none", FROM_TO(1, 1000),            \
      "as in source.kafka")                                                                        \
    X(SET_SINK_CERT, "sinks[].kafka.tls.cert_file", SETTING_TEXT, "none", FROM_TO(1, 1000),        \
      "as in source.kafka")                                                                        \
    X(SET_SINK_KEY, "sinks[].kafka.tls.key_file", SETTING_TEXT, "none", FROM_TO(1, 1000),          \
      "as in source.kafka")                                                                        \
    X(SET_SINK_KEY_PASSWORD_FILE, "sinks[].kafka.tls.key_password_file", SETTING_TEXT, "none",     \
      FROM_TO(1, 1000), "as in source.kafka")                                                      \
    X(SET_SINK_MECHANISM, "sinks[].kafka.sasl.mechanism", SETTING_CHOICE, "none",                  \
      ONE_OF("none|plain|scram-sha-256|scram-sha-512"), "as in source.kafka")                      \
    X(SET_SINK_USERNAME, "sinks[].kafka.sasl.username", SETTING_TEXT, "none", FROM_TO(1, 255),     \
      "as in source.kafka")                                                                        \
    X(SET_SINK_PASSWORD_FILE, "sinks[].kafka.sasl.password_file", SETTING_TEXT, "none",            \
      FROM_TO(1, 1000), "as in source.kafka")                                                      \
    X(SET_SINK_PASSWORD_VARIABLE, "sinks[].kafka.sasl.password_variable", SETTING_TEXT, "none",    \
      FROM_TO(1, 100), "as in source.kafka")                                                       \
    X(SET_SINK_EXTRA, "sinks[].kafka.extra", SETTING_TEXT_BY_NAME, "{}", FROM_TO(0, 64),           \
      "as in source.kafka")                                                                        \
    X(SET_SINK_ROWS, "sinks[].deliver.max_rows", SETTING_COUNT, "auto", FROM_TO(1, 10000000),      \
      "one transaction carries whole epochs; none is added after so many rows; auto: 50000, for "  \
      "kafka 20000")                                                                               \
    X(SET_SINK_WAIT, "sinks[].deliver.max_wait", SETTING_DURATION, "auto", FROM_TO(1, MINUTES(1)), \
      "or after so long; auto: 200ms, for kafka 50ms")                                             \
    X(SET_SINK_BACKLOG, "sinks[].max_backlog", SETTING_SIZE, "auto", FROM_TO(MIB(1), TIB(1024)),   \
      "bytes of journal kept while it is behind. Further behind, for the ledger reading waits, "   \
      "and another sink is filled from the ledger's rows; auto: journal.max_bytes")                \
    X(SET_LOG_LEVEL, "log.level", SETTING_CHOICE, "info", ONE_OF("info|warn|error"),               \
      "what is said on stderr; payments are in the journal")                                       \
    X(SET_LOG_FORMAT, "log.format", SETTING_CHOICE, "auto", ONE_OF("auto|text|json"),              \
      "auto: text on a terminal, JSON lines else")                                                 \
    X(SET_LOG_SUMMARY, "log.summary_every", SETTING_DURATION, "60s", FROM_TO(0, DAYS(1)),          \
      "one line with the counts so far; 0s: none")                                                 \
    X(SET_SHUTDOWN_GRACE, "shutdown_grace", SETTING_DURATION, "20s", FROM_TO(0, HOURS(1)),         \
      "after SIGTERM, how long to go on delivering what is sealed")
/* clang-format on */

#endif
