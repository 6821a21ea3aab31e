#include "edge/control/control.h"

bool control_report_want(struct control *control)
{
    uint64_t now_us = adit_clock_now_us();
    if (control->report_us != 0 && now_us < control->report_us + CONTROL_REPORT_US) {
        return true;
    }
    if (control->asked_us != 0 && now_us < control->asked_us + CONTROL_REPORT_LOST_US) {
        return false; /* on its way */
    }
    struct adit_message ask = {.type = ADIT_MESSAGE_STATUS_ASK, .request = control->request + 1};
    adit_log_failure(&control->log, ADIT_LOG_WARN, ADIT_BYTES("status_ask_failed"),
                     adit_channel_send(&control->supervisor, &ask));
    control->request++;
    control->asked_us = now_us;
    control->gathering = (struct control_report){0};
    return false;
}

void control_report_role(struct control *control, const struct adit_message *message)
{
    /* Control, the door, the workers: in this order, in whichever they answer. */
    uint32_t place = message->index == ADIT_ROLE_STATUS_CONTROL ? 0 : message->index + 1;
    if (message->request != control->request || place >= CONTROL_ROLES_MAX) {
        return; /* of an older request */
    }
    ADIT_AT(control->gathering.roles, place) = (struct control_role){
        .is_there = true,
        .index = message->index,
        .pid = message->count,
        .starts = message->streams,
        .counters = message->counters,
    };
}

void control_report_end(struct control *control, const struct adit_message *message)
{
    if (message->request != control->request || control->asked_us == 0) {
        return;
    }
    control->report = control->gathering;
    control->report.expected = message->count;
    control->report.ready = message->streams;
    control->report.uptime_s = message->uptime_s;
    control->report_us = adit_clock_now_us();
    control->asked_us = 0;
    control_clients_reported(control);
}

bool control_report_is_ready(const struct control *control)
{
    return control->report.expected > 0 && control->report.ready >= control->report.expected;
}

/* Control is, since it tells; the others have counters then. */
static bool role_is_ready(const struct control_role *role)
{
    return role->index == ADIT_ROLE_STATUS_CONTROL || role->counters.count > 0;
}

/* What does not work although tunnels do; empty: all is well. */
static struct adit_bytes trouble_of(const struct control *control)
{
    uint64_t now_us = adit_clock_now_us();
    if (!control_report_is_ready(control)) {
        return ADIT_BYTES("a process is not ready");
    }
    if (control->is_failing) {
        return ADIT_BYTES("the database fails");
    }
    if (control->taken < control->version && now_us > control->published_us + CONTROL_APPLIED_US) {
        return ADIT_BYTES("a process acts by an old snapshot");
    }
    return ADIT_BYTES("");
}

/* --- What a counter is called ----------------------------------------------------------------- */

#define KIND_GAUGE "gauge"
#define KIND_COUNTER "counter"

struct counter {
    struct adit_bytes name, metric, kind, help;
};

#define COUNTER_ROW(NAME, metric_text, KIND, help_text)                                         \
    {ADIT_BYTES_INIT(#NAME), ADIT_BYTES_INIT(metric_text), ADIT_BYTES_INIT(KIND_##KIND),        \
     ADIT_BYTES_INIT(help_text)},
static const struct counter door_counters[] = {ADIT_COUNTERS_DOOR(COUNTER_ROW)};
static const struct counter worker_counters[] = {ADIT_COUNTERS_WORKER(COUNTER_ROW)};
#undef COUNTER_ROW

/* A role as people and monitors see it, and what its counters are called. */
struct shown {
    struct adit_bytes name;
    uint32_t index;
    const struct counter *counters;
    size_t counter_count;
};

static struct shown shown_of(const struct control_role *role)
{
    if (role->index == ADIT_ROLE_STATUS_CONTROL) {
        return (struct shown){.name = ADIT_BYTES("control")};
    }
    if (role->index == 0) {
        return (struct shown){.name = ADIT_BYTES("door"),
                              .counters = door_counters,
                              .counter_count = ADIT_COUNT(door_counters)};
    }
    return (struct shown){.name = ADIT_BYTES("worker"),
                          .index = role->index - 1,
                          .counters = worker_counters,
                          .counter_count = ADIT_COUNT(worker_counters)};
}

static uint64_t value_of(const struct control_role *role, size_t at)
{
    return at < role->counters.count ? ADIT_AT(role->counters.values, at) : 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* The name of a counter in lower case, in quotes, with its colon. */
static struct adit_status key_write(struct adit_writer *writer, struct adit_bytes name)
{
    ADIT_TRY(adit_write_u8(writer, '"'));
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = adit_bytes_at(name, i);
        bool is_upper = byte >= 'A' && byte <= 'Z';
        ADIT_TRY(adit_write_u8(writer, is_upper ? (uint8_t)(byte + ('a' - 'A')) : byte));
    }
    return adit_write_bytes(writer, ADIT_BYTES("\":"));
}

static struct adit_status number_write(struct adit_writer *writer, struct adit_bytes before,
                                       uint64_t number)
{
    ADIT_TRY(adit_write_bytes(writer, before));
    return adit_write_decimal(writer, number);
}

static struct adit_status role_write(struct adit_writer *writer, const struct control_role *role)
{
    struct shown shown = shown_of(role);
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("{\"name\":\"")));
    ADIT_TRY(adit_write_bytes(writer, shown.name));
    ADIT_TRY(number_write(writer, ADIT_BYTES("\",\"index\":"), shown.index));
    ADIT_TRY(number_write(writer, ADIT_BYTES(",\"pid\":"), role->pid));
    ADIT_TRY(number_write(writer, ADIT_BYTES(",\"starts\":"), role->starts));
    ADIT_TRY(adit_write_bytes(writer, role_is_ready(role) ? ADIT_BYTES(",\"ready\":true")
                                                          : ADIT_BYTES(",\"ready\":false")));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(",\"counters\":{")));
    for (size_t i = 0; i < shown.counter_count; i++) {
        const struct counter *counter = &ADIT_SLOT(shown.counters, shown.counter_count, i);
        ADIT_TRY(adit_write_bytes(writer, i > 0 ? ADIT_BYTES(",") : ADIT_BYTES("")));
        ADIT_TRY(key_write(writer, counter->name));
        ADIT_TRY(adit_write_decimal(writer, value_of(role, i)));
    }
    return adit_write_bytes(writer, ADIT_BYTES("}}"));
}

/* Names that are in use or held, and tokens; 0 where the database does not say. */
static void store_count(struct control *control, uint64_t *out_names, uint64_t *out_tokens)
{
    struct adit_status status = adit_store_lease_count(&control->store, out_names);
    if (adit_is_ok(status)) {
        status = adit_store_token_count(&control->store, out_tokens);
    }
    control_store_tell(control, status);
}

struct adit_status control_status_write(struct control *control, struct adit_writer *writer)
{
    const struct control_report *report = &control->report;
    uint64_t names = 0;
    uint64_t tokens = 0;
    store_count(control, &names, &tokens);
    ADIT_TRY(number_write(writer, ADIT_BYTES("{\"pid\":"), (uint64_t)getppid()));
    ADIT_TRY(number_write(writer, ADIT_BYTES(",\"uptime_s\":"), report->uptime_s));
    ADIT_TRY(adit_write_bytes(writer, control_report_is_ready(control)
                                          ? ADIT_BYTES(",\"ready\":true")
                                          : ADIT_BYTES(",\"ready\":false")));
    struct adit_bytes trouble = trouble_of(control);
    ADIT_TRY(adit_write_bytes(writer, trouble.len > 0 ? ADIT_BYTES(",\"degraded\":true")
                                                      : ADIT_BYTES(",\"degraded\":false")));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(",\"reason\":\"")));
    ADIT_TRY(adit_write_bytes(writer, trouble));
    ADIT_TRY(number_write(writer, ADIT_BYTES("\",\"version\":"), control->version));
    ADIT_TRY(number_write(writer, ADIT_BYTES(",\"taken\":"), control->taken));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(",\"roles\":[")));
    bool is_first = true;
    for (size_t i = 0; i < CONTROL_ROLES_MAX; i++) {
        if (ADIT_AT(report->roles, i).is_there) {
            ADIT_TRY(adit_write_bytes(writer, is_first ? ADIT_BYTES("") : ADIT_BYTES(",")));
            ADIT_TRY(role_write(writer, &ADIT_AT(report->roles, i)));
            is_first = false;
        }
    }
    ADIT_TRY(number_write(writer, ADIT_BYTES("],\"names\":"), names));
    ADIT_TRY(number_write(writer, ADIT_BYTES(",\"tokens\":"), tokens));
    return adit_write_bytes(writer, ADIT_BYTES("}\n"));
}

/* --- Metrics: Prometheus text format 0.0.4 ---------------------------------------------------- */

static struct adit_status about_write(struct adit_writer *writer, const struct counter *counter)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("# HELP ")));
    ADIT_TRY(adit_write_bytes(writer, counter->metric));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    ADIT_TRY(adit_write_bytes(writer, counter->help));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\n# TYPE ")));
    ADIT_TRY(adit_write_bytes(writer, counter->metric));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    ADIT_TRY(adit_write_bytes(writer, counter->kind));
    return adit_write_bytes(writer, ADIT_BYTES("\n"));
}

static struct adit_status sample_write(struct adit_writer *writer, struct adit_bytes metric,
                                       const struct control_role *role, uint64_t value)
{
    struct shown shown = shown_of(role);
    ADIT_TRY(adit_write_bytes(writer, metric));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("{role=\"")));
    ADIT_TRY(adit_write_bytes(writer, shown.name));
    ADIT_TRY(number_write(writer, ADIT_BYTES("\",index=\""), shown.index));
    ADIT_TRY(number_write(writer, ADIT_BYTES("\"} "), value));
    return adit_write_bytes(writer, ADIT_BYTES("\n"));
}

/* One table: each metric once, with a sample of every role that has it. */
static struct adit_status table_write(const struct control *control, struct adit_writer *writer,
                                      const struct counter *counters, size_t count)
{
    const struct control_report *report = &control->report;
    for (size_t i = 0; i < count; i++) {
        const struct counter *counter = &ADIT_SLOT(counters, count, i);
        ADIT_TRY(about_write(writer, counter));
        for (size_t at = 0; at < CONTROL_ROLES_MAX; at++) {
            const struct control_role *role = &ADIT_AT(report->roles, at);
            if (role->is_there && role_is_ready(role) && shown_of(role).counters == counters) {
                ADIT_TRY(sample_write(writer, counter->metric, role, value_of(role, i)));
            }
        }
    }
    return adit_ok();
}

static struct adit_status own_write(struct adit_writer *writer, const struct counter *counter,
                                    uint64_t value)
{
    ADIT_TRY(about_write(writer, counter));
    ADIT_TRY(adit_write_bytes(writer, counter->metric));
    ADIT_TRY(number_write(writer, ADIT_BYTES(" "), value));
    return adit_write_bytes(writer, ADIT_BYTES("\n"));
}

static uint64_t starts_of(const struct control_role *role)
{
    return role->starts;
}

static uint64_t ready_of(const struct control_role *role)
{
    return role_is_ready(role) ? 1 : 0;
}

/* A metric with a sample of every role. */
static struct adit_status roles_write(struct adit_writer *writer, const struct counter *counter,
                                      const struct control_report *report,
                                      uint64_t (*value)(const struct control_role *role))
{
    ADIT_TRY(about_write(writer, counter));
    for (size_t i = 0; i < CONTROL_ROLES_MAX; i++) {
        const struct control_role *role = &ADIT_AT(report->roles, i);
        if (role->is_there) {
            ADIT_TRY(sample_write(writer, counter->metric, role, value(role)));
        }
    }
    return adit_ok();
}

struct adit_status control_metrics_write(struct control *control, struct adit_writer *writer)
{
#define OWN(metric_text, kind_text, help_text)                                                  \
    {.metric = ADIT_BYTES_INIT(metric_text),                                                    \
     .kind = ADIT_BYTES_INIT(kind_text),                                                        \
     .help = ADIT_BYTES_INIT(help_text)}
    static const struct counter up = OWN("adit_up", "gauge", "1: control runs.");
    static const struct counter ready = OWN("adit_ready", "gauge", "1: door and workers serve.");
    static const struct counter degraded =
        OWN("adit_degraded", "gauge", "1: tunnels work, and something else does not.");
    static const struct counter role_ready =
        OWN("adit_role_ready", "gauge", "1: the role serves and answers.");
    static const struct counter names = OWN("adit_names", "gauge", "Names in use or held.");
    static const struct counter tokens = OWN("adit_tokens", "gauge", "Tokens that were made.");
    static const struct counter version =
        OWN("adit_snapshot", "gauge", "Version of the last snapshot that control made.");
    static const struct counter starts =
        OWN("adit_role_starts_total", "counter", "How often a role was started.");
#undef OWN
    const struct control_report *report = &control->report;
    uint64_t name_count = 0;
    uint64_t token_count = 0;
    store_count(control, &name_count, &token_count);
    ADIT_TRY(own_write(writer, &up, 1));
    ADIT_TRY(own_write(writer, &ready, control_report_is_ready(control) ? 1 : 0));
    ADIT_TRY(own_write(writer, &degraded, trouble_of(control).len > 0 ? 1 : 0));
    ADIT_TRY(own_write(writer, &names, name_count));
    ADIT_TRY(own_write(writer, &tokens, token_count));
    ADIT_TRY(own_write(writer, &version, control->version));
    ADIT_TRY(roles_write(writer, &starts, report, starts_of));
    ADIT_TRY(roles_write(writer, &role_ready, report, ready_of));
    ADIT_TRY(table_write(control, writer, door_counters, ADIT_COUNT(door_counters)));
    return table_write(control, writer, worker_counters, ADIT_COUNT(worker_counters));
}
