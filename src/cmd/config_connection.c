/* How to reach a Kafka cluster: from source.kafka, or from the kafka section of a sink. */
#include "cmd/config_parts.h"

#include <stdio.h>
#include <string.h>

enum part {
    PART_BROKERS,
    PART_TLS,
    PART_CA,
    PART_CERT,
    PART_KEY,
    PART_KEY_PASSWORD_FILE,
    PART_MECHANISM,
    PART_USERNAME,
    PART_PASSWORD_FILE,
    PART_PASSWORD_VARIABLE,
    PART_EXTRA,
    PARTS,
};

static const enum setting_name of_source[PARTS] = {
    [PART_BROKERS] = SET_KAFKA_BROKERS,
    [PART_TLS] = SET_KAFKA_TLS,
    [PART_CA] = SET_KAFKA_CA,
    [PART_CERT] = SET_KAFKA_CERT,
    [PART_KEY] = SET_KAFKA_KEY,
    [PART_KEY_PASSWORD_FILE] = SET_KAFKA_KEY_PASSWORD_FILE,
    [PART_MECHANISM] = SET_KAFKA_MECHANISM,
    [PART_USERNAME] = SET_KAFKA_USERNAME,
    [PART_PASSWORD_FILE] = SET_KAFKA_PASSWORD_FILE,
    [PART_PASSWORD_VARIABLE] = SET_KAFKA_PASSWORD_VARIABLE,
    [PART_EXTRA] = SET_KAFKA_EXTRA,
};

static const enum setting_name of_sink[PARTS] = {
    [PART_BROKERS] = SET_SINK_BROKERS,
    [PART_TLS] = SET_SINK_TLS,
    [PART_CA] = SET_SINK_CA,
    [PART_CERT] = SET_SINK_CERT,
    [PART_KEY] = SET_SINK_KEY,
    [PART_KEY_PASSWORD_FILE] = SET_SINK_KEY_PASSWORD_FILE,
    [PART_MECHANISM] = SET_SINK_MECHANISM,
    [PART_USERNAME] = SET_SINK_USERNAME,
    [PART_PASSWORD_FILE] = SET_SINK_PASSWORD_FILE,
    [PART_PASSWORD_VARIABLE] = SET_SINK_PASSWORD_VARIABLE,
    [PART_EXTRA] = SET_SINK_EXTRA,
};

/* Where a connection's values stand. */
struct place {
    struct config *config;
    const struct yaml_node *record; /* Of a sink; NULL: source.kafka. */
};

static const struct setting *setting_of(const struct place *place, enum part part)
{
    return &settings[place->record == NULL ? of_source[part] : of_sink[part]];
}

/* NULL: it is not given. */
static const struct yaml_node *node_of(const struct place *place, enum part part)
{
    return place->record == NULL ? place->config->values[of_source[part]].node
                                 : config_record_value(place->record, &settings[of_sink[part]]);
}

static const char *text_of(const struct place *place, enum part part)
{
    const struct yaml_node *node = node_of(place, part);

    return node == NULL ? setting_of(place, part)->standard : node->text;
}

static const char *given(const struct place *place, enum part part)
{
    const char *text = text_of(place, part);

    return strcmp(text, "none") == 0 ? NULL : text;
}

static void wrong(const struct place *place, enum part part, enum fault_code code,
                  const char *sentence)
{
    const struct yaml_node *node = node_of(place, part);
    const struct config_text *text = place->record == NULL
                                         ? place->config->values[of_source[part]].text
                                         : place->config->values[SET_SINKS].text;

    (void)config_wrong(place->config, text, node == NULL ? place->record->mark : node->mark, code,
                       "%s: %s", setting_of(place, part)->path, sentence);
}

static void resolve_brokers(const struct place *place, struct config_connection *connection)
{
    size_t used = 0;

    for (const struct yaml_node *entry = node_of(place, PART_BROKERS)->child; entry != NULL;
         entry = entry->next) {
        used += (size_t)snprintf(connection->brokers + used, sizeof(connection->brokers) - used,
                                 "%s%s", used > 0 ? "," : "", entry->text);
        must(used < sizeof(connection->brokers));
    }
    connection->client.brokers = connection->brokers;
}

static void resolve_security(const struct place *place, struct kafka_settings *client)
{
    static const char *const protocols[] = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
    static const char *const mechanisms[] = {NULL, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    unsigned mechanism =
        setting_choice(setting_of(place, PART_MECHANISM), text_of(place, PART_MECHANISM));
    bool tls = strcmp(text_of(place, PART_TLS), "true") == 0;

    client->protocol = protocols[(tls ? 1 : 0) + (mechanism > 0 ? 2 : 0)];
    client->mechanism = mechanisms[mechanism];
    client->ca_file = given(place, PART_CA);
    client->certificate_file = given(place, PART_CERT);
    client->key_file = given(place, PART_KEY);
    client->key_password.file = given(place, PART_KEY_PASSWORD_FILE);
    client->username = given(place, PART_USERNAME);
    client->password.file = given(place, PART_PASSWORD_FILE);
    client->password.variable = given(place, PART_PASSWORD_VARIABLE);
    if (mechanism > 0 && (client->username == NULL ||
                          (client->password.file == NULL && client->password.variable == NULL))) {
        wrong(place, PART_MECHANISM, FAULT_CONFIG_MISSING,
              "it wants sasl.username, and sasl.password_file or sasl.password_variable");
    }
    if (!tls && (client->ca_file != NULL || client->certificate_file != NULL)) {
        wrong(place, PART_TLS, FAULT_CONFIG_VALUE,
              "certificates are named, and tls.enabled is false");
    }
}

static void resolve_extra(const struct place *place, struct config_connection *connection)
{
    const struct yaml_node *map = node_of(place, PART_EXTRA);
    struct kafka_settings *client = &connection->client;
    struct fault fault;

    client->extra = connection->extra;
    client->extra_count = 0;
    for (const struct yaml_node *entry = map == NULL ? NULL : map->child; entry != NULL;
         entry = entry->next) {
        struct kafka_property *property = &connection->extra[client->extra_count++];
        *property = (struct kafka_property){entry->key, entry->text};
        if (kafka_property_check(property, false, &fault) != DONE) {
            wrong(place, PART_EXTRA, FAULT_CONFIG_VALUE, fault.text);
        }
    }
}

static void resolve_all(const struct place *place, struct config_connection *connection)
{
    char name[PIPELINE_NAME_MAX + 16];

    (void)snprintf(name, sizeof(name), "payonce-%s", place->config->engine.pipeline);
    (void)snprintf(connection->client_id, sizeof(connection->client_id), "%.*s",
                   KAFKA_CLIENT_ID_MAX, name);
    connection->client = (struct kafka_settings){.client_id = connection->client_id};
    resolve_brokers(place, connection);
    resolve_security(place, &connection->client);
    resolve_extra(place, connection);
}

void config_connect_source(struct config *config)
{
    const struct place place = {.config = config};
    struct config_connection *connection = &config->connections[0];

    resolve_all(&place, connection);
}

/* Is something said of the connection, but not where it goes? */
static bool halfway(const struct place *place)
{
    for (enum part part = PART_BROKERS + 1; part < PARTS; part++) {
        if (node_of(place, part) != NULL) {
            wrong(place, part, FAULT_CONFIG_MISSING,
                  "name its brokers, too: sinks[].kafka.brokers");
            return true;
        }
    }
    return false;
}

void config_connect_sink(struct config *config, const struct yaml_node *record, size_t index)
{
    const struct place place = {.config = config, .record = record};
    struct config_connection *connection = &config->connections[1 + index];

    if (node_of(&place, PART_BROKERS) != NULL) {
        resolve_all(&place, connection);
    } else if (!halfway(&place)) {
        *connection = config->connections[0];
        connection->client.brokers = connection->brokers;
        connection->client.client_id = connection->client_id;
        connection->client.extra = connection->extra;
        if (connection->brokers[0] == '\0') {
            wrong(&place, PART_BROKERS, FAULT_CONFIG_MISSING,
                  "nothing is named, and source.kafka names none");
        }
    }
}
