#include "test/kafka/network.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_SIZE = 1024 };

struct network {
    pid_t process;
    char control[64];
};

static void carry_out(const char *command)
{
    if (system(command) != 0) {
        (void)fprintf(stderr, "it failed: %s\n", command);
        must(false);
    }
}

const char *network_brokers(void)
{
    return getenv("KAFKA_PROXIED");
}

/* Does not return. */
static void run_proxy(const char *control, int said)
{
    char script[COMMAND_SIZE];

    (void)snprintf(script, sizeof(script), "%s/proxy.py", getenv("KAFKA_TOOLS"));
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* A test that fails leaves nobody behind. */
    (void)dup2(said, STDOUT_FILENO);
    (void)execlp("python3", "python3", script, "--routes", getenv("KAFKA_PROXY_ROUTES"),
                 "--control", control, (char *)NULL);
    _exit(EXIT_FAILURE);
}

struct network *network_start(void)
{
    int said[2];
    char word;

    struct network *network = calloc(1, sizeof(*network));

    must(network != NULL && network_brokers() != NULL);
    (void)snprintf(network->control, sizeof(network->control), "/tmp/payonce-network-%d",
                   (int)getpid());
    must(pipe(said) == 0);
    network->process = fork();
    must(network->process >= 0);
    if (network->process == 0) {
        run_proxy(network->control, said[1]);
    }
    (void)close(said[1]);
    must(read(said[0], &word, 1) == 1); /* "proxy ready" */
    (void)close(said[0]);
    return network;
}

void network_tell(struct network *network, const char *command)
{
    network_tell_later(network, 0, command);
}

void network_tell_later(struct network *network, int seconds, const char *command)
{
    char text[COMMAND_SIZE];

    (void)snprintf(text, sizeof(text), "%ssleep %d; python3 %s/proxy.py --tell %s %s%s",
                   seconds > 0 ? "(" : "", seconds, getenv("KAFKA_TOOLS"), network->control,
                   command, seconds > 0 ? ") >/dev/null 2>&1 &" : " >/dev/null");
    carry_out(text);
}

void network_stop(struct network *network)
{
    must(kill(network->process, SIGTERM) == 0);
    must(waitpid(network->process, NULL, 0) == network->process);
    free(network);
}

void network_brokers_do(const char *verb, const char *words)
{
    char command[COMMAND_SIZE];

    (void)snprintf(command, sizeof(command), "python3 %s/brokers %s %s %s >/dev/null",
                   getenv("KAFKA_TOOLS"), verb, getenv("KAFKA_DIR"), words);
    carry_out(command);
}
