/* bench-script FOLDER: runs the phases, and prints one line for each. The folder (empty, the
 * caller's) gets the certificates. */
#include "script.h"

#define TOGETHER 16 /* of 64 visitors that ask in the same moment */
#define ROUNDS 24
#define CONNECTIONS 192
#define BULK_MIB 4u
#define MIB (1024u * 1024u)
#define OPEN_ROUNDS 8 /* for all streams of a transfer to be open */
#define GOODBYE_ROUNDS 8
#define REST_US (100 * ADIT_MS_US) /* then nothing small passed a moment ago */

_Noreturn void script_die(const char *why)
{
    fprintf(stderr, "bench-script: %s\n", why);
    exit(1);
}

void script_must(struct adit_status status, const char *where)
{
    if (!adit_is_ok(status)) {
        fprintf(stderr, "bench-script: %s: %s (%lld)\n", where, adit_status_what(status),
                (long long)status.detail);
        exit(1);
    }
}

static void visitors_open(struct script *script, enum script_way way)
{
    for (size_t i = 0; i < SCRIPT_VISITORS; i++) {
        script_visit(script, i, way);
        script_round(script);
    }
}

static void visitors_close(struct script *script)
{
    for (size_t i = 0; i < SCRIPT_VISITORS; i++) {
        script_leave(script, i);
    }
    for (int i = 0; i < GOODBYE_ROUNDS; i++) {
        script_round(script);
    }
}

static void ask_all(struct script *script)
{
    for (size_t first = 0; first < SCRIPT_VISITORS; first += TOGETHER) {
        for (size_t i = 0; i < TOGETHER; i++) {
            script_ask(script, first + i);
        }
        script_rounds_until_done(script, first, TOGETHER);
    }
}

static void requests(struct script *script, const char *name, enum script_way way)
{
    script->job = SCRIPT_ASK;
    visitors_open(script, way);
    ask_all(script); /* warm */
    script_phase_begin();
    for (int i = 0; i < ROUNDS; i++) {
        ask_all(script);
    }
    script_phase_end(name, ROUNDS * SCRIPT_VISITORS, "request");
    visitors_close(script);
}

static void connections(struct script *script, const char *name, enum script_way way)
{
    script->job = SCRIPT_ASK;
    script_phase_begin();
    for (size_t done = 0; done < CONNECTIONS; done += TOGETHER) {
        for (size_t i = 0; i < TOGETHER; i++) {
            script_visit(script, i, way);
            script_ask(script, i);
        }
        script_rounds_until_done(script, 0, TOGETHER);
        for (size_t i = 0; i < TOGETHER; i++) {
            script_leave(script, i);
        }
        for (int i = 0; i < GOODBYE_ROUNDS; i++) {
            script_round(script);
        }
    }
    script_phase_end(name, CONNECTIONS, "connection");
}

static void transfer(struct script *script, const char *name, enum script_job job, size_t streams)
{
    script->job = job;
    script->bytes = (uint64_t)BULK_MIB * MIB / streams;
    script->sent = 0;
    script->heard = 0;
    script->is_held = true;
    for (size_t i = 0; i < streams; i++) {
        script_visit(script, i, SCRIPT_TCP);
        script_transfer(script, i);
    }
    for (int i = 0; i < OPEN_ROUNDS; i++) {
        script_round(script);
    }
    script->is_held = false;
    script_time_pass(REST_US);
    script_phase_begin();
    script_rounds_until_done(script, 0, streams);
    script_phase_end(name, BULK_MIB, "MiB");
    visitors_close(script);
}

int main(int argc, char **argv)
{
    static struct script script = {.door = {.fd = -1}, .supervisor = {.fd = -1}};
    if (argc != 2) {
        script_die("usage: bench-script FOLDER");
    }
    signal(SIGPIPE, SIG_IGN);
    script_open(&script, adit_bytes_of_text(ADIT_SLOT(argv, (size_t)argc, 1)));
    requests(&script, "tcp-requests", SCRIPT_TCP);
    requests(&script, "http-requests", SCRIPT_HTTP);
    requests(&script, "tls-requests", SCRIPT_HTTPS);
    connections(&script, "tcp-connections", SCRIPT_TCP);
    transfer(&script, "down-1", SCRIPT_DOWN, 1);
    transfer(&script, "down-64", SCRIPT_DOWN, SCRIPT_VISITORS);
    transfer(&script, "up-1", SCRIPT_UP, 1);
    transfer(&script, "up-64", SCRIPT_UP, SCRIPT_VISITORS);
    script_close(&script);
    return 0;
}
