/* Two hubs joined over loopback: what one local socket gets, the other gives. Covers hub.c, link.c,
 * link_receive.c, link_flush.c, link_road.c, control_stream.c, pump.c, pump_in.c,
 * pump_out.c. */
#include "tunnel/pair_fixture.h"

static int setup(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    pair_open(pair);
    *state = pair;
    return 0;
}

static int teardown(void **state)
{
    pair_close(*state);
    free(*state);
    return 0;
}

/* A visitor's connection through the pair; returns the visitor's end and the program's. */
static void open_stream(struct pair *pair, int *out_visitor, int *out_program)
{
    int visited = -1;
    int dialled = -1;
    const struct adit_stream_head head = {
        .kind = ADIT_TUNNEL_TCP, .bind = 5, .visitor = {.family = 4, .port = 1234, .ip = {10, 1}}};
    loopback_pair(&visited, out_visitor);
    loopback_pair(&dialled, out_program);
    pair->agent.attach_fd = dialled;
    assert_ok(adit_pump_open(&pair->server.hub,
                             &(struct adit_pump_options){
                                 .link = pair->server.link, .fd = visited, .head = &head},
                             &pair->server.pump));
}

static void control_messages_arrive(void **state)
{
    struct pair *pair = *state;
    struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
    assert_ok(ADIT_FIELD_SET(message.notice.code, ADIT_BYTES("test")));
    assert_ok(ADIT_FIELD_SET(message.notice.message, ADIT_BYTES("a sentence")));
    assert_ok(adit_link_send(&pair->agent.hub, pair->agent.link, &message));
    turn_until(pair, pair->server.messages == 1);
    assert_bytes(ADIT_FIELD_BYTES(pair->server.message.notice.message), ADIT_BYTES("a sentence"));
    assert_ok(adit_link_send(&pair->server.hub, pair->server.link, &message));
    assert_ok(adit_link_send(&pair->server.hub, pair->server.link, &message));
    turn_until(pair, pair->agent.messages == 2);
}

static void queue_raw(struct end *end, struct adit_bytes bytes)
{
    struct link *link = hub_link(&end->hub, end->link);
    assert_ok(adit_queue_put(&link->control_out, &end->hub.chunks, bytes));
    adit_session_ready(&link->session, link->control);
    hub_mark_dirty(&end->hub, link);
}

/* The server answers in words; the agent ends without. */
static void broken_control_messages_end_the_link(void **state)
{
    struct pair *pair = *state;
    queue_raw(&pair->agent, ADIT_BYTES("\0\0\0\x06[[[[[["));
    turn_until(pair, pair->agent.closes == 1 && pair->server.closes == 1);
    assert_int_equal(pair->agent.messages, 1);
    assert_int_equal(pair->agent.message.type, ADIT_CONTROL_REFUSED);
    assert_int_equal(pair->agent.message.refused.bind, 0);
    assert_bytes(ADIT_FIELD_BYTES(pair->agent.message.refused.code), ADIT_BYTES("bad_login"));
    assert_int_equal(pair->server.closed_why, ADIT_ERROR_INVALID);
    assert_int_equal(pair->server.messages, 0);
}

static void broken_words_of_the_server_end_the_link(void **state)
{
    struct pair *pair = *state;
    queue_raw(&pair->server, ADIT_BYTES("\xff\xff\xff\xff"));
    turn_until(pair, pair->agent.closes == 1 && pair->server.closes == 1);
    assert_int_equal(pair->agent.closed_why, ADIT_ERROR_LIMIT);
    assert_int_equal(pair->server.messages, 0);
}

static void bytes_and_ends_go_both_ways(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    static uint8_t sent[200000];
    static uint8_t got[200000];
    open_stream(pair, &visitor, &program);
    turn_until(pair, pair->server.dials == 1);
    assert_int_equal(pair->server.dialled, ADIT_DIAL_CONNECTED);
    assert_int_equal(pair->agent.head.bind, 5);
    assert_int_equal(pair->agent.head.visitor.port, 1234);
    for (size_t i = 0; i < sizeof sent; i++) {
        ADIT_AT(sent, i) = (uint8_t)(i * 31 + (i >> 8));
    }
    struct adit_bytes out = ADIT_BYTES_OF(sent);
    struct adit_writer in = adit_writer_of(ADIT_SPAN_OF(got));
    bool is_ended = false;
    for (int turns = 0; turns < TURNS_MAX && !is_ended; turns++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (out.len > 0) {
            assert_ok(adit_socket_send(visitor, out, &count, &io));
            out = adit_bytes_from(out, count);
            if (out.len == 0) {
                assert_ok(adit_socket_finish(visitor));
            }
        }
        turn(pair);
        struct adit_span room = adit_span_from(in.span, in.len);
        uint8_t beyond[1] = {0};
        count = 0;
        assert_ok(adit_socket_receive(program, room.len > 0 ? room : ADIT_SPAN_OF(beyond), &count,
                                      &io));
        in.len += count;
        is_ended = io == ADIT_IO_END;
    }
    assert_true(is_ended);
    assert_bytes(adit_writer_bytes(&in), ADIT_BYTES_OF(sent));
    assert_int_equal(pair->server.pumps_closed, 0); /* the other direction is still open */
    assert_true(hub_pump(&pair->server.hub, pair->server.pump)->is_wide);
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(program, ADIT_BYTES("answer"), &count, &io));
    assert_ok(adit_socket_finish(program));
    turn_until(pair, pair->server.pumps_closed == 1 && pair->agent.pumps_closed == 1);
    assert_int_equal(pair->server.pump_end, ADIT_PUMP_COMPLETE);
    assert_int_equal(pair->agent.pump_end, ADIT_PUMP_COMPLETE);
    uint8_t answer[32] = {0};
    assert_ok(adit_socket_receive(visitor, ADIT_SPAN_OF(answer), &count, &io));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(answer), count), ADIT_BYTES("answer"));
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    assert_int_equal(pair->agent.seen.bytes_to_local, sizeof sent); /* each byte once, in order */
    assert_int_equal(pair->agent.seen.bytes_from_local, 6);
    assert_true(pair->agent.seen_hash == hash_of(0, ADIT_BYTES_OF(sent)));
    assert_int_equal(pair->server.seen.bytes_from_local, sizeof sent);
    assert_int_equal(pair->server.hub.pumps.used, 0);
    assert_int_equal(pair->agent.hub.pumps.used, 0);
    turn_until(pair,
               adit_link_counters(&pair->server.hub, pair->server.link)->received_pending == 0);
    assert_int_equal(adit_link_counters(&pair->server.hub, pair->server.link)->streams_open, 1);
}

static uint64_t bytes_out(struct pair *pair)
{
    return adit_link_counters(&pair->server.hub, pair->server.link)->data_out_total;
}

static uint64_t bytes_in(struct pair *pair)
{
    return adit_link_counters(&pair->agent.hub, pair->agent.link)->data_in_total;
}

/* As if small streams passed beside bulk. */
static const struct adit_session *beside_small(const struct end *end)
{
    struct adit_session *session = &hub_link(&end->hub, end->link)->session;
    session->now_us = adit_clock_now_us();
    session->small_us = session->now_us;
    session->bulk_us = session->now_us;
    return session;
}

/* However much waits, at either end: others are heard after each turn; sooner where there are
 * small streams. */
static void a_turn_of_a_link_is_short(void **state)
{
    struct pair *pair = *state;
    int visitors[6] = {-1, -1, -1, -1, -1, -1};
    int programs[6] = {-1, -1, -1, -1, -1, -1};
    static uint8_t block[256 * 1024];
    uint64_t total = 0;
    for (int i = 0; i < 6; i++) {
        open_stream(pair, &ADIT_AT(visitors, i), &ADIT_AT(programs, i));
        turn_until(pair, pair->server.dials == i + 1);
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        assert_ok(adit_socket_send(ADIT_AT(visitors, i), ADIT_BYTES_OF(block), &count, &io));
        total += count;
    }
    uint64_t start = bytes_out(pair);
    for (int turns = 0; turns < 50; turns++) {
        uint64_t before = bytes_out(pair);
        assert_ok(adit_loop_turn(&pair->server.loop, 20));
        assert_in_range(bytes_out(pair) - before, 0,
                        2 * ADIT_HUB_GATHER_BYTES + pair->server.hub.mux.limits.quantum_max);
    }
    assert_true(bytes_out(pair) - start > 2 * ADIT_HUB_GATHER_BYTES); /* several turns' worth */
    for (int turns = 0; turns < 3; turns++) {
        const struct adit_session *session = beside_small(&pair->agent);
        uint64_t before = bytes_in(pair);
        assert_ok(adit_loop_turn(&pair->agent.loop, 20));
        if (adit_session_is_mixed(session)) { /* else the machine stood still meanwhile */
            assert_in_range(bytes_in(pair) - before, 1, 3 * ADIT_TLS_RECORD_BYTES);
        }
    }
    for (int turns = 0; turns < TURNS_MAX && bytes_in(pair) < bytes_out(pair); turns++) {
        uint64_t before = bytes_in(pair);
        assert_ok(adit_loop_turn(&pair->agent.loop, 20));
        assert_in_range(bytes_in(pair) - before, 0, 2 * pair->agent.hub.plain_in.len);
    }
    for (int turns = 0; turns < TURNS_MAX && pair->agent.seen.bytes_to_local < total; turns++) {
        turn(pair);
        for (int i = 0; i < 6; i++) {
            size_t count = 0;
            enum adit_io io = ADIT_IO_DONE;
            assert_ok(adit_socket_receive(ADIT_AT(programs, i), ADIT_SPAN_OF(block), &count, &io));
        }
    }
    assert_int_equal(pair->agent.seen.bytes_to_local, total);
    for (int i = 0; i < 6; i++) {
        adit_socket_close(&ADIT_AT(visitors, i));
        adit_socket_close(&ADIT_AT(programs, i));
    }
}

/* Beside bulk: the answer to what came a moment ago finds nothing before it, and leaves before more
 * of the bulk is read. */
static void an_answer_goes_before_bulk(void **state)
{
    struct pair *pair = *state;
    int visitors[2] = {-1, -1};
    int programs[2] = {-1, -1};
    static uint8_t block[256 * 1024];
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    for (int i = 0; i < 2; i++) {
        open_stream(pair, &ADIT_AT(visitors, i), &ADIT_AT(programs, i));
        turn_until(pair, pair->server.dials == i + 1);
    }
    struct adit_session *session = &hub_link(&pair->agent.hub, pair->agent.link)->session;
    assert_ok(adit_socket_send(ADIT_AT(programs, 0), ADIT_BYTES_OF(block), &count, &io));
    turn_until(pair, pair->agent.seen.bytes_from_local == count); /* now it is an old stream */
    assert_ok(adit_socket_send(ADIT_AT(programs, 0), ADIT_BYTES_OF(block), &count, &io));
    session->answer_us = UINT64_MAX;
    uint64_t before = 0;
    for (int turns = 0; turns < 5; turns++) {
        before = session->counters.data_out_total;
        beside_small(&pair->agent);
        assert_ok(adit_loop_turn(&pair->agent.loop, 20));
        if (adit_session_is_mixed(session)) { /* else the machine stood still meanwhile */
            assert_int_equal(session->counters.data_out_total, before);
        }
    }
    assert_ok(adit_socket_send(ADIT_AT(programs, 1), ADIT_BYTES("answer"), &count, &io));
    beside_small(&pair->agent);
    turn_until(pair, session->answer_us == 0);
    turn_until(pair, session->counters.data_out_total > before + ADIT_BYTES("answer").len);
    turn_until(pair, pair->server.seen.bytes_to_local >= before);
    uint8_t answer[8] = {0};
    assert_ok(adit_socket_receive(ADIT_AT(visitors, 1), ADIT_SPAN_OF(answer), &count, &io));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(answer), count), ADIT_BYTES("answer"));
    for (int i = 0; i < 2; i++) {
        adit_socket_close(&ADIT_AT(visitors, i));
        adit_socket_close(&ADIT_AT(programs, i));
    }
}

/* The agent knows whether the visitor has spoken when it dials; a program that speaks first is
 * heard, too, also where it did so before its socket was watched. */
static void either_side_may_speak_first(void **state)
{
    struct pair *pair = *state;
    for (int is_visitor = 0; is_visitor < 2; is_visitor++) {
        int visitor = -1;
        int program = -1;
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        uint8_t room[32] = {0};
        open_stream(pair, &visitor, &program);
        assert_ok(adit_socket_send(is_visitor ? visitor : program, ADIT_BYTES("first"), &count,
                                   &io));
        do {
            turn(pair);
            assert_ok(adit_socket_receive(is_visitor ? program : visitor, ADIT_SPAN_OF(room),
                                          &count, &io));
        } while (io == ADIT_IO_BLOCKED);
        assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("first"));
        assert_int_equal(pair->agent.has_bytes, is_visitor);
        adit_socket_close(&visitor);
        adit_socket_close(&program);
        turn_until(pair, pair->agent.pumps_closed == is_visitor + 1);
    }
    assert_false(adit_pump_has_bytes(&pair->agent.hub, pair->agent.pump)); /* it has gone */
}

/* Both are there when the agent is told of either. */
static void an_answer_and_its_end_are_one_frame(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    uint8_t room[32] = {0};
    open_stream(pair, &visitor, &program);
    turn_until(pair, pair->server.dials == 1);
    turn(pair);
    const struct adit_session_counters *counters =
        adit_link_counters(&pair->server.hub, pair->server.link);
    uint64_t frames = counters->frames_in_total;
    assert_ok(adit_socket_send(program, ADIT_BYTES("answer"), &count, &io));
    assert_ok(adit_socket_finish(program));
    do {
        turn(pair);
        assert_ok(adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io));
    } while (io == ADIT_IO_BLOCKED);
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("answer"));
    assert_ok(adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io));
    assert_int_equal(io, ADIT_IO_END);
    assert_int_equal(counters->frames_in_total, frames + 1);
    adit_socket_close(&visitor);
    turn_until(pair, pair->server.pumps_closed == 1 && pair->agent.pumps_closed == 1);
    assert_int_equal(pair->server.pump_end, ADIT_PUMP_COMPLETE);
    assert_int_equal(pair->agent.pump_end, ADIT_PUMP_COMPLETE);
    adit_socket_close(&program);
}

/* The socket is full long before the end; what waits goes on when there is room again. */
static void a_slow_visitor_gets_everything(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    static uint8_t sent[100000];
    static uint8_t got[4096];
    open_stream(pair, &visitor, &program);
    assert_ok(adit_socket_buffers_set(visitor, 4096, 0));
    turn_until(pair, pair->server.dials == 1);
    struct pump *pump = hub_pump(&pair->server.hub, pair->server.pump);
    assert_non_null(pump);
    assert_ok(adit_socket_buffers_set(pump->fd, 0, 4096));
    size_t count = 0;
    size_t total = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(program, ADIT_BYTES_OF(sent), &count, &io));
    assert_int_equal(count, sizeof sent);
    assert_ok(adit_socket_finish(program));
    turn_until(pair, pump->in.len > 0);
    for (int turns = 0; turns < TURNS_MAX && io != ADIT_IO_END; turns++) {
        turn(pair);
        assert_ok(adit_socket_receive(visitor, ADIT_SPAN_OF(got), &count, &io));
        total += count;
    }
    assert_int_equal(total, sizeof sent);
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(pair, pair->server.pumps_closed == 1);
    assert_int_equal(pair->server.pump_end, ADIT_PUMP_COMPLETE);
}

static void a_refused_dial_cuts_the_visitor(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    open_stream(pair, &visitor, &program);
    adit_socket_close(&pair->agent.attach_fd); /* and -1: refuse */
    turn_until(pair, pair->server.pumps_closed == 1 && pair->agent.pumps_closed == 1);
    assert_int_equal(pair->server.dialled, ADIT_DIAL_REFUSED);
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    uint8_t room[8] = {0};
    struct adit_status status = adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io);
    assert_int_equal(status.detail, ECONNRESET); /* not an orderly end */
    adit_socket_close(&visitor);
    adit_socket_close(&program);
}

static void a_lost_link_cuts_its_visitors(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    open_stream(pair, &visitor, &program);
    turn_until(pair, pair->server.dials == 1);
    adit_link_close(&pair->agent.hub, pair->agent.link, (struct adit_status){0});
    turn_until(pair, pair->server.closes == 1);
    assert_int_equal(pair->server.closed_why, ADIT_ERROR_CLOSED);
    assert_int_equal(pair->agent.pump_end, ADIT_PUMP_LINK);
    assert_int_equal(pair->server.pump_end, ADIT_PUMP_RESET); /* the agent said so in time */
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    uint8_t room[8] = {0};
    assert_fails(adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io), SYSTEM);
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(pair, pair->server.hub.links.used == 0); /* after its last words were read */
}

static void a_full_budget_cuts_the_largest(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    static uint8_t block[65536];
    pair->agent.hub.chunks.chunks_max = 6; /* the program never reads: its queue grows to this */
    open_stream(pair, &visitor, &program);
    turn_until(pair, pair->server.dials == 1);
    assert_ok(adit_socket_buffers_set(program, 4096, 0));
    for (int turns = 0; turns < TURNS_MAX && pair->agent.pumps_closed == 0; turns++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (!adit_is_ok(adit_socket_send(visitor, ADIT_BYTES_OF(block), &count, &io))) {
            break;
        }
        turn(pair);
        assert_true(pair->agent.hub.chunks.used <= 6);
    }
    turn_until(pair, pair->agent.pumps_closed == 1 && pair->server.pumps_closed == 1);
    assert_int_equal(pair->agent.pump_end, ADIT_PUMP_LIMIT);
    assert_int_equal(pair->agent.hub.chunks.used, 0);
    assert_int_equal(pair->agent.closes, 0); /* the session goes on */
    adit_socket_close(&visitor);
    adit_socket_close(&program);
}

/* So many opens in one record that the session asks to be flushed in the middle of it: the rest of
 * the record is read all the same. */
static void a_flood_of_opens_is_read_to_its_end(void **state)
{
    struct pair *pair = *state;
    struct link *link = hub_link(&pair->agent.hub, pair->agent.link);
    uint8_t block[1000 * ADIT_YAMUX_HEADER_BYTES];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(block));
    for (uint32_t i = 0; i < 1000; i++) {
        struct adit_yamux_frame frame = {.flags = ADIT_YAMUX_SYN, .stream = 3 + 2 * i};
        assert_ok(adit_yamux_write(&writer, &frame));
    }
    link->session.id_next = 2003; /* as if the agent's own session had opened them */
    uint64_t before =
        adit_link_counters(&pair->server.hub, pair->server.link)->frames_in_total;
    assert_ok(adit_tls_write(link->tls, adit_writer_bytes(&writer)));
    link_send_waiting(&pair->agent.hub, link);
    turn_until(pair, adit_link_counters(&pair->server.hub, pair->server.link)->frames_in_total ==
                         before + 1000);
    struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
    assert_ok(ADIT_FIELD_SET(message.notice.code, ADIT_BYTES("test")));
    assert_ok(ADIT_FIELD_SET(message.notice.message, ADIT_BYTES("still here")));
    assert_ok(adit_link_send(&pair->agent.hub, pair->agent.link, &message));
    turn_until(pair, pair->server.messages == 1);
}

/* The list of links with something to do loses nobody when one of them ends. */
static void a_link_that_goes_holds_nobody_back(void **state)
{
    struct pair *pair = *state;
    struct adit_handle staying = pair->agent.link;
    struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
    assert_ok(ADIT_FIELD_SET(message.notice.code, ADIT_BYTES("test")));
    assert_ok(ADIT_FIELD_SET(message.notice.message, ADIT_BYTES("a sentence")));
    join(pair);
    turn_until(pair, pair->agent.opens == 2 && pair->server.opens == 2);
    struct link *going = hub_link(&pair->agent.hub, pair->agent.link);
    going->state = LINK_LINGER; /* it waits only for the other end to close */
    adit_session_deinit(&going->session);
    adit_link_close(&pair->server.hub, pair->server.link, adit_ok());
    for (int i = 0; i < 50; i++) {
        assert_ok(adit_loop_turn(&pair->server.loop, 200));
    }
    hub_mark_dirty(&pair->agent.hub, hub_link(&pair->agent.hub, staying));
    hub_mark_dirty(&pair->agent.hub, going);
    turn_until(pair, pair->agent.hub.links.used == 1);
    assert_ok(adit_link_send(&pair->agent.hub, staying, &message));
    turn_until(pair, pair->server.messages == 1);
}

/* The owner is told what could be done about it, and bytes go on. */
static void a_lossy_road_is_mended_where_that_is_allowed(void **state)
{
    struct pair *pair = *state;
    struct link *link = hub_link(&pair->agent.hub, pair->agent.link);
    int other[2] = {-1, -1};
    struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
    assert_ok(ADIT_FIELD_SET(message.notice.code, ADIT_BYTES("test")));
    assert_ok(ADIT_FIELD_SET(message.notice.message, ADIT_BYTES("a sentence")));
    loopback_pair(&other[0], &other[1]);
    bool is_allowed = adit_is_ok(adit_socket_congestion_set(other[0], ADIT_BYTES("bbr")));
    adit_socket_close(&other[0]);
    adit_socket_close(&other[1]);
    link_road_mend(&pair->agent.hub, link);
    assert_int_equal(pair->agent.lossy, 1);
    assert_int_equal(pair->agent.is_mended, is_allowed);
    assert_ok(adit_link_send(&pair->agent.hub, pair->agent.link, &message));
    turn_until(pair, pair->server.messages == 1);
    assert_int_equal(pair->agent.lossy + pair->server.lossy, 1);
    adit_link_expect_loss(&pair->server.hub, pair->server.link); /* nobody is told again */
    assert_true(hub_link(&pair->server.hub, pair->server.link)->loss.is_lossy);
    adit_link_expect_loss(&pair->server.hub, (struct adit_handle){0});
    assert_int_equal(pair->agent.lossy + pair->server.lossy, 1);
}

/* Under a bound, now and then, and it is `bbr` again at once. */
static void what_bbr_knows_begins_anew(void **state)
{
    struct pair *pair = *state;
    struct adit_hub *hub = &pair->agent.hub;
    struct link *link = hub_link(hub, pair->agent.link);
    const struct adit_socket_info info = {.rtt_us = 10000, .rtt_min_us = 10000};
    bool is_bbr = adit_is_ok(adit_socket_congestion_set(link->fd, ADIT_BYTES("bbr")));
    struct adit_bytes name = is_bbr ? ADIT_BYTES("bbr") : ADIT_BYTES("cubic");
    uint64_t begin_us = hub->loop->now_us + 60 * ADIT_SECOND_US;
    hub->loop->now_us = begin_us;
    link_road_look(hub, link, &info);
    assert_int_equal(link->renewed_us, 0); /* no bound */
    link->pace.bound = 1000000;
    for (uint64_t ms = 100; ms <= 10000; ms += 100) {
        hub->loop->now_us = begin_us + ms * ADIT_MS_US;
        link_road_look(hub, link, &info);
        bool is_second = ms >= 5100;
        assert_int_equal(link->renewed_us, begin_us + (is_second ? 5100 : 100) * ADIT_MS_US);
        assert_true(adit_socket_congestion_is(link->fd, name));
    }
}

/* No event tells that the road has room again: a timer asks. Here the road proves to be short. */
static void what_is_held_back_goes_later(void **state)
{
    struct pair *pair = *state;
    int visitor = -1;
    int program = -1;
    open_stream(pair, &visitor, &program);
    turn_until(pair, pair->server.dials == 1);
    struct link *link = hub_link(&pair->server.hub, pair->server.link);
    link->pace.phase = ADIT_PACE_HELD;
    link->pace.bound = ADIT_PACE_BOUND_MIN;
    link->in_kernel = 1 << 20;
    link->measured_us = pair->server.loop.now_us;
    static uint8_t block[30000];
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(visitor, ADIT_BYTES_OF(block), &count, &io));
    turn(pair);
    assert_true(adit_handle_is_set(link->pace_timer));
    assert_true(link->pace.is_held);
    turn_until(pair, pair->agent.seen.bytes_to_local == sizeof block);
    assert_true(link->pace.bound == ADIT_PACE_UNBOUND);
    adit_socket_close(&visitor);
    adit_socket_close(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(control_messages_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_control_messages_end_the_link, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_words_of_the_server_end_the_link, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_and_ends_go_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(a_turn_of_a_link_is_short, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_goes_before_bulk, setup, teardown),
        cmocka_unit_test_setup_teardown(either_side_may_speak_first, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_and_its_end_are_one_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_visitor_gets_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_dial_cuts_the_visitor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_link_cuts_its_visitors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_that_goes_holds_nobody_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_budget_cuts_the_largest, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lossy_road_is_mended_where_that_is_allowed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_bbr_knows_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_held_back_goes_later, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_opens_is_read_to_its_end, setup, teardown),
    };
    return cmocka_run_group_tests_name("tunnel/hub", tests, NULL, NULL);
}
