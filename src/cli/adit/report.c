#include "cli/adit/report.h"

#include "cli/output.h"

#define LINE_BYTES_MAX 4096
#define VALUE_BYTES_MAX 512
#define REST_US (100 * ADIT_MS_US) /* after readiness */

struct pair {
    struct adit_bytes name, value;
};

static struct adit_status write_json(struct adit_writer *line, struct adit_bytes event,
                                     const struct pair *pairs, size_t count)
{
    ADIT_TRY(adit_write_bytes(line, ADIT_BYTES("{\"event\":\"")));
    ADIT_TRY(adit_write_bytes(line, event));
    for (size_t i = 0; i < count; i++) {
        const struct pair *pair = &ADIT_SLOT(pairs, count, i);
        ADIT_TRY(adit_write_bytes(line, ADIT_BYTES("\",\"")));
        ADIT_TRY(adit_write_bytes(line, pair->name));
        ADIT_TRY(adit_write_bytes(line, ADIT_BYTES("\":\"")));
        ADIT_TRY(adit_write_escaped(line, pair->value, VALUE_BYTES_MAX));
    }
    return adit_write_bytes(line, ADIT_BYTES("\"}\n"));
}

/* A sentence: the parts one after another, what came from outside escaped. */
static struct adit_status write_text(struct adit_writer *line, const struct adit_bytes *parts,
                                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ADIT_TRY(adit_write_escaped(line, ADIT_SLOT(parts, count, i), VALUE_BYTES_MAX));
    }
    return adit_write_u8(line, '\n');
}

static void put(struct adit_report *report, const struct adit_writer *line)
{
    if (!adit_is_ok(adit_output_write(report->fd, adit_writer_bytes(line)))) {
        report->is_output_lost = true; /* nobody reads any more: nothing is left to do */
        adit_loop_stop(report->loop);
    }
}

static void tell(struct adit_report *report, struct adit_bytes event, const struct pair *pairs,
                 size_t pair_count)
{
    uint8_t memory[LINE_BYTES_MAX] = {0};
    struct adit_writer line = adit_writer_of(ADIT_SPAN_OF(memory));
    if (adit_is_ok(write_json(&line, event, pairs, pair_count))) {
        put(report, &line);
    }
}

static void say(struct adit_report *report, const struct adit_bytes *parts, size_t part_count)
{
    uint8_t memory[LINE_BYTES_MAX] = {0};
    struct adit_writer line = adit_writer_of(ADIT_SPAN_OF(memory));
    if (adit_is_ok(write_text(&line, parts, part_count))) {
        put(report, &line);
    }
}

static void rest_due(void *context, uint64_t key)
{
    struct adit_report *report = context;
    (void)key;
    report->rest = (struct adit_handle){0};
    adit_memory_rest();
}

void adit_report_rest(struct adit_report *report)
{
    if (!adit_handle_is_set(report->rest)) {
        adit_status_ignore(adit_loop_timer_set(report->loop, &report->rest,
                                               report->loop->now_us + REST_US, rest_due, report, 0),
                           "then it is kept");
    }
}

struct adit_bytes adit_report_target(const struct adit_agent_tunnel *tunnel,
                                     struct adit_span memory)
{
    struct adit_writer text = adit_writer_of(memory);
    struct adit_bytes host = ADIT_FIELD_BYTES(tunnel->host);
    bool is_six = adit_bytes_find(host, ':') < host.len;
    adit_status_ignore(adit_write_bytes(&text, is_six ? ADIT_BYTES("[") : ADIT_BYTES("")), "room");
    adit_status_ignore(adit_write_bytes(&text, host), "room for 253 bytes");
    adit_status_ignore(adit_write_bytes(&text, is_six ? ADIT_BYTES("]:") : ADIT_BYTES(":")),
                       "room");
    adit_status_ignore(adit_write_decimal(&text, tunnel->port), "room");
    return adit_writer_bytes(&text);
}

static void ready(void *context, const struct adit_agent_tunnel *tunnel,
                  const struct adit_control_bound *bound, bool is_again)
{
    struct adit_report *report = context;
    uint8_t memory[300] = {0};
    struct adit_bytes url = ADIT_FIELD_BYTES(bound->url);
    struct adit_bytes target = adit_report_target(tunnel, ADIT_SPAN_OF(memory));
    adit_report_rest(report);
    if (is_again) {
        return; /* the same address: `reconnected` says it */
    }
    if (report->is_json) {
        const struct pair pairs[] = {
            {.name = ADIT_BYTES("name"), .value = ADIT_FIELD_BYTES(bound->name)},
            {.name = ADIT_BYTES("url"), .value = url},
            {.name = ADIT_BYTES("forwards_to"), .value = target},
        };
        tell(report, ADIT_BYTES("ready"), pairs, ADIT_COUNT(pairs));
        return;
    }
    const struct adit_bytes parts[] = {url, ADIT_BYTES(" -> "), target};
    say(report, parts, ADIT_COUNT(parts));
}

static void disconnected(void *context, struct adit_bytes reason, uint64_t wait_us)
{
    struct adit_report *report = context;
    if (report->is_json) {
        const struct pair pair = {.name = ADIT_BYTES("reason"), .value = reason};
        tell(report, ADIT_BYTES("disconnected"), &pair, 1);
        return;
    }
    uint8_t memory[24] = {0};
    struct adit_writer wait = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(adit_write_decimal(&wait, (wait_us + ADIT_SECOND_US - 1) / ADIT_SECOND_US),
                       "room for any number");
    const struct adit_bytes parts[] = {ADIT_BYTES("not connected: "), reason,
                                       ADIT_BYTES("; next attempt within "),
                                       adit_writer_bytes(&wait), ADIT_BYTES(" s")};
    say(report, parts, ADIT_COUNT(parts));
}

static void reconnected(void *context)
{
    struct adit_report *report = context;
    if (report->is_json) {
        tell(report, ADIT_BYTES("reconnected"), NULL, 0);
        return;
    }
    const struct adit_bytes part = ADIT_BYTES("connected again");
    say(report, &part, 1);
}

static void refused(void *context, const struct adit_agent_refusal *refusal)
{
    struct adit_report *report = context;
    report->is_refused = true;
    if (report->is_json) {
        const struct pair pairs[] = {
            {.name = ADIT_BYTES("code"), .value = refusal->code},
            {.name = ADIT_BYTES("message"), .value = refusal->message},
            {.name = ADIT_BYTES("next_action"), .value = refusal->next_action},
        };
        tell(report, ADIT_BYTES("refused"), pairs, ADIT_COUNT(pairs));
    } else {
        const struct adit_bytes parts[] = {ADIT_BYTES("refused ("), refusal->code,
                                           ADIT_BYTES("): "), refusal->message, ADIT_BYTES(" "),
                                           refusal->next_action};
        say(report, parts, ADIT_COUNT(parts));
    }
    adit_loop_stop(report->loop);
}

static void distrusted(void *context, struct adit_bytes why)
{
    struct adit_report *report = context;
    report->is_distrusted = true;
    if (report->is_json) {
        const struct pair pair = {.name = ADIT_BYTES("reason"), .value = why};
        tell(report, ADIT_BYTES("disconnected"), &pair, 1);
    } else {
        const struct adit_bytes parts[] = {
            ADIT_BYTES("the server's certificate does not verify: "), why,
            ADIT_BYTES(". Check --server; give --ca FILE where the server has a CA of its own.")};
        say(report, parts, ADIT_COUNT(parts));
    }
    adit_loop_stop(report->loop);
}

static void notice(void *context, struct adit_bytes message)
{
    struct adit_report *report = context;
    if (report->is_json) {
        const struct pair pair = {.name = ADIT_BYTES("message"), .value = message};
        tell(report, ADIT_BYTES("notice"), &pair, 1);
        return;
    }
    const struct adit_bytes parts[] = {ADIT_BYTES("from the server: "), message};
    say(report, parts, ADIT_COUNT(parts));
}

static void local_failed(void *context, const struct adit_agent_tunnel *tunnel,
                         enum adit_dial_result result)
{
    struct adit_report *report = context;
    uint8_t memory[300] = {0};
    struct adit_bytes target = adit_report_target(tunnel, ADIT_SPAN_OF(memory));
    struct adit_bytes reason = adit_bytes_of_text(adit_dial_name(result));
    if (report->is_json) {
        const struct pair pairs[] = {{.name = ADIT_BYTES("forwards_to"), .value = target},
                                     {.name = ADIT_BYTES("reason"), .value = reason}};
        tell(report, ADIT_BYTES("local_failed"), pairs, ADIT_COUNT(pairs));
        return;
    }
    const struct adit_bytes parts[] = {ADIT_BYTES("a visitor came, but "), target,
                                       ADIT_BYTES(" could not be reached: "),
                                       adit_bytes_of_text(adit_dial_meaning(result))};
    say(report, parts, ADIT_COUNT(parts));
}

const struct adit_agent_events adit_report_events = {
    .ready = ready,
    .disconnected = disconnected,
    .reconnected = reconnected,
    .refused = refused,
    .distrusted = distrusted,
    .notice = notice,
    .local_failed = local_failed,
};
