#include "script.h"

#define ROUND_US 50 /* how much time passes in a round */
#define ROUNDS_MAX 100000
#define REQUEST "GET / HTTP/1.1\r\nHost: bench.adit.localhost" SCRIPT_HEAD_END
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2" SCRIPT_HEAD_END SCRIPT_BODY_END
#define TLS_OUT_BYTES (256 * 1024)

static const uint8_t piece[SCRIPT_PIECE_BYTES];
static uint8_t plain[64 * 1024], cipher[64 * 1024];

static void end_close(struct script *script, struct script_end *end)
{
    adit_loop_unwatch(&script->outside, &end->watch);
    adit_tls_close(&end->tls);
    adit_socket_close(&end->fd);
    *end = (struct script_end){.fd = -1};
}

static void flush_tls(struct script *script, struct script_end *end)
{
    struct adit_queue *out = adit_tls_out(end->tls);
    while (out->len > 0) {
        struct iovec views[16] = {0};
        size_t count = adit_queue_views(out, views, ADIT_COUNT(views));
        size_t sent = 0;
        enum adit_io io = ADIT_IO_DONE;
        script_must(adit_socket_send_views(end->fd, views, count, &sent, &io), "a visitor's send");
        adit_queue_drop(out, &script->chunks, sent);
    }
}

static void say(struct script *script, struct script_end *end, struct adit_bytes bytes)
{
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    if (end->tls) {
        script_must(adit_tls_write(end->tls, bytes), "a visitor's TLS");
        flush_tls(script, end);
        return;
    }
    script_must(adit_socket_send(end->fd, bytes, &sent, &io), "send");
    if (sent < bytes.len) {
        script_die("a short text was not taken");
    }
}

/* What came, of TLS its plaintext; the last of it stays in `plain`. */
static struct adit_bytes hear_tls(struct script *script, struct script_end *end, size_t count)
{
    bool is_end = false;
    size_t got = 0;
    adit_tls_input_set(end->tls, adit_bytes_first(ADIT_BYTES_OF(cipher), count));
    if (!end->is_up) {
        script_must(adit_tls_handshake(end->tls, &end->is_up), "a visitor's handshake");
    }
    if (end->is_up) {
        script_must(adit_tls_read(end->tls, ADIT_SPAN_OF(plain), &got, &is_end), "a visitor's TLS");
    }
    flush_tls(script, end);
    return adit_bytes_first(ADIT_BYTES_OF(plain), got);
}

static struct adit_bytes hear(struct script *script, struct script_end *end, bool *out_is_end)
{
    struct adit_span room = end->tls ? ADIT_SPAN_OF(cipher) : ADIT_SPAN_OF(plain);
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    script_must(adit_socket_receive(end->fd, room, &count, &io), "receive");
    *out_is_end = io == ADIT_IO_END;
    if (end->tls && count > 0) {
        return hear_tls(script, end, count);
    }
    return adit_bytes_first(ADIT_BYTES_OF(plain), count);
}

static void visitor_ready(void *context, uint64_t key, uint32_t happened)
{
    struct script *script = context;
    struct script_end *visitor = &ADIT_AT(script->visitors, key);
    bool is_end = false;
    (void)happened;
    struct adit_bytes heard = hear(script, visitor, &is_end);
    visitor->heard += heard.len;
    script->heard += heard.len;
    if (is_end && script->job == SCRIPT_DOWN && visitor->heard != script->bytes) {
        script_die("a visitor did not get all of its transfer");
    }
    visitor->is_done |= script->job == SCRIPT_ASK
                            ? adit_bytes_ends_with(heard, ADIT_BYTES(SCRIPT_BODY_END))
                            : is_end;
    if (is_end) {
        adit_loop_unwatch(&script->outside, &visitor->watch);
    }
}

static void local_ready(void *context, uint64_t key, uint32_t happened)
{
    struct script *script = context;
    struct script_end *local = &ADIT_AT(script->locals, key);
    bool is_end = false;
    (void)happened;
    struct adit_bytes heard = hear(script, local, &is_end);
    local->heard += heard.len;
    script->heard += heard.len;
    if (is_end && script->job == SCRIPT_UP && local->heard != script->bytes) {
        script_die("the program did not get all of a transfer");
    }
    if (adit_bytes_ends_with(heard, ADIT_BYTES(SCRIPT_HEAD_END))) {
        say(script, local, ADIT_BYTES(ANSWER));
    }
    if (is_end && local->to_send == 0) {
        end_close(script, local);
    }
}

static void program_turn(struct script *script)
{
    for (int fd = script_accept(script->program); fd >= 0; fd = script_accept(script->program)) {
        size_t place = 0;
        while (ADIT_AT(script->locals, place).fd >= 0) {
            place++; /* asserted to be inside */
        }
        struct script_end *local = &ADIT_AT(script->locals, place);
        *local = (struct script_end){.fd = fd, .is_sender = script->job == SCRIPT_DOWN};
        local->to_send = local->is_sender ? script->bytes : 0;
        script_must(adit_loop_watch(&script->outside, fd, ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                                    local_ready, script, place, &local->watch),
                    "watch");
    }
}

static void send_piece(struct script *script, struct script_end *end)
{
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    script_must(adit_socket_send(end->fd, adit_bytes_first(ADIT_BYTES_OF(piece), end->to_send),
                                 &sent, &io),
                "a transfer");
    end->to_send -= sent;
    script->sent += sent;
    if (end->to_send == 0) {
        script_must(adit_socket_finish(end->fd), "the end of a transfer");
        end->is_sender = false;
    }
}

/* The next sender, by turns; null where there is none any more. */
static struct script_end *sender_next(struct script *script)
{
    for (size_t i = 0; i < SCRIPT_VISITORS + SCRIPT_LOCALS; i++) {
        size_t place = (script->turn + i) % (SCRIPT_VISITORS + SCRIPT_LOCALS);
        struct script_end *end = place < SCRIPT_VISITORS
                                     ? &ADIT_AT(script->visitors, place)
                                     : &ADIT_AT(script->locals, place - SCRIPT_VISITORS);
        if (end->fd >= 0 && end->is_sender) {
            script->turn = place + 1;
            return end;
        }
    }
    return NULL;
}

/* The next pieces of a transfer, when all before them have arrived: so the kernel's windows, which
 * depend on time, are never full. */
static void send_pieces(struct script *script)
{
    if (script->is_held || script->sent != script->heard) {
        return;
    }
    for (int i = 0; i < SCRIPT_PIECES; i++) {
        struct script_end *end = sender_next(script);
        if (end) {
            send_piece(script, end);
        }
    }
}

void script_round(struct script *script)
{
    script_time_pass(ROUND_US);
    script_door_turn(script);
    send_pieces(script);
    script_settle();
    script_worker_turn(&script->worker->loop);
    script_settle();
    script_agent_turn(&script->agent_loop);
    script_settle();
    program_turn(script);
    script_settle();
    script_must(adit_loop_turn(&script->outside, 0), "the turn outside");
}

void script_rounds_until_done(struct script *script, size_t first, size_t count)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        bool is_done = true;
        for (size_t place = first; place < first + count; place++) {
            is_done &= ADIT_AT(script->visitors, place).is_done;
        }
        if (is_done) {
            return;
        }
        script_round(script);
    }
    script_die("it never came to an end");
}

void script_ends_open(struct script *script)
{
    script_must(adit_loop_open(&script->outside, 2 * SCRIPT_LOCALS, 1), "the loop outside");
    adit_chunk_pool_init(&script->chunks, 4 * SCRIPT_VISITORS, SCRIPT_VISITORS);
    for (size_t i = 0; i < SCRIPT_VISITORS; i++) {
        ADIT_AT(script->visitors, i).fd = -1;
    }
    for (size_t i = 0; i < SCRIPT_LOCALS; i++) {
        ADIT_AT(script->locals, i).fd = -1;
    }
}

void script_ends_close(struct script *script)
{
    for (size_t i = 0; i < SCRIPT_VISITORS; i++) {
        end_close(script, &ADIT_AT(script->visitors, i));
    }
    for (size_t i = 0; i < SCRIPT_LOCALS; i++) {
        end_close(script, &ADIT_AT(script->locals, i));
    }
    adit_loop_close(&script->outside);
    adit_chunk_pool_deinit(&script->chunks);
}

void script_visit(struct script *script, size_t place, enum script_way way)
{
    struct script_end *visitor = &ADIT_AT(script->visitors, place);
    struct adit_address address = {0};
    int listener = way == SCRIPT_TCP ? -1 : script_listen(&address);
    *visitor = (struct script_end){
        .fd = script_connect(way == SCRIPT_TCP ? &script->port_at : &address)};
    if (way != SCRIPT_TCP) {
        script_door_web(script, script_accept(listener), way == SCRIPT_HTTP);
        adit_socket_close(&listener);
    }
    script_must(adit_loop_watch(&script->outside, visitor->fd, ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                                visitor_ready, script, place, &visitor->watch),
                "watch");
    if (way == SCRIPT_HTTPS) {
        script_must(adit_tls_open(script->visitor_tls, &script->chunks, TLS_OUT_BYTES,
                                  ADIT_BYTES("bench.adit.localhost"), &visitor->tls),
                    "a visitor's TLS");
        script_must(adit_tls_handshake(visitor->tls, &visitor->is_up), "a visitor's hello");
        flush_tls(script, visitor);
        for (int i = 0; i < ROUNDS_MAX && !visitor->is_up; i++) {
            script_round(script);
        }
    }
}

void script_ask(struct script *script, size_t place)
{
    struct script_end *visitor = &ADIT_AT(script->visitors, place);
    visitor->is_done = false;
    say(script, visitor, ADIT_BYTES(REQUEST));
}

void script_transfer(struct script *script, size_t place)
{
    struct script_end *visitor = &ADIT_AT(script->visitors, place);
    if (script->job == SCRIPT_UP) {
        visitor->is_sender = true;
        visitor->to_send = script->bytes;
    } else {
        script_must(adit_socket_finish(visitor->fd), "the visitor's end");
    }
}

void script_leave(struct script *script, size_t place)
{
    end_close(script, &ADIT_AT(script->visitors, place));
}
