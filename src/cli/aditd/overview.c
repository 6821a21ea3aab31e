#include "cli/aditd/overview.h"

#include "wire/json.h"

#define MEMBERS_MAX 128u /* of one object */
#define COLUMN 10
#define DAY_S 86400u
#define HOUR_S 3600u
#define MINUTE_S 60u

/* A member of an object by its name; what `value` does with it. */
typedef struct adit_status member_fn(struct adit_json *json, struct adit_bytes name, void *target);

static struct adit_status expect(struct adit_json *json, enum adit_json_token wanted)
{
    enum adit_json_token token = ADIT_JSON_END;
    ADIT_TRY(adit_json_next(json, &token));
    ADIT_ENSURE(token == wanted, INVALID, "the server's answer has another form");
    return adit_ok();
}

/* After the opening bracket: every member, to the closing one. */
static struct adit_status members_read(struct adit_json *json, member_fn *member, void *target)
{
    for (uint32_t i = 0; i < MEMBERS_MAX; i++) {
        enum adit_json_token token = ADIT_JSON_END;
        ADIT_TRY(adit_json_next(json, &token));
        if (token == ADIT_JSON_OBJECT_END) {
            return adit_ok();
        }
        ADIT_ENSURE(token == ADIT_JSON_KEY, INVALID, "the server's answer has another form");
        ADIT_TRY(member(json, json->raw, target));
    }
    ADIT_FAIL(LIMIT, "the server's answer has too many members");
}

static struct adit_status number_read(struct adit_json *json, uint64_t *out_number)
{
    ADIT_TRY(expect(json, ADIT_JSON_NUMBER));
    return adit_json_number(json->raw, UINT64_MAX, out_number);
}

static bool is_named(struct adit_bytes raw, struct adit_bytes name)
{
    return adit_json_string_equal(raw, name);
}

static struct adit_status counter_read(struct adit_json *json, struct adit_bytes name,
                                       void *target)
{
    struct adit_overview_role *role = target;
    const struct {
        struct adit_bytes name;
        uint64_t *number;
    } counters[] = {
        {ADIT_BYTES_INIT("sessions"), &role->sessions},
        {ADIT_BYTES_INIT("streams"), &role->streams},
        {ADIT_BYTES_INIT("tunnels"), &role->tunnels},
        {ADIT_BYTES_INIT("web_now"), &role->web},
        {ADIT_BYTES_INIT("requests"), &role->requests},
        {ADIT_BYTES_INIT("names"), &role->names},
        {ADIT_BYTES_INIT("ports"), &role->ports},
        {ADIT_BYTES_INIT("parked"), &role->parked},
    };
    for (size_t i = 0; i < ADIT_COUNT(counters); i++) {
        if (is_named(name, ADIT_AT(counters, i).name)) {
            return number_read(json, ADIT_AT(counters, i).number);
        }
    }
    return adit_json_skip(json);
}

static struct adit_status flag_read(struct adit_json *json, bool *out_flag)
{
    enum adit_json_token token = ADIT_JSON_END;
    ADIT_TRY(adit_json_next(json, &token));
    ADIT_ENSURE(token == ADIT_JSON_TRUE || token == ADIT_JSON_FALSE, INVALID,
                "the server's answer has another form");
    *out_flag = token == ADIT_JSON_TRUE;
    return adit_ok();
}

static struct adit_status name_read(struct adit_json *json, struct adit_overview_role *role)
{
    uint8_t memory[16] = {0};
    struct adit_writer name = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(expect(json, ADIT_JSON_STRING));
    ADIT_TRY(adit_json_string_decode(json->raw, &name));
    ADIT_ENSURE(adit_text_is_printable(adit_writer_bytes(&name)), INVALID,
                "the server's answer has a name that cannot be shown");
    return ADIT_FIELD_SET(role->name, adit_writer_bytes(&name));
}

static struct adit_status role_member_read(struct adit_json *json, struct adit_bytes name,
                                           void *target)
{
    struct adit_overview_role *role = target;
    if (is_named(name, ADIT_BYTES("name"))) {
        return name_read(json, role);
    }
    if (is_named(name, ADIT_BYTES("index"))) {
        return number_read(json, &role->index);
    }
    if (is_named(name, ADIT_BYTES("pid"))) {
        return number_read(json, &role->pid);
    }
    if (is_named(name, ADIT_BYTES("starts"))) {
        return number_read(json, &role->starts);
    }
    if (is_named(name, ADIT_BYTES("ready"))) {
        return flag_read(json, &role->is_ready);
    }
    if (is_named(name, ADIT_BYTES("counters"))) {
        ADIT_TRY(expect(json, ADIT_JSON_OBJECT));
        return members_read(json, counter_read, role);
    }
    return adit_json_skip(json);
}

static struct adit_status roles_read(struct adit_json *json, struct adit_overview *overview)
{
    ADIT_TRY(expect(json, ADIT_JSON_ARRAY));
    for (uint32_t i = 0; i <= ADIT_OVERVIEW_ROLES_MAX; i++) {
        enum adit_json_token token = ADIT_JSON_END;
        ADIT_TRY(adit_json_next(json, &token));
        if (token == ADIT_JSON_ARRAY_END) {
            return adit_ok();
        }
        ADIT_ENSURE(token == ADIT_JSON_OBJECT, INVALID, "the server's answer has another form");
        ADIT_ENSURE(overview->role_count < ADIT_OVERVIEW_ROLES_MAX, LIMIT,
                    "the server's answer has too many roles");
        ADIT_TRY(members_read(json, role_member_read,
                              &ADIT_AT(overview->roles, overview->role_count)));
        overview->role_count++;
    }
    ADIT_FAIL(LIMIT, "the server's answer has too many roles");
}

static struct adit_status reason_read(struct adit_json *json, struct adit_overview *overview)
{
    uint8_t memory[64] = {0};
    struct adit_writer reason = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(expect(json, ADIT_JSON_STRING));
    ADIT_TRY(adit_json_string_decode(json->raw, &reason));
    ADIT_ENSURE(adit_text_is_printable(adit_writer_bytes(&reason)), INVALID,
                "the server's answer has a text that cannot be shown");
    return ADIT_FIELD_SET(overview->reason, adit_writer_bytes(&reason));
}

static struct adit_status member_read(struct adit_json *json, struct adit_bytes name, void *target)
{
    struct adit_overview *overview = target;
    const struct {
        struct adit_bytes name;
        uint64_t *number;
    } numbers[] = {
        {ADIT_BYTES_INIT("pid"), &overview->pid},
        {ADIT_BYTES_INIT("uptime_s"), &overview->uptime_s},
        {ADIT_BYTES_INIT("names"), &overview->names},
        {ADIT_BYTES_INIT("tokens"), &overview->tokens},
        {ADIT_BYTES_INIT("version"), &overview->version},
        {ADIT_BYTES_INIT("taken"), &overview->taken},
    };
    for (size_t i = 0; i < ADIT_COUNT(numbers); i++) {
        if (is_named(name, ADIT_AT(numbers, i).name)) {
            return number_read(json, ADIT_AT(numbers, i).number);
        }
    }
    if (is_named(name, ADIT_BYTES("roles"))) {
        return roles_read(json, overview);
    }
    if (is_named(name, ADIT_BYTES("ready"))) {
        return flag_read(json, &overview->is_ready);
    }
    if (is_named(name, ADIT_BYTES("degraded"))) {
        return flag_read(json, &overview->is_degraded);
    }
    if (is_named(name, ADIT_BYTES("reason"))) {
        return reason_read(json, overview);
    }
    return adit_json_skip(json);
}

struct adit_status adit_overview_read(struct adit_bytes text, struct adit_overview *out_overview)
{
    struct adit_json json = {0};
    struct adit_overview overview = {0};
    adit_json_init(&json, text);
    ADIT_TRY(expect(&json, ADIT_JSON_OBJECT));
    ADIT_TRY(members_read(&json, member_read, &overview));
    ADIT_TRY(expect(&json, ADIT_JSON_END));
    *out_overview = overview;
    return adit_ok();
}

/* --- The table -------------------------------------------------------------------------------- */

/* Fills the column that began at `start`; one that is full gets a blank. */
static struct adit_status column_end(struct adit_writer *writer, size_t start)
{
    ADIT_TRY(adit_write_u8(writer, ' '));
    while (writer->len - start < COLUMN) {
        ADIT_TRY(adit_write_u8(writer, ' '));
    }
    return adit_ok();
}

static struct adit_status number_write(struct adit_writer *writer, uint64_t number)
{
    size_t start = writer->len;
    ADIT_TRY(adit_write_decimal(writer, number));
    return column_end(writer, start);
}

static struct adit_status role_write(struct adit_writer *writer,
                                     const struct adit_overview_role *role)
{
    struct adit_bytes name = ADIT_FIELD_BYTES(role->name);
    bool is_worker = adit_bytes_equal(name, ADIT_BYTES("worker"));
    size_t start = writer->len;
    ADIT_TRY(adit_write_bytes(writer, name));
    if (is_worker) {
        ADIT_TRY(adit_write_u8(writer, ' '));
        ADIT_TRY(adit_write_decimal(writer, role->index));
    }
    ADIT_TRY(column_end(writer, start));
    ADIT_TRY(number_write(writer, role->pid));
    ADIT_TRY(number_write(writer, role->starts));
    if (!is_worker || !role->is_ready) {
        return adit_write_bytes(writer, role->is_ready ? ADIT_BYTES("ready\n")
                                                       : ADIT_BYTES("not ready\n"));
    }
    start = writer->len;
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("ready")));
    ADIT_TRY(column_end(writer, start));
    ADIT_TRY(number_write(writer, role->sessions));
    ADIT_TRY(number_write(writer, role->streams));
    ADIT_TRY(number_write(writer, role->tunnels));
    ADIT_TRY(number_write(writer, role->web));
    ADIT_TRY(adit_write_decimal(writer, role->requests));
    return adit_write_u8(writer, '\n');
}

/* "3d 4h", "4h 5m", "5m 6s": the two largest units. */
static struct adit_status time_write(struct adit_writer *writer, uint64_t time_s)
{
    static const struct {
        uint64_t unit_s, next_s;
        struct adit_bytes unit, next;
    } forms[] = {
        {DAY_S, HOUR_S, ADIT_BYTES_INIT("d "), ADIT_BYTES_INIT("h")},
        {HOUR_S, MINUTE_S, ADIT_BYTES_INIT("h "), ADIT_BYTES_INIT("m")},
        {MINUTE_S, 1, ADIT_BYTES_INIT("m "), ADIT_BYTES_INIT("s")},
    };
    for (size_t i = 0; i < ADIT_COUNT(forms); i++) {
        uint64_t unit_s = ADIT_AT(forms, i).unit_s;
        if (time_s >= unit_s) {
            ADIT_TRY(adit_write_decimal(writer, time_s / unit_s));
            ADIT_TRY(adit_write_bytes(writer, ADIT_AT(forms, i).unit));
            ADIT_TRY(adit_write_decimal(writer, time_s % unit_s / ADIT_AT(forms, i).next_s));
            return adit_write_bytes(writer, ADIT_AT(forms, i).next);
        }
    }
    ADIT_TRY(adit_write_decimal(writer, time_s));
    return adit_write_u8(writer, 's');
}

static struct adit_status count_write(struct adit_writer *writer, uint64_t count,
                                      struct adit_bytes one, struct adit_bytes many)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(", ")));
    ADIT_TRY(adit_write_decimal(writer, count));
    return adit_write_bytes(writer, count == 1 ? one : many);
}

/* What the door routes, and what keeps the server from being well. */
static struct adit_status routes_write(struct adit_writer *writer,
                                       const struct adit_overview *overview)
{
    struct adit_overview_role sum = {0};
    for (size_t i = 0; i < overview->role_count; i++) {
        sum.names += ADIT_AT(overview->roles, i).names;
        sum.ports += ADIT_AT(overview->roles, i).ports;
        sum.parked += ADIT_AT(overview->roles, i).parked;
    }
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("routes: ")));
    ADIT_TRY(adit_write_decimal(writer, sum.names));
    ADIT_TRY(adit_write_bytes(writer, sum.names == 1 ? ADIT_BYTES(" name") : ADIT_BYTES(" names")));
    ADIT_TRY(count_write(writer, sum.ports, ADIT_BYTES(" port"), ADIT_BYTES(" ports")));
    ADIT_TRY(count_write(writer, sum.parked, ADIT_BYTES(" visitor waits"),
                         ADIT_BYTES(" visitors wait")));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("; snapshot ")));
    ADIT_TRY(adit_write_decimal(writer, overview->taken));
    if (overview->taken < overview->version) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(", behind ")));
        ADIT_TRY(adit_write_decimal(writer, overview->version));
    }
    if (overview->is_degraded) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\ndegraded: ")));
        ADIT_TRY(adit_write_bytes(writer, ADIT_FIELD_BYTES(overview->reason)));
    }
    return adit_write_u8(writer, '\n');
}

static struct adit_status head_write(struct adit_writer *writer)
{
    static const struct adit_bytes head[] = {
        ADIT_BYTES_INIT("ROLE"),     ADIT_BYTES_INIT("PID"),     ADIT_BYTES_INIT("STARTS"),
        ADIT_BYTES_INIT("STATE"),    ADIT_BYTES_INIT("SESSIONS"), ADIT_BYTES_INIT("STREAMS"),
        ADIT_BYTES_INIT("TUNNELS"),  ADIT_BYTES_INIT("HTTP"),
    };
    for (size_t i = 0; i < ADIT_COUNT(head); i++) {
        size_t start = writer->len;
        ADIT_TRY(adit_write_bytes(writer, ADIT_AT(head, i)));
        ADIT_TRY(column_end(writer, start));
    }
    return adit_write_bytes(writer, ADIT_BYTES("REQUESTS\n"));
}

struct adit_status adit_overview_write(struct adit_writer *writer,
                                       const struct adit_overview *overview)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("aditd ")));
    ADIT_TRY(adit_write_decimal(writer, overview->pid));
    ADIT_TRY(adit_write_bytes(writer, overview->is_ready ? ADIT_BYTES(" is ready, up ")
                                                         : ADIT_BYTES(" is not ready, up ")));
    ADIT_TRY(time_write(writer, overview->uptime_s));
    ADIT_TRY(count_write(writer, overview->names, ADIT_BYTES(" name"), ADIT_BYTES(" names")));
    ADIT_TRY(count_write(writer, overview->tokens, ADIT_BYTES(" token"), ADIT_BYTES(" tokens")));
    ADIT_TRY(adit_write_u8(writer, '\n'));
    ADIT_TRY(routes_write(writer, overview));
    ADIT_TRY(head_write(writer));
    for (size_t i = 0; i < overview->role_count; i++) {
        ADIT_TRY(role_write(writer, &ADIT_AT(overview->roles, i)));
    }
    return adit_ok();
}
