#include "os/kafka_parts.h"

#include <string.h>
#include <strings.h>

const struct kafka_own kafka_own_both[] = {
    {"socket.nagle.disable", "true", KAFKA_FORCED, false}, /* Nothing waits for an answer. */
    {"socket.keepalive.enable", "true", KAFKA_FORCED, false},
    {"log.queue", "true", KAFKA_FORCED, false}, /* No callback from foreign threads. */
    {"enable.metrics.push", "false", KAFKA_FORCED, true},
    {"topic.metadata.refresh.interval.ms", "60000", KAFKA_CHOSEN, false},
    {"reconnect.backoff.max.ms", "2000", KAFKA_CHOSEN, false},
};

const size_t kafka_own_both_count = sizeof(kafka_own_both) / sizeof(kafka_own_both[0]);

/* Two names of one property. */
static const struct {
    const char *other;
    const char *name;
} aliases[] = {
    {"bootstrap.servers", "metadata.broker.list"},
    {"auto.commit.enable", "enable.auto.commit"}, /* The old one is of topics. */
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"sasl.mechanism", "sasl.mechanisms"},
    {"max.partition.fetch.bytes", "fetch.message.max.bytes"},
    {"linger.ms", "queue.buffering.max.ms"},
    {"retries", "message.send.max.retries"},
    {"compression.type", "compression.codec"},
    {"acks", "request.required.acks"},
    {"delivery.timeout.ms", "message.timeout.ms"},
};

const char *kafka_property_name(const char *name)
{
    for (size_t index = 0; index < sizeof(aliases) / sizeof(aliases[0]); index++) {
        if (strcmp(name, aliases[index].other) == 0) {
            return aliases[index].name;
        }
    }
    return name;
}

enum where { IS, BEGINS, HOLDS, ENDS };

static const struct {
    enum where where;
    const char *text;
    const char *reason;
} denied[] = {
    {BEGINS, "plugin.", "it loads code into the process"},
    {BEGINS, "ssl.engine", "it loads code into the process"},
    {BEGINS, "ssl_engine", "it loads code into the process"},
    {IS, "ssl.providers", "it loads code into the process"},
    {IS, "sasl.kerberos.kinit.cmd", "it runs a program"},
    {IS, "enable.sasl.oauthbearer.unsecure.jwt", "anybody could claim to be anybody"},
    {BEGINS, "test.", "it replaces the cluster by a toy"},
    {BEGINS, "ut_", "it is the library's own"},
    {HOLDS, "interceptor", "it calls code of others"},
    {ENDS, "_cb", "it is a function, not a value"},
    {IS, "opaque", "it is a pointer, not a value"},
    {IS, "default_topic_conf", "it is a pointer, not a value"},
    {IS, "enabled_events", "it is the library's own"},
    {IS, "enable.background.events", "it is the library's own"},
    {HOLDS, "password", "a secret must not stand in a configuration: name a file or a variable"},
    {HOLDS, "passphrase", "a secret must not stand in a configuration: name a file or a variable"},
    {HOLDS, "secret", "a secret must not stand in a configuration: name a file or a variable"},
    {ENDS, ".pem", "a key must not stand in a configuration: name a file"},
    {IS, "sasl.oauthbearer.config", "it may hold a secret"},
};

static bool matches(enum where where, const char *text, const char *name)
{
    size_t size = strlen(text);
    size_t name_size = strlen(name);

    switch (where) {
    case IS:
        return strcmp(name, text) == 0;
    case BEGINS:
        return strncmp(name, text, size) == 0;
    case HOLDS:
        return strstr(name, text) != NULL;
    case ENDS:
        return name_size >= size && strcmp(name + name_size - size, text) == 0;
    }
    return false;
}

static enum outcome refuse(const struct kafka_property *property, const char *reason,
                           struct fault *ret_fault)
{
    char name[80];

    kafka_escape(property->name, name, sizeof(name));
    (void)fault_is(ret_fault, REFUSED, FAULT_KAFKA_SETTING,
                   "the Kafka property %s is not taken: %s", name, reason);
    fault_next(ret_fault, "take %s out of the configuration", name);
    return REFUSED;
}

enum outcome kafka_property_check(const struct kafka_property *property, bool debug_allowed,
                                  struct fault *ret_fault)
{
    for (size_t index = 0; index < sizeof(denied) / sizeof(denied[0]); index++) {
        if (matches(denied[index].where, denied[index].text, property->name)) {
            return refuse(property, denied[index].reason, ret_fault);
        }
    }
    if (strcmp(property->name, "debug") == 0 && !debug_allowed) {
        return refuse(property, "it may log what messages hold", ret_fault);
    }
    if (strcmp(property->name, "client.rack") == 0 && rd_kafka_version() < 0x020601ff) {
        return refuse(property,
                      "reading from followers loops with this librdkafka; 2.6.1 or later is needed",
                      ret_fault);
    }
    return DONE;
}

const char *kafka_version(void)
{
    return rd_kafka_version_str();
}

const char *kafka_version_warning(void)
{
    int version = rd_kafka_version();

    if (version < 0x020100ff) {
        return "no log truncation detection before librdkafka 2.1.0; fingerprint check only";
    }
    if (version >= 0x020500ff && version < 0x020501ff) {
        return "librdkafka 2.5.0 may end the process by an assertion; use another version";
    }
    if (version >= 0x020a00ff && version < 0x020a01ff) {
        return "librdkafka 2.10.0 may use freed memory; use another version";
    }
    return NULL;
}

static const char *extra_value(const struct kafka_settings *settings, const char *name)
{
    for (size_t index = 0; index < settings->extra_count; index++) {
        if (strcmp(settings->extra[index].name, name) == 0) {
            return settings->extra[index].value;
        }
    }
    return NULL;
}

static bool local(const char *broker, size_t size)
{
    static const char *const places[] = {"localhost", "127.", "[::1]", "::1"};

    for (size_t index = 0; index < sizeof(places) / sizeof(places[0]); index++) {
        size_t place_size = strlen(places[index]);
        if (size >= place_size && strncasecmp(broker, places[index], place_size) == 0) {
            return true;
        }
    }
    return false;
}

static bool all_local(const char *brokers)
{
    while (*brokers != '\0') {
        size_t size = strcspn(brokers, ",");
        if (!local(brokers, size)) {
            return false;
        }
        brokers += size;
        brokers += strspn(brokers, ", ");
    }
    return true;
}

/* What others could read or forge, one each index. */
static const char *risk_of(const struct kafka_settings *settings, size_t index)
{
    const char *certificate = extra_value(settings, "enable.ssl.certificate.verification");
    const char *host = extra_value(settings, "ssl.endpoint.identification.algorithm");
    const char *protocol = settings->protocol;
    size_t count = 0;

    if (protocol == NULL) {
        protocol = extra_value(settings, "security.protocol");
    }
    bool encrypted = protocol != NULL && strcasestr(protocol, "ssl") != NULL;
    if (!encrypted && !all_local(settings->brokers) && count++ == index) {
        return "what goes to and from the brokers is not encrypted";
    }
    if (certificate != NULL && strcasecmp(certificate, "true") != 0 && count++ == index) {
        return "the brokers' certificates are not verified: anybody can be the broker";
    }
    if (host != NULL && strcasecmp(host, "https") != 0 && count++ == index) {
        return "the brokers' names are not compared with their certificates";
    }
    return NULL;
}

size_t kafka_settings_risks(const struct kafka_settings *settings)
{
    size_t count = 0;

    while (risk_of(settings, count) != NULL) {
        count++;
    }
    return count;
}

const char *kafka_settings_warning(const struct kafka_settings *settings, size_t index)
{
    const char *mechanism = settings->mechanism;
    const char *risk = risk_of(settings, index);

    if (risk != NULL) {
        return risk;
    }
    if (mechanism == NULL) {
        mechanism = extra_value(settings, "sasl.mechanism");
    }
    if (mechanism != NULL && strncasecmp(mechanism, "SCRAM", 5) == 0 &&
        rd_kafka_version() < 0x020601ff && index == kafka_settings_risks(settings)) {
        return "SCRAM with a librdkafka before 2.6.1 (it repeats its nonce): Kafka 4 refuses it as "
               "bad credentials; Kafka 3.9 takes it";
    }
    return NULL;
}
