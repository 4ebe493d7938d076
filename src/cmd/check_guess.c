#include "cmd/check_guess.h"

#include "parse/parse.h"

#include <stdio.h>
#include <string.h>

enum { OTHERS_MAX = 12 };

static const char *const settings_of[PARSE_FIELDS] = {
    [PARSE_ID] = "transaction_id",
    [PARSE_EVENT_TIME] = "event_time",
    [PARSE_SENDER] = "sender_account_id",
    [PARSE_RECEIVER] = "receiver_account_id",
    [PARSE_AMOUNT] = "amount",
    [PARSE_CURRENCY] = "currency",
};

/* Other names that public producers give a field; those that may mean anything come last. */
static const char *const others[PARSE_FIELDS][OTHERS_MAX] = {
    [PARSE_ID] = {"txn_id", "tx_id", "payment_id", "order_id", "event_id", "idempotency_key", "id"},
    [PARSE_EVENT_TIME] = {"ts_ms", "event_timestamp", "created_at", "occurred_at", "ts", "time",
                          "date"},
    [PARSE_SENDER] = {"sender_id", "payer_id", "user_id", "account_id", "card_id", "payer", "from"},
    [PARSE_RECEIVER] = {"receiver_id", "payee_id", "merchant_id", "payee", "recipient", "to"},
    [PARSE_AMOUNT] = {"value", "total"},
    [PARSE_CURRENCY] = {"currency_code", "ccy"},
};

const char *guess_name(const struct message *message, const char **ret_setting)
{
    for (size_t field = 0; field < PARSE_FIELDS; field++) {
        if (message->refusal.field == NULL ||
            strcmp(message->refusal.field, settings_of[field]) != 0) {
            continue;
        }
        *ret_setting = settings_of[field];
        for (size_t name = 0; name < OTHERS_MAX && others[field][name] != NULL; name++) {
            char quoted[PARSE_NAME_SIZE];
            int size = snprintf(quoted, sizeof(quoted), "\"%s\"", others[field][name]);
            if (memmem(message->raw.at, message->raw.size, quoted, (size_t)size) != NULL) {
                return others[field][name];
            }
        }
    }
    return NULL;
}

const char *guess_shape(struct span first)
{
    const unsigned char *at = first.at;

    if (first.size >= 2 && at[0] == 0x1f && at[1] == 0x8b) {
        return "it is gzip: unpack it, or: gzip -dc FILE | payonce run -";
    }
    if (first.size >= 1 && at[0] == '[') {
        return "it is one JSON array: make each payment a line of its own, as with jq -c '.[]'";
    }
    if (first.size >= 1 && at[0] == '{') {
        return "say under which names the fields stand: payonce help settings payment.fields";
    }
    return "one JSON object a line is expected, as payonce simulate --count 3 prints them";
}
