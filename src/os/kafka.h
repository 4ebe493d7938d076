/*
 * kafka: the door to Kafka: how a client is set up, what it says, what its errors mean.
 *
 * os/kafka*.c are the only files that include librdkafka, and nothing of it shows in their
 * headers. kafka_read.h is the reading side, kafka_write.h the writing side; both open their
 * client here, so that what must hold for every client is written once:
 *
 *   - Some properties are ours (kafka_property.c): what would lose or double a message if it
 *     stood otherwise. Whoever sets one of them to something else is refused, by name.
 *   - Some are denied, before the library sees them: those that load code or run programs.
 *   - A secret comes from a file that only its owner may read, or from the environment; it is
 *     wiped once it has been handed over, and never printed.
 *   - What the library logs is kept as a few lines for whoever speaks (cmd/): control
 *     characters escaped, long ones cut, many of them counted instead.
 *
 * Works with librdkafka from 2.0.2 on, and never relies on a newer one to be safe.
 */
#ifndef OS_KAFKA_H
#define OS_KAFKA_H

#include "base/fault.h"

enum {
    KAFKA_CLIENT_ID_MAX = 64, /* Longer ones crash older libraries. */
    KAFKA_CLUSTER_SIZE = 64,  /* A cluster's id, with its zero byte. */
    KAFKA_LINE_SIZE = 320,
    KAFKA_LINES_MAX = 32,
    KAFKA_WAIT_MS = 5000, /* Whoever asks a broker waits so long at most. */
};

struct kafka_property {
    const char *name;
    const char *value;
};

/* Where a secret is. Both NULL: there is none. */
struct kafka_secret {
    const char *file;     /* Its first line; others must not be allowed to read the file. */
    const char *variable; /* Of the environment. */
};

/* What is lent here must stand until the client is open. NULL: not set. */
struct kafka_settings {
    const char *brokers;   /* "host:port,host:port" */
    const char *client_id; /* At most KAFKA_CLIENT_ID_MAX bytes. */
    const char *protocol;  /* plaintext, ssl, sasl_plaintext, sasl_ssl */
    const char *mechanism; /* PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 */
    const char *username;
    struct kafka_secret password;
    const char *ca_file;
    const char *certificate_file;
    const char *key_file;
    struct kafka_secret key_password;
    const struct kafka_property *extra; /* The user's own, as librdkafka calls them. */
    size_t extra_count;
    bool debug_allowed; /* The property `debug` may show what messages hold. */
};

/* Something worth a line in a log. level: as of syslog, 3 an error, 4 a warning, 6 a notice. */
struct kafka_line {
    int level;
    char text[KAFKA_LINE_SIZE];
};

/* What an error asks for. */
enum kafka_class {
    KAFKA_PASSING,     /* The library tries again by itself. */
    KAFKA_OUTSIDE,     /* There is nothing at this offset: retention, or the topic is another. */
    KAFKA_DAMAGED,     /* Bytes came that are not what was written. */
    KAFKA_MISSING,     /* The topic or partition is not there. */
    KAFKA_NOT_ALLOWED, /* Credentials, or a right that is missing. */
    KAFKA_FENCED,      /* Somebody else writes under the same name. */
    KAFKA_FATAL,       /* This client is of no use any more; a new one may be. */
    KAFKA_STRANGE,     /* Nothing we know how to go on from. */
};

/* Text of the library's, made fit to be shown: what is not plain ASCII is escaped. size >= 5. */
void kafka_escape(const char *text, char *ret_text, size_t size);

enum kafka_class kafka_error_class(int error);
const char *kafka_error_name(int error); /* "_TRANSPORT", "UNKNOWN_TOPIC_OR_PART" */

/* May the property be given by a user? REFUSED: no, and the fault names the reason. */
MUST_USE enum outcome kafka_property_check(const struct kafka_property *property,
                                           bool debug_allowed, struct fault *ret_fault);

/* "2.0.2"; and what to warn of at start with this version, or NULL. */
const char *kafka_version(void);
const char *kafka_version_warning(void);

/* What is worth a loud line at start about these settings, one each index; NULL: no more. */
const char *kafka_settings_warning(const struct kafka_settings *settings, size_t index);

/* So many of them, the first, are of what others could read or forge on the way. */
size_t kafka_settings_risks(const struct kafka_settings *settings);

#endif
