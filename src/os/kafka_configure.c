#include "os/kafka_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_SIZE = 4096, ERROR_SIZE = 256, SHOWN_SIZE = 160 };

/* What is set one after the other; after the first refusal nothing more. */
struct setting {
    rd_kafka_conf_t *conf;
    const struct kafka_settings *settings;
    struct fault *fault;
    bool refused;
};

static void refuse(struct setting *setting, const char *name, const char *text)
{
    char shown[SHOWN_SIZE];

    kafka_escape(text, shown, sizeof(shown));
    setting->refused = true;
    (void)fault_is(setting->fault, BROKEN, FAULT_KAFKA_SETTING, "the Kafka property %s: %s", name,
                   shown);
}

static void set(struct setting *setting, const char *name, const char *value, bool if_known)
{
    char error[ERROR_SIZE];

    if (setting->refused || value == NULL) {
        return;
    }
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(setting->conf, name, value, error, sizeof(error));
    if (result == RD_KAFKA_CONF_UNKNOWN && if_known) {
        return;
    }
    if (result != RD_KAFKA_CONF_OK) {
        refuse(setting, name, error);
    }
}

/* The user's own value of this property, or NULL. */
static const char *wished(const struct setting *setting, const char *name)
{
    const struct kafka_settings *settings = setting->settings;
    const char *value = NULL;

    for (size_t index = 0; index < settings->extra_count; index++) {
        if (strcmp(kafka_property_name(settings->extra[index].name), kafka_property_name(name)) ==
            0) {
            value = settings->extra[index].value;
        }
    }
    return value;
}

static void set_own(struct setting *setting, const struct kafka_own *own)
{
    const char *value = own->force == KAFKA_OURS ? NULL : wished(setting, own->name);

    if (setting->refused || (own->force == KAFKA_CHOSEN && value != NULL)) {
        return;
    }
    if (value != NULL && strcasecmp(value, own->value) != 0) {
        char text[ERROR_SIZE];
        (void)snprintf(text, sizeof(text), "it must be %s, else messages could be lost or doubled",
                       own->value);
        refuse(setting, own->name, text);
        fault_next(setting->fault, "take %s out of the configuration", own->name);
        return;
    }
    set(setting, own->name, own->value, own->if_known);
}

/* A setting of ours that has a key of its own in the configuration. */
static void set_named(struct setting *setting, const char *name, const char *value)
{
    if (value != NULL && !setting->refused) {
        if (wished(setting, name) != NULL) {
            refuse(setting, name, "it is set twice: once by its own key");
            return;
        }
        set(setting, name, value, false);
    }
}

static bool secret_line(int file, char *ret_text, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count = read(file, ret_text + done, size - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        done += (size_t)count;
    }
    if (done == size) {
        return false;
    }
    ret_text[done] = '\0';
    ret_text[strcspn(ret_text, "\r\n")] = '\0';
    return true;
}

static enum outcome secret_from_file(const char *path, const char *what, char *ret_text,
                                     size_t size, struct fault *ret_fault)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (file < 0 || fstat(file, &status) != 0) {
        int why = errno;
        if (file >= 0) {
            (void)close(file);
        }
        return fault_is(ret_fault, BROKEN, FAULT_KAFKA_SECRET, "%s: cannot read %s: %s", what, path,
                        strerror(why));
    }
    bool private = S_ISREG(status.st_mode) && (status.st_mode & 077) == 0;
    bool fits = private && secret_line(file, ret_text, size);
    (void)close(file);
    if (!private) {
        return fault_is(ret_fault, BROKEN, FAULT_KAFKA_SECRET,
                        "%s: others than its owner may read %s, or it is no file", what, path);
    }
    return fits ? DONE
                : fault_is(ret_fault, BROKEN, FAULT_KAFKA_SECRET, "%s: more than %zu bytes in %s",
                           what, size - 1, path);
}

enum outcome kafka_secret_read(const struct kafka_secret *secret, const char *what, char *ret_text,
                               size_t size, struct fault *ret_fault)
{
    if (secret->file != NULL) {
        return secret_from_file(secret->file, what, ret_text, size, ret_fault);
    }
    const char *value = getenv(secret->variable);
    if (value == NULL || strlen(value) >= size) {
        return fault_is(ret_fault, BROKEN, FAULT_KAFKA_SECRET, "%s: the variable %s is %s", what,
                        secret->variable, value == NULL ? "not set" : "too long");
    }
    memcpy(ret_text, value, strlen(value) + 1);
    return DONE;
}

static void set_secret(struct setting *setting, const char *name, const struct kafka_secret *secret)
{
    char text[SECRET_SIZE];

    if (setting->refused || (secret->file == NULL && secret->variable == NULL)) {
        return;
    }
    setting->refused = kafka_secret_read(secret, name, text, sizeof(text), setting->fault) != DONE;
    if (!setting->refused &&
        rd_kafka_conf_set(setting->conf, name, text, NULL, 0) != RD_KAFKA_CONF_OK) {
        refuse(setting, name, "the library does not take it");
    }
    explicit_bzero(text, sizeof(text));
}

static void set_all_named(struct setting *setting)
{
    const struct kafka_settings *settings = setting->settings;

    set_named(setting, "metadata.broker.list", settings->brokers);
    set_named(setting, "client.id", settings->client_id);
    set_named(setting, "security.protocol", settings->protocol);
    set_named(setting, "sasl.mechanisms", settings->mechanism);
    set_named(setting, "sasl.username", settings->username);
    set_named(setting, "ssl.ca.location", settings->ca_file);
    set_named(setting, "ssl.certificate.location", settings->certificate_file);
    set_named(setting, "ssl.key.location", settings->key_file);
    set_secret(setting, "sasl.password", &settings->password);
    set_secret(setting, "ssl.key.password", &settings->key_password);
}

static void set_extra(struct setting *setting)
{
    const struct kafka_settings *settings = setting->settings;

    for (size_t index = 0; index < settings->extra_count; index++) {
        const struct kafka_property *property = &settings->extra[index];
        if (setting->refused) {
            return;
        }
        setting->refused =
            kafka_property_check(property, settings->debug_allowed, setting->fault) != DONE;
        set(setting, property->name, property->value, false);
    }
}

rd_kafka_conf_t *kafka_configure(const struct kafka_settings *settings,
                                 const struct kafka_plan *plan, struct fault *ret_fault)
{
    struct setting setting = {rd_kafka_conf_new(), settings, ret_fault, false};

    if (settings->client_id != NULL && strlen(settings->client_id) > KAFKA_CLIENT_ID_MAX) {
        refuse(&setting, "client.id", "it is longer than 64 bytes");
    }
    set_extra(&setting);
    for (size_t index = 0; index < kafka_own_both_count; index++) {
        set_own(&setting, &kafka_own_both[index]);
    }
    for (size_t index = 0; index < plan->own_count; index++) {
        set_own(&setting, &plan->own[index]);
    }
    set_all_named(&setting);
    if (setting.refused) {
        rd_kafka_conf_destroy(setting.conf);
        return NULL;
    }
    return setting.conf;
}
