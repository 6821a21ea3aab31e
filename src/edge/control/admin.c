#include "edge/control/control.h"

#define TEXT ADIT_BYTES("text/plain; charset=utf-8")
#define HTTP_PORT 80
#define METRICS ADIT_BYTES("text/plain; version=0.0.4; charset=utf-8")

/* The parts of an answer; all constant but the body. */
struct answer {
    struct adit_bytes status; /* "200 OK" */
    struct adit_bytes type;
    struct adit_bytes field; /* one more, with its CR LF, or none */
};

/* The end of the body is the end of the connection. */
static struct adit_status head_write(struct adit_writer *writer, const struct answer *answer)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("HTTP/1.1 ")));
    ADIT_TRY(adit_write_bytes(writer, answer->status));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\r\nContent-Type: ")));
    ADIT_TRY(adit_write_bytes(writer, answer->type));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\r\n")));
    ADIT_TRY(adit_write_bytes(writer, answer->field));
    return adit_write_bytes(writer,
                            ADIT_BYTES("Connection: close\r\nCache-Control: no-store\r\n"
                                       "X-Content-Type-Options: nosniff\r\n\r\n"));
}

static void line_answer(struct control *control, struct control_client *client,
                        const struct answer *answer)
{
    uint8_t memory[512] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(head_write(&writer, answer), "it fits");
    adit_status_ignore(adit_write_bytes(&writer, answer->status), "as above");
    adit_status_ignore(adit_write_bytes(&writer, ADIT_BYTES("\n")), "as above");
    control_client_answer(control, client, adit_writer_bytes(&writer));
}

/* --- What can be asked for -------------------------------------------------------------------- */

static void healthz(struct control *control, struct control_client *client)
{
    static const struct answer fine = {.status = ADIT_BYTES_INIT("200 OK"),
                                       .type = ADIT_BYTES_INIT("text/plain; charset=utf-8")};
    line_answer(control, client, &fine);
}

static struct adit_status readyz_write(struct control *control, struct adit_writer *writer)
{
    bool is_ready = control_report_is_ready(control);
    const struct answer answer = {
        .status = is_ready ? ADIT_BYTES("200 OK") : ADIT_BYTES("503 Service Unavailable"),
        .type = TEXT,
    };
    ADIT_TRY(head_write(writer, &answer));
    return adit_write_bytes(writer, is_ready ? ADIT_BYTES("ready\n") : ADIT_BYTES("not ready\n"));
}

static void readyz(struct control *control, struct control_client *client)
{
    control_client_report(control, client, readyz_write);
}

static struct adit_status metrics_write(struct control *control, struct adit_writer *writer)
{
    const struct answer answer = {.status = ADIT_BYTES("200 OK"), .type = METRICS};
    ADIT_TRY(head_write(writer, &answer));
    return control_metrics_write(control, writer);
}

static void metrics(struct control *control, struct control_client *client)
{
    control_client_report(control, client, metrics_write);
}

static const struct {
    struct adit_bytes path;
    void (*answer)(struct control *control, struct control_client *client);
} paths[] = {
    {ADIT_BYTES_INIT("/healthz"), healthz},
    {ADIT_BYTES_INIT("/readyz"), readyz},
    {ADIT_BYTES_INIT("/metrics"), metrics},
};

/* --- Requests --------------------------------------------------------------------------------- */

/* May a request for this host be answered? A browser on a machine that reaches the port sends what
 * a page of a stranger asks for, once the stranger has let a name of theirs mean our address; that
 * name is the Host then. So: addresses, "localhost", and the server's own domain. */
static bool is_host_ours(const struct control *control, struct adit_bytes text)
{
    struct adit_bytes host = {0};
    struct adit_address address = {0};
    uint16_t port = 0;
    if (!adit_is_ok(adit_address_split(text, HTTP_PORT, &host, &port))) {
        return false;
    }
    return adit_bytes_equal_nocase(host, ADIT_BYTES("localhost")) ||
           adit_bytes_equal_nocase(host, ADIT_FIELD_BYTES(control->domain)) ||
           adit_is_ok(adit_address_of_ip(host, port, &address));
}

/* HTTP/1.0 may come without a Host; no browser leaves it out. */
static bool is_for_us(const struct control *control, const struct adit_http_head *head)
{
    const struct adit_http_field *host = adit_http_field_find(head, ADIT_BYTES("Host"));
    size_t count = adit_http_field_count(head, ADIT_BYTES("Host"));
    return count == 0 ? head->version_minor == 0 : count == 1 && is_host_ours(control, host->value);
}

static void request_answer(struct control *control, struct control_client *client,
                           const struct adit_http_head *head)
{
    static const struct answer missing = {.status = ADIT_BYTES_INIT("404 Not Found"),
                                          .type = ADIT_BYTES_INIT("text/plain; charset=utf-8")};
    static const struct answer other = {.status = ADIT_BYTES_INIT("405 Method Not Allowed"),
                                        .type = ADIT_BYTES_INIT("text/plain; charset=utf-8"),
                                        .field = ADIT_BYTES_INIT("Allow: GET\r\n")};
    static const struct answer elsewhere = {
        .status = ADIT_BYTES_INIT("421 Misdirected Request"),
        .type = ADIT_BYTES_INIT("text/plain; charset=utf-8"),
        .field = ADIT_BYTES_INIT("Adit-Error: misdirected\r\n")};
    if (!is_for_us(control, head)) {
        line_answer(control, client, &elsewhere);
        return;
    }
    struct adit_bytes path =
        adit_bytes_first(head->target, adit_bytes_find(head->target, '?'));
    for (size_t i = 0; i < ADIT_COUNT(paths); i++) {
        if (adit_bytes_equal(ADIT_AT(paths, i).path, path)) {
            if (adit_bytes_equal(head->method, ADIT_BYTES("GET"))) {
                ADIT_AT(paths, i).answer(control, client);
            } else {
                line_answer(control, client, &other);
            }
            return;
        }
    }
    line_answer(control, client, &missing);
}

void control_admin_bytes(struct control *control, struct control_client *client,
                         struct adit_bytes bytes)
{
    static const struct answer bad = {.status = ADIT_BYTES_INIT("400 Bad Request"),
                                      .type = ADIT_BYTES_INIT("text/plain; charset=utf-8")};
    struct adit_http_head head = {0};
    enum adit_parse parse = ADIT_PARSE_MORE;
    size_t used = 0;
    struct adit_status status = adit_http_scan_head(&client->scan, bytes,
                                                    CONTROL_REQUEST_BYTES_MAX, &used, &parse);
    if (adit_is_ok(status) && parse == ADIT_PARSE_MORE && bytes.len < CONTROL_REQUEST_BYTES_MAX) {
        return;
    }
    if (adit_is_ok(status) && parse == ADIT_PARSE_FOUND) {
        status = adit_http_request_parse(adit_bytes_first(bytes, used), &head);
        if (adit_is_ok(status)) {
            request_answer(control, client, &head);
            return;
        }
    }
    line_answer(control, client, &bad);
}
