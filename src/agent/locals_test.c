/* What a stream leads to. Covers watch.c. */
#include "agent_harness.h"

static void a_stream_is_dialled_to_the_program(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "localhost");
    turn_until(f, f->ready == 1);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 1);
    assert_int_equal(f->dialled, ADIT_DIAL_CONNECTED);
    int program = loopback_accept(f->program_listener);
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    uint8_t got[16] = {0};
    assert_ok(adit_socket_send(visitor, ADIT_BYTES("to you"), &count, &io));
    io = ADIT_IO_BLOCKED;
    for (int i = 0; i < TURNS_MAX && io == ADIT_IO_BLOCKED; i++) {
        turn(f);
        assert_ok(adit_socket_receive(program, ADIT_SPAN_OF(got), &count, &io));
    }
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(got), count), ADIT_BYTES("to you"));
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(f, f->pumps_closed == 1 && f->agent.hub.pumps.used == 0);
    assert_int_equal(f->agent.locals.used, 0);
}

/* A program that listens on ::1 alone is found by a bare port. */
static void a_bare_port_is_found_on_either_loopback(void **state)
{
    struct fixture *f = *state;
    struct adit_address six = {.family = 6, .port = f->program.port, .ip = {[15] = 1}};
    int listener = -1;
    f->tunnel.is_here = true;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    adit_socket_close(&f->program_listener);
    if (!adit_is_ok(adit_socket_listen(&six, 4, &listener))) {
        skip(); /* a machine without IPv6 */
    }
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 1);
    assert_int_equal(f->dialled, ADIT_DIAL_CONNECTED);
    int program = loopback_accept(listener);
    adit_socket_close(&listener);
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(f, f->agent.hub.pumps.used == 0);
}

static void failed_dials_are_told(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    int stranger = visit(f, 2); /* a bind that this agent never asked for */
    turn_until(f, f->dials == 1);
    assert_int_equal(f->dialled, ADIT_DIAL_UNKNOWN_BIND);
    assert_int_equal(f->local_failed, 0);
    adit_socket_close(&f->program_listener);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 2);
    assert_int_equal(f->dialled, ADIT_DIAL_REFUSED);
    assert_int_equal(f->local_failed, 1);
    adit_socket_close(&stranger);
    adit_socket_close(&visitor);
    turn_until(f, f->agent.hub.pumps.used == 0);
    assert_int_equal(f->agent.locals.used, 0);
}

/* The server's address for the tunnel is told to people; nothing is ever dialled by it, by a name
 * that the server gives, or by what a stream's head says. */
static void only_its_own_target_is_dialled(void **state)
{
    struct fixture *f = *state;
    struct adit_address other = {0};
    int trap = loopback_listen(&other);
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_welcome(f);
    turn_until(f, f->binds == 1);
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    uint8_t memory[64] = {0};
    struct adit_writer url = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_write_bytes(&url, ADIT_BYTES("tcp://127.0.0.1:")));
    assert_ok(adit_write_decimal(&url, other.port));
    message.bound.bind = 1;
    message.bound.port = other.port;
    assert_ok(ADIT_FIELD_SET(message.bound.url, adit_writer_bytes(&url)));
    assert_ok(ADIT_FIELD_SET(message.bound.name, ADIT_BYTES("localhost")));
    server_send(f, &message);
    turn_until(f, f->ready == 1);
    int near = -1;
    int far = -1;
    struct adit_handle pump = {0};
    const struct adit_stream_head head = {
        .kind = ADIT_TUNNEL_TCP,
        .bind = 1,
        .visitor = {.family = 4, .port = other.port, .ip = {127, 0, 0, 1}}};
    loopback_pair(&near, &far);
    assert_ok(adit_pump_open(
        &f->hub, &(struct adit_pump_options){.link = f->link, .fd = near, .head = &head}, &pump));
    turn_until(f, f->dials == 1);
    int program = loopback_accept(f->program_listener);
    int stray = -1;
    struct adit_address peer = {0};
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_accept(trap, &stray, &peer, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED); /* nobody came */
    adit_socket_close(&trap);
    adit_socket_close(&far);
    adit_socket_close(&program);
}

/* Sends on one socket, and reads the same on another. */
static void pass(struct fixture *f, int from, int to, struct adit_bytes bytes)
{
    uint8_t got[512] = {0};
    struct adit_writer in = adit_writer_of(ADIT_SPAN_OF(got));
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(from, bytes, &count, &io));
    for (int i = 0; i < TURNS_MAX && in.len < bytes.len; i++) {
        turn(f);
        assert_ok(adit_socket_receive(to, adit_span_from(in.span, in.len), &count, &io));
        in.len += count;
    }
    assert_bytes(adit_writer_bytes(&in), bytes);
}

static void requests_are_seen_where_somebody_looks(void **state)
{
    struct fixture *f = *state;
    f->tunnel.kind = ADIT_TUNNEL_HTTP;
    open_agent(f, "localhost");
    turn_until(f, f->ready == 1);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 1);
    int program = loopback_accept(f->program_listener);
    assert_int_equal(f->agent.watches.used, 1);
    for (int i = 0; i < 2; i++) { /* two on one connection */
        pass(f, visitor, program, ADIT_BYTES("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_int_equal(f->seen_count, i);
        pass(f, program, visitor,
             ADIT_BYTES("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"));
        assert_int_equal(f->seen_count, i + 1);
    }
    assert_bytes(ADIT_FIELD_BYTES(f->seen.method), ADIT_BYTES("GET"));
    assert_bytes(ADIT_FIELD_BYTES(f->seen.target), ADIT_BYTES("/a?b"));
    assert_int_equal(f->seen.status, 404);
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(f, f->agent.hub.pumps.used == 0);
    assert_int_equal(f->agent.watches.used, 0);
    assert_int_equal(f->agent.locals.used, 0);
}

/* No more than the newest connections are followed; the others go on unseen. */
static void watches_have_a_limit(void **state)
{
    struct fixture *f = *state;
    f->tunnel.kind = ADIT_TUNNEL_HTTP;
    open_agent(f, "localhost");
    turn_until(f, f->ready == 1);
    f->agent.watches.capacity = 1;
    int first = visit(f, 1);
    turn_until(f, f->dials == 1);
    int first_program = loopback_accept(f->program_listener);
    int second = visit(f, 1);
    turn_until(f, f->dials == 2);
    int second_program = loopback_accept(f->program_listener);
    assert_int_equal(f->agent.watches.used, 1);
    pass(f, first, first_program, ADIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    pass(f, first_program, first, ADIT_BYTES("HTTP/1.1 204 No\r\n\r\n"));
    assert_int_equal(f->seen_count, 0);
    pass(f, second, second_program, ADIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    pass(f, second_program, second, ADIT_BYTES("HTTP/1.1 205 No\r\nContent-Length: 0\r\n\r\n"));
    assert_int_equal(f->seen_count, 1);
    assert_int_equal(f->seen.status, 205);
    adit_socket_close(&first);
    adit_socket_close(&first_program);
    adit_socket_close(&second);
    adit_socket_close(&second_program);
    turn_until(f, f->agent.hub.pumps.used == 0);
    assert_int_equal(f->agent.watches.used, 0);
    f->agent.watches.capacity = ADIT_AGENT_WATCHED_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stream_is_dialled_to_the_program),
        TEST(a_bare_port_is_found_on_either_loopback),
        TEST(failed_dials_are_told),
        TEST(only_its_own_target_is_dialled),
        TEST(requests_are_seen_where_somebody_looks),
        TEST(watches_have_a_limit),
    };
    return cmocka_run_group_tests_name("agent/locals", tests, NULL, NULL);
}
