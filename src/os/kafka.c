#include "os/kafka_parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ERROR_SIZE = 512, LOG_LEVEL_KEPT = 6, LOG_LEVEL_ERROR = 3 };

static const struct {
    int error;
    enum kafka_class class;
} known[] = {
    {RD_KAFKA_RESP_ERR__TRANSPORT, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__RESOLVE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__SSL, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__WAIT_COORD, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__WAIT_CACHE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, KAFKA_PASSING},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, KAFKA_OUTSIDE},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, KAFKA_OUTSIDE},
    {-139, KAFKA_OUTSIDE}, /* _LOG_TRUNCATION, since 2.1.0. */
    {RD_KAFKA_RESP_ERR__BAD_MSG, KAFKA_DAMAGED},
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, KAFKA_DAMAGED},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, KAFKA_DAMAGED},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, KAFKA_MISSING},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, KAFKA_MISSING},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, KAFKA_MISSING},
    {100, KAFKA_MISSING}, /* UNKNOWN_TOPIC_ID, since 2.4.0. */
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, KAFKA_NOT_ALLOWED},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, KAFKA_NOT_ALLOWED},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, KAFKA_NOT_ALLOWED},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, KAFKA_NOT_ALLOWED},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, KAFKA_NOT_ALLOWED},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, KAFKA_NOT_ALLOWED},
    {RD_KAFKA_RESP_ERR__FENCED, KAFKA_FENCED},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, KAFKA_FENCED},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, KAFKA_FENCED},
    {RD_KAFKA_RESP_ERR__FATAL, KAFKA_FATAL},
};

enum kafka_class kafka_error_class(int error)
{
    for (size_t index = 0; index < sizeof(known) / sizeof(known[0]); index++) {
        if (known[index].error == error) {
            return known[index].class;
        }
    }
    return KAFKA_STRANGE;
}

const char *kafka_error_name(int error)
{
    return rd_kafka_err2name((rd_kafka_resp_err_t)error);
}

enum outcome kafka_fault(struct fault *ret_fault, enum outcome outcome, enum fault_code code,
                         const char *what, rd_kafka_resp_err_t error)
{
    return fault_is(ret_fault, outcome, code, "%s: %s (%s)", what, rd_kafka_err2str(error),
                    rd_kafka_err2name(error));
}

static void take_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    struct kafka_client *client = rd_kafka_opaque(handle);

    (void)facility;
    if (level <= LOG_LEVEL_KEPT) {
        kafka_lines_put(&client->lines, level, text);
    }
}

static void take_error(rd_kafka_t *handle, int error, const char *text, void *opaque)
{
    struct kafka_client *client = opaque;
    char fatal[ERROR_SIZE];

    __atomic_add_fetch(&client->errors, 1, __ATOMIC_RELAXED);
    if (kafka_error_class(error) == KAFKA_NOT_ALLOWED) {
        __atomic_store_n(&client->not_allowed, error, __ATOMIC_RELAXED);
    }
    /* A partition's own queue gives this out here, not as a message; what is behind it in the
     * queue may be of another topic of the same name. */
    if (kafka_error_class(error) == KAFKA_MISSING) {
        __atomic_store_n(&client->missing, error, __ATOMIC_RELEASE);
    }
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        error = rd_kafka_fatal_error(handle, fatal, sizeof(fatal));
        text = fatal;
        __atomic_store_n(&client->fatal, error, __ATOMIC_RELAXED);
    }
    kafka_lines_put(&client->lines, LOG_LEVEL_ERROR, text);
}

static void init(struct kafka_client *client, void *context)
{
    pthread_condattr_t monotonic;

    memset(client, 0, sizeof(*client));
    client->context = context;
    kafka_lines_init(&client->lines);
    (void)pthread_mutex_init(&client->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&client->destroyed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static void forget(struct kafka_client *client)
{
    (void)pthread_cond_destroy(&client->destroyed);
    (void)pthread_mutex_destroy(&client->mutex);
    kafka_lines_destroy(&client->lines);
}

static enum outcome open_handle(struct kafka_client *client, rd_kafka_conf_t *conf,
                                const struct kafka_plan *plan, struct fault *ret_fault)
{
    char error[ERROR_SIZE];
    char shown[ERROR_SIZE / 2];
    rd_kafka_type_t type = plan->side == KAFKA_READS ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;

    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, take_log);
    rd_kafka_conf_set_error_cb(conf, take_error);
    if (plan->prepare != NULL) {
        plan->prepare(conf);
    }
    client->handle = rd_kafka_new(type, conf, error, sizeof(error));
    if (client->handle == NULL) {
        rd_kafka_conf_destroy(conf);
        kafka_escape(error, shown, sizeof(shown));
        return fault_is(ret_fault, BROKEN, FAULT_KAFKA_SETTING, "no Kafka client: %s", shown);
    }
    (void)rd_kafka_set_log_queue(client->handle, NULL);
    return DONE;
}

enum outcome kafka_client_open(struct kafka_client *client, const struct kafka_settings *settings,
                               const struct kafka_plan *plan, struct fault *ret_fault)
{
    rd_kafka_conf_t *conf = kafka_configure(settings, plan, ret_fault);

    if (conf == NULL) {
        return BROKEN;
    }
    init(client, plan->context);
    enum outcome outcome = open_handle(client, conf, plan, ret_fault);
    if (outcome != DONE) {
        forget(client);
    }
    return outcome;
}

static void *destroy(void *argument)
{
    struct kafka_client *client = argument;

    /* There is no group to leave, and nothing to be committed that we have not sent: so whoever
     * does not answer is not waited for. */
    rd_kafka_destroy_flags(client->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    (void)pthread_mutex_lock(&client->mutex);
    client->gone = true;
    (void)pthread_cond_signal(&client->destroyed);
    (void)pthread_mutex_unlock(&client->mutex);
    return NULL;
}

bool kafka_client_close(struct kafka_client *client, int timeout_ms)
{
    pthread_t thread;
    struct timespec moment;

    if (pthread_create(&thread, NULL, destroy, client) != 0) {
        return false;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += timeout_ms / 1000;
    (void)pthread_mutex_lock(&client->mutex);
    while (!client->gone &&
           pthread_cond_timedwait(&client->destroyed, &client->mutex, &moment) == 0) {
    }
    bool gone = client->gone;
    (void)pthread_mutex_unlock(&client->mutex);
    if (!gone) {
        (void)pthread_detach(thread);
        return false;
    }
    (void)pthread_join(thread, NULL);
    forget(client);
    return true;
}
