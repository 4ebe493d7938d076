#include "cmd/simulate.h"

#include "base/plural.h"
#include "cmd/commands.h"
#include "cmd/json_line.h"
#include "cmd/say.h"

const char simulate_help[] =
    "Usage: payonce simulate [options]\n"
    "\n"
    "Makes payments as JSON, with what goes wrong on the way: sent again, late, broken ...\n"
    "The same options make the same bytes every time (but for --clock real, which begins now).\n"
    "\n"
    "      --to stdout           where to: standard output (default),\n"
    "      --to file:PATH        or a file; once more for each further file. The payments go to\n"
    "                            them in turn, a copy to any of them; or\n"
    "      --to kafka://HOST:PORT[,HOST:PORT ...]/TOPIC   a Kafka topic: the key is the\n"
    "                            transaction id; done when the broker has everything\n"
    "      --property NAME=VALUE   of the Kafka client, as librdkafka calls it; again for more\n"
    "      --password-file FILE  for sasl.username: its first line, for its owner's eyes only\n"
    "      --scenario NAME       what has been seen to happen; other options come on top:\n"
    "           producer-retry   answers of the broker are lost, and what it has is sent again,\n"
    "                            so that the topic really holds doubles (Kafka only)\n"
    "           consumer-crash   the committed offsets of a group go back by 10, whenever they\n"
    "                            have moved, as if it died before it committed (Kafka only)\n"
    "           broker-failover  three times the producer loses its brokers, and a new one sends\n"
    "                            again all that had no answer: the topic holds whole windows\n"
    "                            twice, out of order (Kafka only)\n"
    "           retry-storm      30 % sent again, 3 to 10 times within 10 s\n"
    "           replay-attack    some are sent again, 20 to 50 times, up to 10 min later\n"
    "           card-testing     bursts of small payments of one sender, with many cards\n"
    "           black-friday     ten times the rate in the middle third, some sent again\n"
    "      --group NAME          of consumer-crash (payonce-payments)\n"
    "      --force               overwrite files that exist\n"
    "      --truth FILE          what was really sent: CSV with transaction_id, amount, currency,\n"
    "                            event_time, expected; for payonce reconcile --expect. To Kafka,\n"
    "                            also partition and offset, when the broker has it\n"
    "      --count N             payments (10000); copies and conflicts come on top\n"
    "      --rate N/s            payments a second of event time (1000/s)\n"
    "      --duration TIME       instead of --count: so long at that rate\n"
    "      --clock real|virtual  real: begin now and wait until each is due (default for stdout\n"
    "                            and Kafka); virtual: as fast as it goes (default for files)\n"
    "      --start TIME          event time of the first, virtual clock (2026-01-01T00:00:00Z)\n"
    "      --seed N              (1)\n"
    "      --duplicates P%       payments that are sent again\n"
    "      --copies N..M         how often, each of them (1)\n"
    "      --duplicate-after T..T  how much later (0s..30s)\n"
    "      --conflicts P%        sent again with another amount\n"
    "      --late P%             older than the watermark when they come\n"
    "      --future P%           dated ahead of their arrival\n"
    "      --broken P%           no usable payment any more\n"
    "      --out-of-order TIME   how far an event may be behind its turn (0s)\n"
    "      --lateness TIME       watermark.lateness of who will read them (1h)\n"
    "      --accounts N          (10000)\n"
    "      --currencies A,B      (USD,EUR,GBP,JPY,CAD,AUD,SGD,CHF)\n" OPTIONS_JSON_HELP
        OPTIONS_EVERY_HELP "\n"
    "Examples:\n"
    "  payonce simulate --to file:payments.jsonl --duplicates 5% --truth sent.csv\n"
    "  payonce simulate --rate 500/s --duration 1m --duplicates 5% | payonce run -\n"
    "  payonce simulate --to kafka://localhost:9092/payment-events --rate 500/s --duration 1m\n"
    "  payonce simulate --to file:a.jsonl --to file:b.jsonl --count 1000000 --late 1%\n";

static void say_counts_json(const struct simulate_counts *counts, FILE *stream)
{
    struct json_line object;

    json_line_start(&object, stream);
    json_line_number(&object, "messages", counts->messages);
    json_line_number(&object, "payments", counts->payments);
    json_line_number(&object, "copies", counts->copies);
    json_line_number(&object, "conflicts", counts->conflicts);
    json_line_number(&object, "late", counts->expected[LATE]);
    json_line_number(&object, "future", counts->expected[FUTURE]);
    json_line_number(&object, "broken", counts->expected[INVALID]);
    json_line_number(&object, "bytes", counts->bytes);
    json_line_number(&object, "sent_again", counts->sent_again);
    json_line_number(&object, "set_back", counts->set_back);
    json_line_bool(&object, "stopped", counts->stopped);
    json_line_end(&object);
}

/* What was done beside sending it. */
static void say_scenario(const struct simulate_counts *counts, FILE *stream)
{
    char text[QUANTITY_TEXT_SIZE];

    if (counts->sent_again > 0) {
        quantity_say(QUANTITY_COUNT, (int64_t)counts->sent_again, text);
        (void)fprintf(stream, "without an answer, and sent again by a new producer: %s\n", text);
    }
    if (counts->set_back > 0) {
        quantity_say(QUANTITY_COUNT, (int64_t)counts->set_back, text);
        (void)fprintf(stream, "committed offsets set back: %s time%s\n", text,
                      plural(counts->set_back));
    }
}

static void say_counts(const struct simulate_counts *counts, FILE *stream)
{
    char texts[7][QUANTITY_TEXT_SIZE];

    quantity_say(QUANTITY_COUNT, (int64_t)counts->messages, texts[0]);
    quantity_say(QUANTITY_COUNT, (int64_t)counts->payments, texts[1]);
    quantity_say(QUANTITY_COUNT, (int64_t)counts->expected[LATE], texts[2]);
    quantity_say(QUANTITY_COUNT, (int64_t)counts->expected[FUTURE], texts[3]);
    quantity_say(QUANTITY_COUNT, (int64_t)counts->expected[INVALID], texts[4]);
    quantity_say(QUANTITY_COUNT, (int64_t)counts->copies, texts[5]);
    quantity_say(QUANTITY_COUNT, (int64_t)counts->conflicts, texts[6]);
    (void)fprintf(stream,
                  "%ssent %s message%s: %s payment%s (%s late, %s future, %s broken), "
                  "%s %s, %s conflict%s\n",
                  counts->stopped ? "stopped; " : "", texts[0], plural(counts->messages), texts[1],
                  plural(counts->payments), texts[2], texts[3], texts[4], texts[5],
                  counts->copies == 1 ? "copy" : "copies", texts[6], plural(counts->conflicts));
    say_scenario(counts, stream);
}

int command_simulate(int count, char **arguments)
{
    static struct simulate_request request;
    struct options options;
    struct simulate_counts counts;
    struct fault fault;

    if (!simulate_read(count, arguments, &options, &request)) {
        return EXIT_USAGE;
    }
    enum outcome outcome = simulate_send(&request, &counts, &fault);
    if (outcome == REFUSED && request.truth == NULL) {
        return EXIT_DONE; /* Whoever read it has had enough. */
    }
    if (outcome == REFUSED) {
        fault_next(&fault, "read all of it: %s holds payments that nobody received", request.truth);
    }
    if (outcome != DONE) {
        return say_fault(&fault);
    }
    FILE *stream = request.to_stdout ? stderr : stdout;
    if (options.json) {
        say_counts_json(&counts, stream);
    } else if (!options.quiet) {
        say_counts(&counts, stream);
    }
    return EXIT_DONE;
}
