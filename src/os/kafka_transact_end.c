#include "os/kafka_transact_parts.h"

#include <string.h>

enum {
    AGAIN_MS = 100, /* Between two tries of the same. */
    STEP_MS = 1000, /* Of a long wait: so soon it is seen that everybody goes home. */
    ROOM_MS = 20,
    LOOK_EVERY = 256, /* Records: a look costs as much as handing one in. */
    SEND_MS = KAFKA_TRANSACTION_MS - KAFKA_WAIT_MS, /* For all that comes before the end. */
};

static bool leaving(const struct kafka_transactor *transactor)
{
    return transactor->leaving != NULL && atomic_load(transactor->leaving);
}

/* Until the moment, or the next look. */
static int step_left(int64_t moment_ns)
{
    int left = kafka_moment_left(moment_ns);

    return left < STEP_MS ? left : STEP_MS;
}

/* What the transaction fails for: the first that is told, but what lasts before what passes. */
static void note(struct kafka_transactor *transactor, enum outcome outcome,
                 const struct fault *fault)
{
    struct kafka_transaction *transaction = &transactor->transaction;

    if (!transaction->troubled || (transaction->outcome == LATER && outcome == REFUSED)) {
        transaction->troubled = true;
        transaction->outcome = outcome;
        transaction->fault = *fault;
    }
}

static void note_record(struct kafka_transactor *transactor, const char *topic,
                        rd_kafka_resp_err_t error)
{
    struct fault fault;
    char what[300];

    (void)snprintf(what, sizeof(what), "a record for %s is not written", topic);
    note(transactor, kafka_transact_fault(&fault, what, error, NULL), &fault);
}

/* Destroys the error. */
static void note_error(struct kafka_transactor *transactor, const char *what,
                       rd_kafka_error_t *error)
{
    struct fault fault;

    note(transactor, kafka_transact_error(transactor, what, error, &fault), &fault);
}

void kafka_transact_failed(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_client *client = opaque;
    struct kafka_transactor *transactor = client->context;

    (void)handle;
    transactor->failed = true;
    transactor->transaction.dropped = true;
    if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
        message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
        note_record(transactor, rd_kafka_topic_name(message->rkt), message->err);
    }
}

/*
 * May this client begin another transaction?
 *
 * Not after a request of an earlier one had no answer. It may still lie in a broker's door, though
 * it was sent again: coming between the requests of the next transaction of the same epoch it
 * would end that one, or move its cursor. Not after records failed either: in 2.0.2 those behind
 * them have skipped numbers, and the brokers refuse what comes next. A new client has a new epoch,
 * and counts anew.
 */
static bool worn(const struct kafka_transactor *transactor)
{
    return transactor->failed || __atomic_load_n(&transactor->unanswered, __ATOMIC_ACQUIRE);
}

void kafka_transactor_begin(struct kafka_transactor *transactor)
{
    struct fault fault;

    must(transactor->fenced && !transactor->spent && !transactor->transaction.open);
    transactor->transaction = (struct kafka_transaction){.open = true};
    if (worn(transactor)) {
        note(transactor,
             fault_is(
                 &fault, LATER, FAULT_KAFKA_UNREACHABLE,
                 "records or answers of the transaction before were lost: a new client is needed"),
             &fault);
        return;
    }
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(transactor->writer.handle, NULL, 0);
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note(transactor, kafka_transact_fault(&fault, "no transaction", fatal, NULL), &fault);
        return;
    }
    rd_kafka_error_t *error = rd_kafka_begin_transaction(transactor->writer.handle);
    if (error != NULL) {
        note_error(transactor, "no transaction", error);
        return;
    }
    transactor->transaction.begun = true;
}

static rd_kafka_headers_t *headers_of(const struct kafka_outgoing *record)
{
    rd_kafka_headers_t *headers =
        record->header_count == 0 ? NULL : rd_kafka_headers_new(record->header_count);

    for (size_t index = 0; index < record->header_count; index++) {
        const struct kafka_header *header = &record->headers[index];
        (void)rd_kafka_header_add(headers, header->name, -1, header->value.at,
                                  (ssize_t)header->value.size);
    }
    return headers;
}

static rd_kafka_resp_err_t hand_in(struct kafka_transactor *transactor,
                                   const struct kafka_outgoing *record)
{
    rd_kafka_headers_t *headers = headers_of(record);

    /* The library copies key and value, and takes them without const. */
    rd_kafka_resp_err_t error = rd_kafka_producev(
        transactor->writer.handle, RD_KAFKA_V_RKT(transactor->topics[record->topic]),
        RD_KAFKA_V_TIMESTAMP(record->stamp_ms), RD_KAFKA_V_KEY(record->key.at, record->key.size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.at, record->value.size),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return error;
}

/* Until there is room. */
static rd_kafka_resp_err_t hand_in_patiently(struct kafka_transactor *transactor,
                                             const struct kafka_outgoing *record)
{
    int64_t until_ns = kafka_moment(KAFKA_WAIT_MS);
    rd_kafka_resp_err_t error;

    do {
        (void)rd_kafka_poll(transactor->writer.handle, ROOM_MS);
        error = hand_in(transactor, record);
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && kafka_moment_left(until_ns) > 0);
    return error;
}

void kafka_transactor_write(struct kafka_transactor *transactor,
                            const struct kafka_outgoing *record)
{
    must(transactor->transaction.open && record->topic < transactor->topic_count);
    must(record->header_count <= KAFKA_HEADERS_MAX);

    if (transactor->transaction.troubled || transactor->transaction.dropped) {
        return;
    }
    rd_kafka_resp_err_t error = hand_in(transactor, record);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        error = hand_in_patiently(transactor, record);
    } else if (++transactor->written % LOOK_EVERY == 0) {
        (void)rd_kafka_poll(transactor->writer.handle, 0);
    }
    if (error == RD_KAFKA_RESP_ERR__STATE || error == RD_KAFKA_RESP_ERR__FATAL) {
        transactor->transaction.dropped = true; /* It has failed already; the next call says why. */
    } else if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_record(transactor, rd_kafka_topic_name(transactor->topics[record->topic]), error);
    }
}

/*
 * All records are with the brokers, or something went wrong. Only thereafter is a commit tried:
 * so what fails here fails before, and an abort is the truth about it.
 */
static bool flush(struct kafka_transactor *transactor, int64_t until_ns)
{
    rd_kafka_resp_err_t error;

    do {
        error = rd_kafka_flush(transactor->writer.handle, step_left(until_ns));
    } while (error != RD_KAFKA_RESP_ERR_NO_ERROR && !leaving(transactor) &&
             kafka_moment_left(until_ns) > 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        struct fault fault;
        note(transactor,
             kafka_transact_fault(&fault, "the records", RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, NULL),
             &fault);
    }
    return !transactor->transaction.troubled;
}

/* May the call be made again? Then the error is destroyed, and some time has passed. */
static bool again(struct kafka_transactor *transactor, rd_kafka_error_t *error, int64_t until_ns)
{
    if (error == NULL || !rd_kafka_error_is_retriable(error) || leaving(transactor) ||
        kafka_moment_left(until_ns) == 0) {
        return false;
    }
    rd_kafka_error_destroy(error);
    (void)rd_kafka_poll(transactor->writer.handle, AGAIN_MS);
    return true;
}

/* It also says why records were given up, if that was for the transaction's own trouble. */
static bool set_cursor(struct kafka_transactor *transactor, const char *topic, uint64_t offset,
                       const char *text, int64_t until_ns)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *cursor = rd_kafka_topic_partition_list_add(list, topic, 0);
    rd_kafka_error_t *error;

    cursor->offset = (int64_t)offset;
    cursor->metadata = (void *)(uintptr_t)text; /* The library makes a copy of the list. */
    cursor->metadata_size = strlen(text);
    do {
        error = rd_kafka_send_offsets_to_transaction(
            transactor->writer.handle, list, transactor->group, kafka_moment_left(until_ns));
    } while (again(transactor, error, until_ns));
    cursor->metadata = NULL;
    cursor->metadata_size = 0;
    rd_kafka_topic_partition_list_destroy(list);
    if (error != NULL) {
        note_error(transactor, "the transaction", error);
    }
    return error == NULL;
}

static bool fenced(const struct kafka_transactor *transactor)
{
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(transactor->writer.handle, NULL, 0);

    return kafka_error_class(fatal) == KAFKA_FENCED;
}

static enum kafka_end commit(struct kafka_transactor *transactor, int64_t until_ns)
{
    rd_kafka_error_t *error;

    do {
        error = rd_kafka_commit_transaction(transactor->writer.handle, step_left(until_ns));
    } while (again(transactor, error, until_ns));
    if (error == NULL) {
        return KAFKA_APPLIED;
    }
    note_error(transactor, "whether it was committed is not known", error);
    return KAFKA_ASK_AGAIN;
}

/* Time may be what a topic that is gone looks like: the library waits for it. Is one gone? */
static void look_for_topics(struct kafka_transactor *transactor)
{
    bool there = true;

    for (uint32_t index = 0; there && index < transactor->topic_count; index++) {
        const char *name = rd_kafka_topic_name(transactor->topics[index]);
        rd_kafka_topic_t *topic;
        uint32_t partition_count;
        struct fault fault;
        enum outcome outcome =
            kafka_client_topic(&transactor->reader, name, &topic, &partition_count, &fault);
        if (outcome == DONE) {
            rd_kafka_topic_destroy(topic);
        } else {
            note(transactor, outcome, &fault);
            there = false;
        }
    }
}

/* True: nothing of the transaction stands anywhere. */
static bool abort_it(struct kafka_transactor *transactor, int64_t until_ns)
{
    rd_kafka_error_t *error;

    do {
        error = rd_kafka_abort_transaction(transactor->writer.handle, step_left(until_ns));
    } while (again(transactor, error, until_ns));
    if (error == NULL) {
        return true;
    }
    /* The coordinator never heard of it: it had not even let the partitions in. */
    bool unknown = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
    transactor->failed = true;
    note_error(transactor, "the abort", error);
    return unknown;
}

static enum kafka_end give_up(struct kafka_transactor *transactor, int64_t until_ns)
{
    if (fenced(transactor)) {
        return KAFKA_SHUT_OUT;
    }
    if (!transactor->transaction.begun || leaving(transactor)) {
        return KAFKA_ASK_AGAIN; /* Whoever fences next ends what is open. */
    }
    bool aborted = abort_it(transactor, until_ns);
    if (transactor->transaction.outcome == LATER && kafka_moment_left(until_ns) >= KAFKA_WAIT_MS) {
        look_for_topics(transactor);
    }
    if (aborted) {
        return KAFKA_NOT_APPLIED;
    }
    return fenced(transactor) ? KAFKA_SHUT_OUT : KAFKA_ASK_AGAIN;
}

enum kafka_end kafka_transactor_end(struct kafka_transactor *transactor, uint32_t topic,
                                    uint64_t offset, const char *text, enum outcome *ret_outcome,
                                    struct fault *ret_fault)
{
    struct kafka_transaction *transaction = &transactor->transaction;

    must(transaction->open && topic < transactor->topic_count);
    must(offset <= INT64_MAX && strlen(text) < KAFKA_CURSOR_TEXT_SIZE);
    int64_t send_ns = kafka_moment(SEND_MS);
    int64_t until_ns = kafka_moment(KAFKA_TRANSACTION_MS + KAFKA_WAIT_MS);
    const char *name = rd_kafka_topic_name(transactor->topics[topic]);
    bool ready = !transaction->troubled && flush(transactor, send_ns) &&
                 set_cursor(transactor, name, offset, text, send_ns) && !transaction->dropped;
    enum kafka_end end = ready ? commit(transactor, until_ns) : give_up(transactor, until_ns);

    transaction->open = false;
    transactor->spent = end == KAFKA_ASK_AGAIN || end == KAFKA_SHUT_OUT;
    if (end != KAFKA_APPLIED &&
        !transaction->troubled) { /* Nobody has said why they were dropped. */
        note_record(transactor, name, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
    }
    if (end != KAFKA_APPLIED) {
        *ret_outcome = transaction->outcome;
        *ret_fault = transaction->fault;
    }
    return end;
}
