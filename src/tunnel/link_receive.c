#include "tunnel/internal.h"

static struct adit_status ended(bool is_orderly)
{
    if (is_orderly) {
        ADIT_FAIL(CLOSED, "the other end closed the connection");
    }
    ADIT_FAIL(CLOSED, "the connection ended without a goodbye");
}

static struct adit_status gone_away(uint32_t code)
{
    ADIT_FAIL_WITH(CLOSED, "the other end ended the session (GOAWAY)", code);
}

static struct adit_status control_ended(void)
{
    ADIT_FAIL(CLOSED, "the other end ended the control stream");
}

/* The agent opens one stream, for control; the server opens the others. */
static void stream_opened(struct adit_hub *hub, struct link *link, struct adit_handle stream)
{
    struct adit_session *session = &link->session;
    if (hub->role == ADIT_SESSION_SERVER) {
        if (adit_handle_is_set(link->control) ||
            !adit_is_ok(adit_session_accept(session, stream, 0))) {
            adit_session_release(session, stream, hub->loop->now_us);
            return;
        }
        link->control = stream;
        return;
    }
    struct pump *pump = NULL;
    if (!adit_is_ok(pump_make(hub, link, &pump))) {
        adit_session_release(session, stream, hub->loop->now_us);
        return;
    }
    pump->state = PUMP_HEAD;
    pump->stream = stream;
    adit_status_ignore(adit_session_accept(session, stream, adit_handle_pack(pump->self)),
                       "the stream was opened by this event");
}

static void control_event(struct adit_hub *hub, struct link *link,
                          const struct adit_session_event *event)
{
    if (event->kind == ADIT_SESSION_FINISHED || event->kind == ADIT_SESSION_RESET) {
        link_fail(hub, link, control_ended());
        return;
    }
    if (event->kind != ADIT_SESSION_DATA) {
        return;
    }
    struct adit_status status = control_stream_receive(hub, link, event->data);
    if (adit_is_ok(status)) {
        return;
    }
    struct adit_control no = adit_control_refusal(ADIT_REFUSAL_BAD_LOGIN, 0);
    if (hub->role != ADIT_SESSION_SERVER || !adit_is_ok(adit_link_send(hub, link->self, &no))) {
        adit_session_goaway(&link->session, ADIT_YAMUX_GOAWAY_PROTOCOL);
    } /* else an agent is told in words, before which a GOAWAY must not come */
    link_fail(hub, link, status);
}

static void pump_event(struct adit_hub *hub, struct link *link,
                       const struct adit_session_event *event)
{
    struct pump *pump = hub_pump(hub, adit_handle_unpack(event->user));
    if (!pump || !adit_handle_equal(pump->link, link->self)) {
        return;
    }
    switch (event->kind) {
    case ADIT_SESSION_DATA:
        pump_data(hub, pump, event->data);
        break;
    case ADIT_SESSION_FINISHED:
        pump_views_flush_last(hub, pump);
        pump = hub_pump(hub, adit_handle_unpack(event->user)); /* the flush may have ended it */
        if (pump) {
            pump_peer_finished(hub, pump);
        }
        break;
    case ADIT_SESSION_RESET:
        pump_end(hub, pump, ADIT_PUMP_RESET);
        break;
    case ADIT_SESSION_MORE:
    case ADIT_SESSION_OPENED:
    case ADIT_SESSION_ACKED:
    case ADIT_SESSION_GOAWAY:
        break;
    }
}

void link_event(struct adit_hub *hub, struct link *link, const struct adit_session_event *event)
{
    switch (event->kind) {
    case ADIT_SESSION_MORE:
    case ADIT_SESSION_ACKED:
        return;
    case ADIT_SESSION_OPENED:
        stream_opened(hub, link, event->stream);
        return;
    case ADIT_SESSION_GOAWAY:
        if (event->code != ADIT_YAMUX_GOAWAY_NORMAL) {
            link_fail(hub, link, gone_away(event->code));
        }
        return;
    case ADIT_SESSION_DATA:
    case ADIT_SESSION_FINISHED:
    case ADIT_SESSION_RESET:
        if (adit_handle_equal(event->stream, link->control)) {
            control_event(hub, link, event);
        } else {
            pump_event(hub, link, event);
        }
        return;
    }
}

static void plain_received(struct adit_hub *hub, struct link *link, struct adit_bytes plain)
{
    struct adit_session_event event = {0};
    do {
        struct adit_status status =
            adit_session_receive(&link->session, &plain, hub->loop->now_us, &event);
        if (!adit_is_ok(status)) {
            link_fail(hub, link, status); /* the session has queued its GOAWAY */
            break;
        }
        link_event(hub, link, &event);
        if (adit_session_is_congested(&link->session)) {
            link_flush(hub, link); /* as far as the socket takes it; the rest is read anyway */
        }
    } while ((plain.len > 0 || event.kind != ADIT_SESSION_MORE) && !link->is_closing);
    pump_views_flush(hub);
    hub_mark_dirty(hub, link);
}

/* Decrypts and handles everything that the TLS connection has input for. */
static void cipher_received(struct adit_hub *hub, struct link *link, struct adit_bytes cipher)
{
    adit_tls_input_set(link->tls, cipher);
    if (link->state == LINK_HANDSHAKE) {
        bool is_done = false;
        struct adit_status status = adit_tls_handshake(link->tls, &is_done);
        hub_mark_dirty(hub, link);
        if (!adit_is_ok(status)) {
            link_fail(hub, link, status);
            return;
        }
        if (!is_done) {
            return;
        }
        link_opened(hub, link);
    }
    bool is_end = false;
    size_t count = 1;
    while (count > 0 && !is_end && !link->is_closing) {
        struct adit_span room = hub->plain_in;
        size_t filled = 0;
        do {
            struct adit_status status = adit_tls_read(link->tls, room, &count, &is_end);
            if (!adit_is_ok(status)) {
                link_fail(hub, link, status);
                count = 0;
            }
            filled += count;
            room = adit_span_from(room, count);
        } while (count > 0 && !is_end && room.len >= ADIT_TLS_RECORD_BYTES);
        if (filled > 0) {
            plain_received(hub, link, adit_bytes_first(adit_span_bytes(hub->plain_in), filled));
        }
    }
    if (is_end) {
        link_fail(hub, link, ended(true));
    }
}

/* The ClientHello. */
static void hello_make(struct adit_hub *hub, struct link *link)
{
    cipher_received(hub, link, (struct adit_bytes){0}); /* once, however often it is called */
}

void adit_link_greet(struct adit_hub *hub, struct adit_handle handle)
{
    struct link *link = hub_link(hub, handle);
    if (link && link->state == LINK_HANDSHAKE && hub->role == ADIT_SESSION_CLIENT) {
        hello_make(hub, link);
        link_send_waiting(hub, link);
    }
}

/* What is read at once where small streams pass beside bulk: two records as encrypted. */
#define CIPHER_MIXED_BYTES (2 * (ADIT_TLS_RECORD_BYTES + 22))

/* Beside small streams a link is read once in a turn of the loop, so that others are looked at
 * before the rest. */
static bool is_others_turn(const struct adit_hub *hub, const struct link *link)
{
    return link->received_turn == hub->loop->turns_total && adit_session_is_mixed(&link->session);
}

/* One scratch full: a turn that read more would keep small requests waiting for longer, and would
 * count what came in a while as if it had come at once. */
void link_receive(struct adit_hub *hub, struct link *link)
{
    if (link->state == LINK_HANDSHAKE && hub->role == ADIT_SESSION_CLIENT) {
        hello_make(hub, link);
    }
    if (link->is_closing) {
        return;
    }
    if (link->is_blocked && adit_session_is_congested(&link->session)) {
        link->wants_receive = true; /* a peer that asks and does not listen waits */
        return;
    }
    if (is_others_turn(hub, link)) {
        link->wants_receive = true;
        hub_mark_dirty(hub, link);
        return;
    }
    link->received_turn = hub->loop->turns_total;
    struct adit_span room = hub->cipher_in;
    if (adit_session_is_mixed(&link->session)) {
        room = adit_span_first(room, CIPHER_MIXED_BYTES);
    }
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    struct adit_status status = adit_socket_receive(link->fd, room, &count, &io);
    if (!adit_is_ok(status)) {
        link_fail(hub, link, status);
        return;
    }
    if (io == ADIT_IO_END) {
        link_fail(hub, link, ended(false));
        return;
    }
    if (io == ADIT_IO_BLOCKED) {
        return;
    }
    cipher_received(hub, link, adit_bytes_first(adit_span_bytes(hub->cipher_in), count));
    if (link->state == LINK_OPEN && adit_session_is_mixed(&link->session)) {
        adit_loop_make_way(hub->loop); /* whoever got something small may answer at once */
    }
    bool is_empty = count < room.len && !link->has_hangup; /* more is a new event */
    if (!is_empty && !link->is_closing) {
        link->wants_receive = true;
        hub_mark_dirty(hub, link);
    }
}
