/*
 * check: would it run? The configuration, then what it names, one line each.
 *
 * ok, warn or error, what, and the findings; results go to stdout. Nothing is changed but for a
 * small file in data_dir that is written, synced and removed again.
 */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include "cmd/options.h"
#include "pay/payment.h"

enum { CHECK_SAMPLE_STANDARD = 100, CHECK_SAMPLE_MAX = 10000 };

struct check_request {
    bool wanted;
    bool offline;    /* Only the configuration: nothing it names is looked at. */
    bool strict;     /* Warnings count: exit code 1. */
    bool production; /* What can lose payments when a broker dies is an error. */
    size_t sample_max;
};

/* With the options' configuration. Returns the exit code: that of the first error, else 0. */
int check_run(struct options *options, const struct check_request *request);

/* For the parts of it (check_sample.c, check_place.c). */
enum check_level { CHECK_OK, CHECK_WARN, CHECK_ERROR };

struct check {
    const struct config *config;
    const struct check_request *request;
    bool json;
    bool quiet; /* Nothing that is ok. */
    bool verbose;
    unsigned warnings;
    unsigned errors;
    int exit_code;
};

void check_say(struct check *check, enum check_level level, const char *what, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* A further line of the same finding. */
void check_next(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An error; its class gives the exit code if it is the first. */
void check_fault(struct check *check, const char *what, const struct fault *fault);

void check_files(struct check *check);
void check_sample(struct check *check);
void check_kafka(struct check *check);

/* How the topic and the brokers are set, held against what production asks for. */
struct kafka_reader;
void check_production_topic(struct check *check, struct kafka_reader *reader, const char *what,
                            const char *topic);
void check_production_brokers(struct check *check, struct kafka_reader *reader, const char *what);

/*
 * A sample of messages from anywhere, tried one by one, told about at the end. NULL: there is no
 * memory for it, and that is said. sample_take: true, it is a payment that was understood.
 */
struct sample;
struct sample *sample_begin(struct check *check);
bool sample_take(struct sample *sample, const char *place, struct message *message);
void sample_end(struct sample *sample);
void check_data_dir(struct check *check);
void check_sinks(struct check *check);
void check_volume(struct check *check);

/* Bytes of all files to be read. */
uint64_t check_input_bytes(const struct config *config);

#endif
