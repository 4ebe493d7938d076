#include "os/kafka_transact_parts.h"

enum { SHOWN_SIZE = 320 };

/* Errors of one record, or of the id, that no time mends. */
static bool lasts(rd_kafka_resp_err_t error)
{
    static const rd_kafka_resp_err_t lasting[] = {
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_RECORD,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
        RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
        RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
    };

    for (size_t index = 0; index < sizeof(lasting) / sizeof(lasting[0]); index++) {
        if (lasting[index] == error) {
            return true;
        }
    }
    return false;
}

/* What mends it, if more is known than the fault's own line says; or NULL. */
static const char *mend(rd_kafka_resp_err_t error)
{
    static const struct {
        rd_kafka_resp_err_t error;
        const char *text;
    } known[] = {
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "allow READ of the sink's group"},
        {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
         "allow WRITE and DESCRIBE of the sink's transactional id"},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
         "allow WRITE and DESCRIBE of the sink's topics, and READ of the one that has the cursor"},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
         "raise max.message.bytes of the topic, and message.max.bytes of the sink"},
        {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, /* Of a record it is when it was sent. */
         "set this machine's clock; then it goes on by itself"},
        {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
         "raise transaction.max.timeout.ms of the brokers"},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
         "look whether the brokers can be reached, and enough replicas are in sync"},
    };

    for (size_t index = 0; index < sizeof(known) / sizeof(known[0]); index++) {
        if (known[index].error == error) {
            return known[index].text;
        }
    }
    return NULL;
}

static enum fault_code code_of(rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) {
        return FAULT_KAFKA_SETTING;
    }
    switch (kafka_error_class(error)) {
    case KAFKA_PASSING:
        return FAULT_KAFKA_UNREACHABLE;
    case KAFKA_MISSING:
        return FAULT_KAFKA_TOPIC;
    case KAFKA_NOT_ALLOWED:
        return FAULT_KAFKA_NOT_ALLOWED;
    case KAFKA_FENCED:
        return FAULT_FENCED;
    case KAFKA_OUTSIDE:
    case KAFKA_DAMAGED:
    case KAFKA_FATAL:
    case KAFKA_STRANGE:
        break;
    }
    return FAULT_KAFKA_WRITE;
}

enum outcome kafka_transact_fault(struct fault *ret_fault, const char *what,
                                  rd_kafka_resp_err_t error, const char *text)
{
    char shown[SHOWN_SIZE];
    enum fault_code code = code_of(error);
    const char *next = mend(error);
    bool refused = code == FAULT_KAFKA_SETTING || code == FAULT_KAFKA_TOPIC ||
                   code == FAULT_KAFKA_NOT_ALLOWED || lasts(error);

    kafka_escape(text != NULL ? text : rd_kafka_err2str(error), shown, sizeof(shown));
    enum outcome outcome = fault_is(ret_fault, refused ? REFUSED : LATER, code, "%s: %s (%s)", what,
                                    shown, rd_kafka_err2name(error));
    if (next != NULL) {
        fault_next(ret_fault, "%s", next);
    }
    return outcome;
}

enum outcome kafka_transact_error(const struct kafka_transactor *transactor, const char *what,
                                  rd_kafka_error_t *error, struct fault *ret_fault)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    int not_allowed = transactor->writer.not_allowed;
    enum outcome outcome;

    if (kafka_error_class(code) == KAFKA_PASSING && not_allowed != 0) { /* Why nobody answered. */
        outcome = kafka_transact_fault(ret_fault, what, (rd_kafka_resp_err_t)not_allowed, NULL);
    } else {
        outcome = kafka_transact_fault(ret_fault, what, code, rd_kafka_error_string(error));
    }
    rd_kafka_error_destroy(error);
    return outcome;
}
