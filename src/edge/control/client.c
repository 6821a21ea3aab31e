#include "edge/control/control.h"

#define ACCEPTS_MAX 16 /* in one turn */

static struct control_client *client_of(struct control *control, uint64_t key)
{
    return adit_pool_get(&control->clients, adit_handle_unpack(key));
}

static uint32_t *count_of(struct control *control, enum control_client_kind kind)
{
    return kind == CONTROL_CLIENT_LOCAL ? &control->local_count : &control->admin_count;
}

void control_client_close(struct control *control, struct control_client *client)
{
    adit_loop_unwatch(&control->loop, &client->watch);
    adit_loop_timer_cancel(&control->loop, &client->timer);
    adit_socket_close(&client->fd);
    adit_memory_close(&client->out);
    (*count_of(control, client->kind))--;
    adit_status_ignore(adit_pool_release(&control->clients, client->self), "it was held");
}

/* --- Answers ---------------------------------------------------------------------------------- */

static void answer_send(struct control *control, struct control_client *client)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    struct adit_bytes rest = adit_bytes_from(adit_span_bytes(client->out), client->out_sent);
    struct adit_status status = adit_socket_send(client->fd, rest, &count, &io);
    client->out_sent += count;
    if (!adit_is_ok(status) || io == ADIT_IO_DONE) {
        control_client_close(control, client);
    }
}

void control_client_answer(struct control *control, struct control_client *client,
                           struct adit_bytes answer)
{
    client->want = CONTROL_WANT_SENT;
    if (!adit_is_ok(adit_memory_open(1, answer.len, &client->out)) ||
        !adit_is_ok(adit_span_copy(client->out, answer))) {
        control_client_close(control, client);
        return;
    }
    answer_send(control, client);
}

static void report_answer(struct control *control, struct control_client *client)
{
    struct adit_writer writer = adit_writer_of(control->scratch);
    struct adit_status status = client->write(control, &writer);
    if (!adit_is_ok(status)) {
        adit_log_failure(&control->log, ADIT_LOG_ERROR, ADIT_BYTES("answer_failed"), status);
        control_client_close(control, client);
        return;
    }
    control_client_answer(control, client, adit_writer_bytes(&writer));
}

void control_client_report(struct control *control, struct control_client *client,
                           control_write_fn *write)
{
    client->write = write;
    if (control_report_want(control)) {
        report_answer(control, client);
    } else {
        client->want = CONTROL_WANT_REPORT;
    }
}

void control_clients_reported(struct control *control)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&control->clients, &cursor, &handle)) {
        struct control_client *client = adit_pool_get(&control->clients, handle);
        if (client && client->want == CONTROL_WANT_REPORT) {
            report_answer(control, client);
        }
    }
}

void control_clients_taken(struct control *control)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&control->clients, &cursor, &handle)) {
        struct control_client *client = adit_pool_get(&control->clients, handle);
        if (client && client->want == CONTROL_WANT_TAKEN && client->version <= control->taken) {
            control_local_applied(control, client);
        }
    }
}

/* --- Requests --------------------------------------------------------------------------------- */

static void request_look(struct control *control, struct control_client *client)
{
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(client->in), client->in_len);
    if (client->kind == CONTROL_CLIENT_ADMIN) {
        control_admin_bytes(control, client, bytes);
        return;
    }
    size_t end = adit_bytes_find(bytes, '\n');
    if (end < bytes.len) {
        control_local_line(control, client, adit_bytes_first(bytes, end));
    } else if (bytes.len >= CONTROL_LINE_BYTES_MAX) {
        control_client_answer(control, client, ADIT_BYTES("{\"error\":\"line_too_long\"}\n"));
    }
}

/* Reads until nothing is there, the request is whole, or the client is gone. */
static void request_read(struct control *control, uint64_t key)
{
    for (struct control_client *client = client_of(control, key);
         client && client->want == CONTROL_WANT_REQUEST; client = client_of(control, key)) {
        size_t most = client->kind == CONTROL_CLIENT_LOCAL ? CONTROL_LINE_BYTES_MAX
                                                           : CONTROL_REQUEST_BYTES_MAX;
        struct adit_span room = adit_span_from(
            adit_span_first(ADIT_SPAN_OF(client->in), most), client->in_len);
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status = adit_socket_receive(client->fd, room, &count, &io);
        if (!adit_is_ok(status) || io == ADIT_IO_END) {
            control_client_close(control, client);
            return;
        }
        if (io == ADIT_IO_BLOCKED) {
            return;
        }
        client->in_len += count;
        request_look(control, client);
    }
}

static void client_ready(void *context, uint64_t key, uint32_t events)
{
    struct control *control = context;
    struct control_client *client = client_of(control, key);
    if (!client) {
        return;
    }
    if (client->want == CONTROL_WANT_SENT) {
        answer_send(control, client);
    } else if ((events & ADIT_LOOP_READ) != 0) {
        request_read(control, key);
    }
}

static void client_late(void *context, uint64_t key)
{
    struct control *control = context;
    struct control_client *client = client_of(control, key);
    if (client && client->want == CONTROL_WANT_TAKEN) {
        control_local_applied(control, client); /* says that it is not */
        client = client_of(control, key);
        if (client) {
            control_client_deadline_set(control, client, control->client_us);
        }
    } else if (client) {
        control_client_close(control, client);
    }
}

void control_client_deadline_set(struct control *control, struct control_client *client,
                                 uint64_t after_us)
{
    adit_status_ignore(adit_loop_timer_set(&control->loop, &client->timer,
                                           adit_clock_now_us() + after_us, client_late, control,
                                           adit_handle_pack(client->self)),
                       "there is a timer for each");
}

/* --- New ones --------------------------------------------------------------------------------- */

/* Takes the descriptor over, whatever happens. */
static void client_add(struct control *control, enum control_client_kind kind, int fd)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    uint32_t most = kind == CONTROL_CLIENT_LOCAL ? CONTROL_LOCAL_MAX : CONTROL_ADMIN_MAX;
    if (*count_of(control, kind) >= most ||
        !adit_is_ok(adit_pool_acquire(&control->clients, &handle, &object))) {
        adit_socket_close(&fd);
        return;
    }
    struct control_client *client = object;
    uint64_t key = adit_handle_pack(handle);
    *client = (struct control_client){.kind = kind, .fd = fd, .self = handle};
    (*count_of(control, kind))++;
    control_client_deadline_set(control, client, control->client_us);
    if (!adit_is_ok(adit_loop_watch(&control->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE,
                                    client_ready, control, key, &client->watch))) {
        control_client_close(control, client);
        return;
    }
    request_read(control, key);
}

static void listener_ready(void *context, uint64_t key, uint32_t events)
{
    struct control *control = context;
    bool is_local = key == CONTROL_CLIENT_LOCAL;
    (void)events;
    for (size_t i = 0; i < ACCEPTS_MAX; i++) {
        struct adit_address peer = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        int fd = -1;
        struct adit_status status = adit_socket_accept(
            is_local ? control->local_listener : control->admin_listener, &fd, &peer, &io);
        if (!adit_is_ok(status) || io != ADIT_IO_DONE) {
            adit_log_failure(&control->log, ADIT_LOG_WARN, ADIT_BYTES("accept_failed"), status);
            return;
        }
        client_add(control, is_local ? CONTROL_CLIENT_LOCAL : CONTROL_CLIENT_ADMIN, fd);
    }
}

struct adit_status control_clients_begin(struct control *control)
{
    const uint32_t interest = ADIT_LOOP_READ | ADIT_LOOP_LEVEL;
    ADIT_TRY(adit_loop_watch(&control->loop, control->local_listener, interest, listener_ready,
                             control, CONTROL_CLIENT_LOCAL, &control->local_watch));
    return adit_loop_watch(&control->loop, control->admin_listener, interest, listener_ready,
                           control, CONTROL_CLIENT_ADMIN, &control->admin_watch);
}
