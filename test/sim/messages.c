#include "test/sim/messages.h"

#include <string.h>

const char world_lost[] = "lost";

uint64_t message_offset(const struct world_setting *setting, size_t index)
{
    uint64_t offset = 0;

    for (size_t other = 0; other <= index; other++) {
        offset += setting->messages[other].partition == setting->messages[index].partition;
    }
    return offset;
}

uint64_t message_last_offset(const struct world_setting *setting, size_t partition)
{
    uint64_t last = 0;

    for (size_t index = 0; index < setting->message_count; index++) {
        last += setting->messages[index].partition == partition;
    }
    return last;
}

static struct span text_of(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

static void fill_payment(const struct world_message *said, const struct siphash_key *key,
                         struct payment *payment)
{
    payment->transaction_id = text_of(said->id);
    payment->sender = text_of("ACC_1");
    payment->receiver = text_of("ACC_2");
    payment->amount_text = text_of("1.00");
    payment->amount = (struct money){said->units, 2};
    memcpy(payment->currency, said->currency, CURRENCY_SIZE);
    payment->event_ms = WORLD_BEGIN_MS + (int64_t)said->event_s * 1000;
    payment->carry[0] = text_of(said->region);
    payment->region = payment->carry[0];
    payment_derive(payment, key);
    payment_place(payment, key);
}

void message_fill(const struct world_setting *setting, size_t index, const struct siphash_key *key,
                  struct message *ret_message)
{
    const struct world_message *said = &setting->messages[index];

    memset(ret_message, 0, sizeof(*ret_message));
    ret_message->offset = message_offset(setting, index);
    ret_message->arrival_ms = WORLD_BEGIN_MS + (int64_t)WORLD_ARRIVAL_S * 1000;
    ret_message->selected = !said->left_out;
    ret_message->raw = text_of(said->id == NULL ? "{nonsense 4711" : "{}");
    ret_message->size = (uint32_t)ret_message->raw.size;
    if (said->id == NULL) {
        ret_message->refusal = (struct refusal){.reason = REFUSAL_JSON, .position = 1};
    } else {
        fill_payment(said, key, &ret_message->payment);
    }
}
