/* Pipes over two hubs: the server's end is code, the agent's a socket. Covers pipe.c. */
#include "tunnel/pipe.h"

#include "tunnel/pair_fixture.h"

#define PATTERN_BYTES (2 * 1024 * 1024)

/* The owner of the pipes: gives `out` to them, takes what they bring. */
struct owner {
    struct pair pair;
    struct adit_handle pipe;
    struct adit_bytes out;
    size_t got_total, unconsumed;
    uint8_t got[64];
    size_t got_len;
    enum adit_pump_end end;
    int finishes, closes, turns;
    bool is_out_last;     /* an end comes after `out` */
    bool keeps;           /* consumes nothing by itself */
    bool closes_in_data, closes_in_fill, closes_in_finished;
};

static struct owner *owner_of(void *context)
{
    struct end *end = context;
    return end->owner;
}

static void pipe_data(void *context, struct adit_handle pipe, uint64_t user,
                      struct adit_bytes bytes)
{
    struct owner *owner = owner_of(context);
    assert_int_equal(user, 9);
    assert_true(adit_handle_equal(pipe, owner->pipe));
    owner->got_total += bytes.len;
    struct adit_bytes kept = adit_bytes_first(bytes, sizeof owner->got - owner->got_len);
    assert_ok(adit_span_copy(adit_span_from(ADIT_SPAN_OF(owner->got), owner->got_len), kept));
    owner->got_len += kept.len;
    owner->unconsumed += bytes.len;
    if (!owner->keeps) {
        adit_pipe_consumed(&owner->pair.server.hub, pipe, owner->unconsumed);
        owner->unconsumed = 0;
    }
    if (owner->closes_in_data) {
        adit_pipe_close(&owner->pair.server.hub, pipe);
    }
}

static void pipe_finished(void *context, struct adit_handle pipe, uint64_t user)
{
    struct owner *owner = owner_of(context);
    assert_int_equal(user, 9);
    owner->finishes++;
    if (owner->closes_in_finished) {
        adit_pipe_close(&owner->pair.server.hub, pipe);
    }
}

static struct adit_pipe_filled pipe_fill(void *context, struct adit_handle pipe, uint64_t user,
                                         struct adit_span room)
{
    struct owner *owner = owner_of(context);
    assert_int_equal(user, 9);
    assert_true(room.len > 0);
    if (owner->closes_in_fill) {
        adit_pipe_close(&owner->pair.server.hub, pipe);
        return (struct adit_pipe_filled){.is_empty = true};
    }
    struct adit_bytes part = adit_bytes_first(owner->out, room.len);
    assert_ok(adit_span_copy(room, part));
    owner->out = adit_bytes_from(owner->out, part.len);
    bool is_over = owner->out.len == 0;
    return (struct adit_pipe_filled){
        .count = part.len, .is_last = is_over && owner->is_out_last, .is_empty = is_over};
}

static void pipe_closed(void *context, struct adit_handle pump, uint64_t user,
                        enum adit_pump_end end)
{
    (void)pump;
    (void)user;
    owner_of(context)->end = end;
    owner_of(context)->closes++;
}

static void hub_turn(void *context)
{
    owner_of(context)->turns++;
}

static const struct adit_hub_ops pipe_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .pump_dialled = pump_dialled,
    .pump_closed = pipe_closed,
    .pipe_data = pipe_data,
    .pipe_finished = pipe_finished,
    .pipe_fill = pipe_fill,
    .turn = hub_turn,
};

static int setup(void **state)
{
    struct owner *owner = calloc(1, sizeof(*owner));
    assert_non_null(owner);
    owner->pair.server.ops = &pipe_ops;
    owner->pair.server.owner = owner;
    pair_open(&owner->pair);
    assert_true(owner->turns > 0);
    *state = owner;
    return 0;
}

static int teardown(void **state)
{
    struct owner *owner = *state;
    assert_int_equal(owner->pair.server.hub.pumps.used, 0);
    pair_close(&owner->pair);
    free(owner);
    return 0;
}

static const struct adit_stream_head head = {.kind = ADIT_TUNNEL_HTTP, .bind = 5};

static struct adit_pipe_options options_of(const struct owner *owner)
{
    return (struct adit_pipe_options){
        .link = owner->pair.server.link, .head = &head, .user = 3};
}

/* A pipe to a program, whose end is returned. */
static int open_pipe(struct owner *owner)
{
    int dialled = -1;
    int program = -1;
    loopback_pair(&dialled, &program);
    owner->pair.agent.attach_fd = dialled;
    const struct adit_pipe_options options = options_of(owner);
    assert_ok(adit_pipe_open(&owner->pair.server.hub, &options, &owner->pipe));
    adit_pipe_user_set(&owner->pair.server.hub, owner->pipe, 9);
    return program;
}

/* Reads what is there; true at the end. */
static bool program_read(int program, struct adit_writer *writer)
{
    struct adit_span room = adit_span_from(writer->span, writer->len);
    uint8_t beyond[1] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_receive(program, room.len > 0 ? room : ADIT_SPAN_OF(beyond), &count,
                                  &io));
    writer->len += count;
    return io == ADIT_IO_END;
}

static void program_write(int program, struct adit_bytes bytes)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(program, bytes, &count, &io));
    assert_int_equal(count, bytes.len);
}

static void program_reads(struct owner *owner, int program, struct adit_bytes wanted, bool is_end)
{
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    bool has_ended = false;
    turn_until(&owner->pair, (has_ended = program_read(program, &writer)) ||
                                 (!is_end && writer.len >= wanted.len));
    assert_int_equal(has_ended, is_end);
    assert_bytes(adit_writer_bytes(&writer), wanted);
}

static void first_bytes_need_no_verdict(void **state)
{
    struct owner *owner = *state;
    owner->out = ADIT_BYTES("question");
    int program = open_pipe(owner);
    assert_false(adit_pipe_is_connected(&owner->pair.server.hub, owner->pipe));
    program_reads(owner, program, ADIT_BYTES("question"), false);
    turn_until(&owner->pair, owner->pair.server.dials == 1);
    assert_int_equal(owner->pair.server.dialled, ADIT_DIAL_CONNECTED);
    assert_true(adit_pipe_is_connected(&owner->pair.server.hub, owner->pipe));
    assert_int_equal(owner->pair.agent.head.kind, ADIT_TUNNEL_HTTP);
    program_write(program, ADIT_BYTES("answer"));
    turn_until(&owner->pair, owner->got_total == 6);
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(owner->got), 6), ADIT_BYTES("answer"));
    owner->out = ADIT_BYTES("more");
    adit_pipe_ready(&owner->pair.server.hub, owner->pipe);
    program_reads(owner, program, ADIT_BYTES("more"), false);
    adit_pipe_close(&owner->pair.server.hub, owner->pipe);
    adit_pipe_close(&owner->pair.server.hub, owner->pipe); /* stale is fine */
    adit_pipe_ready(&owner->pair.server.hub, owner->pipe);
    adit_pipe_consumed(&owner->pair.server.hub, owner->pipe, 1);
    assert_false(adit_pipe_is_connected(&owner->pair.server.hub, owner->pipe));
    turn_until(&owner->pair, owner->pair.agent.pumps_closed == 1);
    assert_int_equal(owner->pair.agent.pump_end, ADIT_PUMP_RESET);
    assert_int_equal(owner->closes, 0);
    adit_socket_close(&program);
}

static void ends_in_either_order(void **state)
{
    struct owner *owner = *state;
    for (int is_ours_first = 0; is_ours_first < 2; is_ours_first++) {
        owner->closes = owner->finishes = 0;
        owner->pair.agent.pumps_closed = 0;
        owner->got_total = owner->got_len = 0;
        owner->is_out_last = is_ours_first != 0;
        owner->out = ADIT_BYTES("question");
        int program = open_pipe(owner);
        program_reads(owner, program, ADIT_BYTES("question"), owner->is_out_last);
        program_write(program, ADIT_BYTES("answer"));
        assert_ok(adit_socket_finish(program));
        turn_until(&owner->pair, owner->finishes == 1);
        assert_int_equal(owner->got_total, 6);
        if (!is_ours_first) {
            assert_int_equal(owner->closes, 0);
            owner->is_out_last = true;
            owner->out = ADIT_BYTES("last");
            adit_pipe_ready(&owner->pair.server.hub, owner->pipe);
            program_reads(owner, program, ADIT_BYTES("last"), true);
        }
        turn_until(&owner->pair, owner->closes == 1 && owner->pair.agent.pumps_closed == 1);
        assert_int_equal(owner->end, ADIT_PUMP_COMPLETE);
        assert_int_equal(owner->pair.agent.pump_end, ADIT_PUMP_COMPLETE);
        adit_socket_close(&program);
    }
}

static void a_refused_dial_is_told(void **state)
{
    struct owner *owner = *state;
    owner->pair.agent.attach_fd = -1;
    const struct adit_pipe_options options = options_of(owner);
    assert_ok(adit_pipe_open(&owner->pair.server.hub, &options, &owner->pipe));
    adit_pipe_user_set(&owner->pair.server.hub, owner->pipe, 9);
    turn_until(&owner->pair, owner->closes == 1);
    assert_int_equal(owner->pair.server.dialled, ADIT_DIAL_REFUSED);
    assert_int_equal(owner->end, ADIT_PUMP_RESET);
    turn_until(&owner->pair, owner->pair.agent.pumps_closed == 1);
}

static void a_slow_owner_is_bounded_by_the_window(void **state)
{
    struct owner *owner = *state;
    static uint8_t block[65536];
    size_t sent = 0;
    owner->keeps = true;
    int program = open_pipe(owner);
    turn_until(&owner->pair, owner->pair.server.dials == 1);
    const uint32_t window = owner->pair.server.hub.mux.limits.window_start;
    for (int turns = 0; turns < 4000 && sent < PATTERN_BYTES; turns++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_bytes bytes =
            adit_bytes_first(ADIT_BYTES_OF(block), PATTERN_BYTES - sent);
        assert_ok(adit_socket_send(program, bytes, &count, &io));
        sent += count;
        turn(&owner->pair);
        assert_true(owner->got_total <= window);
    }
    assert_true(owner->got_total >= window - 1); /* the verdict took one byte */
    owner->keeps = false;
    adit_pipe_consumed(&owner->pair.server.hub, owner->pipe, owner->unconsumed);
    owner->unconsumed = 0;
    for (int turns = 0; turns < TURNS_MAX && owner->got_total < PATTERN_BYTES; turns++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_bytes bytes =
            adit_bytes_first(ADIT_BYTES_OF(block), PATTERN_BYTES - sent);
        assert_ok(adit_socket_send(program, bytes, &count, &io));
        sent += count;
        turn(&owner->pair);
    }
    assert_int_equal(owner->got_total, PATTERN_BYTES);
    adit_pipe_close(&owner->pair.server.hub, owner->pipe);
    adit_socket_close(&program);
}

static void much_goes_out(void **state)
{
    struct owner *owner = *state;
    static uint8_t sent[PATTERN_BYTES];
    static uint8_t got[PATTERN_BYTES];
    for (size_t i = 0; i < sizeof sent; i++) {
        ADIT_AT(sent, i) = (uint8_t)(i * 31 + (i >> 8));
    }
    owner->out = ADIT_BYTES_OF(sent);
    owner->is_out_last = true;
    int program = open_pipe(owner);
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(got));
    turn_until(&owner->pair, program_read(program, &writer));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES_OF(sent));
    assert_ok(adit_socket_finish(program));
    turn_until(&owner->pair, owner->closes == 1);
    assert_int_equal(owner->end, ADIT_PUMP_COMPLETE);
    adit_socket_close(&program);
}

/* The owner ends the pipe inside each of its calls; the session goes on. */
static void owners_close_inside_their_calls(void **state)
{
    struct owner *owner = *state;
    for (int which = 0; which < 3; which++) {
        owner->closes_in_data = which == 0;
        owner->closes_in_fill = which == 1;
        owner->closes_in_finished = which == 2;
        owner->out = ADIT_BYTES("question");
        int program = open_pipe(owner);
        if (which == 1) {
            turn_until(&owner->pair, owner->pair.server.hub.pumps.used == 0);
            adit_socket_close(&owner->pair.agent.attach_fd); /* nobody heard of it */
        } else {
            program_reads(owner, program, ADIT_BYTES("question"), false);
            program_write(program, ADIT_BYTES("answer"));
            assert_ok(adit_socket_finish(program));
            turn_until(&owner->pair, owner->pair.server.hub.pumps.used == 0);
            turn_until(&owner->pair, owner->pair.agent.hub.pumps.used == 0);
        }
        adit_socket_close(&program);
        owner->pair.agent.attach_fd = -2;
    }
    assert_int_equal(owner->closes, 0); /* it knows */
    assert_int_equal(owner->pair.server.closes, 0);
    assert_int_equal(owner->pair.agent.closes, 0);
}

static void a_lost_link_ends_its_pipes(void **state)
{
    struct owner *owner = *state;
    int program = open_pipe(owner);
    turn_until(&owner->pair, owner->pair.server.dials == 1);
    adit_link_close(&owner->pair.server.hub, owner->pair.server.link, (struct adit_status){0});
    turn_until(&owner->pair, owner->closes == 1 && owner->pair.server.closes == 1);
    assert_int_equal(owner->end, ADIT_PUMP_LINK);
    const struct adit_pipe_options options = options_of(owner);
    assert_fails(adit_pipe_open(&owner->pair.server.hub, &options, &owner->pipe), STALE);
    adit_socket_close(&program);
}

static void a_full_session_says_so(void **state)
{
    struct owner *owner = *state;
    owner->pair.server.hub.mux.limits.unacked_max = 1;
    const struct adit_pipe_options options = options_of(owner);
    assert_ok(adit_pipe_open(&owner->pair.server.hub, &options, &owner->pipe));
    adit_pipe_user_set(&owner->pair.server.hub, owner->pipe, 9);
    struct adit_handle other = {0};
    assert_fails(adit_pipe_open(&owner->pair.server.hub, &options, &other), FULL);
    assert_int_equal(owner->pair.server.hub.pumps.used, 1);
    adit_pipe_close(&owner->pair.server.hub, owner->pipe);
    turn(&owner->pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_bytes_need_no_verdict, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_in_either_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_dial_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_owner_is_bounded_by_the_window, setup, teardown),
        cmocka_unit_test_setup_teardown(much_goes_out, setup, teardown),
        cmocka_unit_test_setup_teardown(owners_close_inside_their_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_link_ends_its_pipes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_session_says_so, setup, teardown),
    };
    return cmocka_run_group_tests_name("tunnel/pipe", tests, NULL, NULL);
}
