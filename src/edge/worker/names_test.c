/* Tunnels with a name: HTTP and TLS. Covers names.c, through.c. */
#include "worker_fixture.h"

static void enter(struct fixture *f, uint64_t index, const struct hello *hello)
{
    log_in(f, index, hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
}

static void a_name_becomes_an_address(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum adit_tunnel kind;
        uint16_t port;
        const char *url;
    } rows[] = {{ADIT_TUNNEL_HTTP, 8443, "https://shop.adit.localhost:8443"},
                {ADIT_TUNNEL_HTTP, 443, "https://shop.adit.localhost"},
                {ADIT_TUNNEL_TLS, 8443, "tls://shop.adit.localhost:8443"},
                {ADIT_TUNNEL_TLS, 443, "tls://shop.adit.localhost:443"}};
    enter(f, 0, &good_hello);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_control unbind = {.type = ADIT_CONTROL_UNBIND};
        unbind.unbind.bind = 7;
        f->worker->https_port = ADIT_AT(rows, i).port;
        bind_name(f, 0, ADIT_AT(rows, i).kind, "shop");
        const struct adit_control_bound *bound = &f->agents[0].message.bound;
        assert_bytes(ADIT_FIELD_BYTES(bound->url), adit_bytes_of_text(ADIT_AT(rows, i).url));
        assert_bytes(ADIT_FIELD_BYTES(bound->name), ADIT_BYTES("shop"));
        assert_int_equal(bound->bind, 7);
        assert_int_equal(bound->port, 0);
        const struct bind *bind = worker_name_find(f->worker, ADIT_BYTES("shop"));
        assert_non_null(bind);
        assert_int_equal(bind->tunnel, i + 1);
        assert_int_equal(bind->host_header.len,
                         ADIT_AT(rows, i).kind == ADIT_TUNNEL_HTTP ? 8 : 0);
        assert_ok(adit_link_send(&f->hub, f->agents[0].link, &unbind));
        struct adit_message release = expect(f, &f->door, ADIT_MESSAGE_RELEASE);
        assert_bytes(adit_message_text_get(&release.name), ADIT_BYTES("shop"));
        assert_int_equal(release.count, 0); /* it asked */
        assert_null(worker_name_find(f->worker, ADIT_BYTES("shop")));
    }
    assert_int_equal(f->worker->names.used, 0);
}

static void each_refusal_has_its_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum adit_name_refusal refusal;
        const char *code;
    } rows[] = {{ADIT_NAME_REFUSAL_TAKEN, "name_taken"},
                {ADIT_NAME_REFUSAL_RESERVED, "name_reserved"},
                {ADIT_NAME_REFUSAL_INVALID, "name_invalid"},
                {ADIT_NAME_REFUSAL_LIMIT, "limit_reached"}};
    static const char *const invalid[] = {"Shop", "-shop", "shop-", "a_b", "xn--a", "a.b", "9a"};
    enter(f, 0, &good_hello);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        int before = f->agents[0].messages;
        ask_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
        struct adit_message claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
        struct adit_message no = {.type = ADIT_MESSAGE_CLAIM_REFUSED,
                                  .request = claim.request,
                                  .name_refusal = ADIT_AT(rows, i).refusal};
        assert_ok(adit_channel_send(&f->door, &no));
        expect_refusal(f, 0, before, ADIT_AT(rows, i).code);
        assert_int_equal(f->agents[0].message.refused.bind, 7);
    }
    for (size_t i = 0; i < ADIT_COUNT(invalid); i++) {
        int before = f->agents[0].messages;
        ask_name(f, 0, ADIT_TUNNEL_HTTP, ADIT_AT(invalid, i));
        expect_refusal(f, 0, before, "name_invalid");
    }
    assert_int_equal(f->agents[0].closes, 0);
    assert_int_equal(f->worker->binds.used, 0);
    struct hello narrow = good_hello;
    narrow.allows = ADIT_TOKEN_ALLOWS_HTTP;
    narrow.names = "shop,blog-*";
    enter(f, 1, &narrow);
    int before = ADIT_AT(f->agents, 1).messages;
    ask_name(f, 1, ADIT_TUNNEL_TLS, "shop");
    expect_refusal(f, 1, before, "token_scope");
    ask_name(f, 1, ADIT_TUNNEL_HTTP, "shops");
    expect_refusal(f, 1, before + 1, "token_scope");
    bind_name(f, 1, ADIT_TUNNEL_HTTP, "blog-1");
}

/* What is asked for where the agent leaves the name to us. */
static void a_drawn_name_fits_the_token(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *names, *wanted;
        bool is_prefix;
    } rows[] = {{"*", "", false},
                {"shop", "shop", false},
                {"ab-*,shop", "ab-", true},
                {"shop,ab-*", "shop", false}};
    uint64_t seed = 0;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct hello hello = good_hello;
        hello.names = ADIT_AT(rows, i).names;
        enter(f, 0, &hello);
        ask_name(f, 0, ADIT_TUNNEL_HTTP, "");
        struct adit_message claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
        struct adit_bytes name = adit_message_text_get(&claim.name);
        struct adit_bytes wanted = adit_bytes_of_text(ADIT_AT(rows, i).wanted);
        assert_int_equal(claim.kind, ADIT_TUNNEL_HTTP);
        assert_bytes(adit_message_text_get(&claim.account), ADIT_BYTES("acme"));
        assert_true(claim.seed != 0);
        assert_true(i == 0 || claim.seed == seed); /* the same account and hint */
        seed = claim.seed;
        if (ADIT_AT(rows, i).is_prefix) {
            assert_true(adit_bytes_starts_with(name, wanted) && name.len > wanted.len);
            struct adit_message no = {.type = ADIT_MESSAGE_CLAIM_REFUSED,
                                      .request = claim.request,
                                      .name_refusal = ADIT_NAME_REFUSAL_TAKEN};
            assert_ok(adit_channel_send(&f->door, &no));
            struct adit_message again = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
            assert_false(adit_bytes_equal(adit_message_text_get(&again.name), name));
            assert_true(adit_bytes_starts_with(adit_message_text_get(&again.name), wanted));
        } else {
            assert_bytes(name, wanted);
        }
        adit_link_close(&f->hub, f->agents[0].link, adit_ok());
        turn_until(f, f->worker->agents.used == 0);
    }
    struct hello other = good_hello;
    other.account = "rival";
    enter(f, 0, &other);
    ask_name(f, 0, ADIT_TUNNEL_HTTP, "");
    assert_true(expect(f, &f->door, ADIT_MESSAGE_CLAIM).seed != seed);
}

static void a_name_that_the_token_forbids_goes_back(void **state)
{
    struct fixture *f = *state;
    struct hello hello = good_hello;
    hello.names = "shop";
    enter(f, 0, &hello);
    int before = f->agents[0].messages;
    ask_name(f, 0, ADIT_TUNNEL_HTTP, "");
    struct adit_message claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    claimed(f, &claim, "calm-otter-482"); /* as no door should */
    struct adit_message release = expect(f, &f->door, ADIT_MESSAGE_RELEASE);
    assert_bytes(adit_message_text_get(&release.name), ADIT_BYTES("calm-otter-482"));
    expect_refusal(f, 0, before, "token_scope");
    assert_int_equal(f->worker->names.used, 0);
    ask_name(f, 0, ADIT_TUNNEL_HTTP, "shop"); /* and one that comes too late */
    claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    adit_link_close(&f->hub, f->agents[0].link, adit_ok());
    turn_until(f, f->worker->agents.used == 0);
    claimed(f, &claim, "shop");
    release = expect(f, &f->door, ADIT_MESSAGE_RELEASE);
    assert_int_equal(release.session, claim.session);
    assert_int_equal(release.count, 1);
}

static void names_outlive_the_door(void **state)
{
    struct fixture *f = *state;
    struct hello hello = good_hello;
    hello.slot = 2;
    enter(f, 0, &hello);
    bind_name(f, 0, ADIT_TUNNEL_TLS, "shop");
    struct adit_control second = {.type = ADIT_CONTROL_BIND};
    second.bind.bind = 8;
    second.bind.kind = ADIT_TUNNEL_HTTP;
    assert_ok(adit_link_send(&f->hub, f->agents[0].link, &second));
    (void)expect(f, &f->door, ADIT_MESSAGE_CLAIM); /* and the old door dies before it answers */
    wire_door(f);
    struct adit_message hold = expect(f, &f->door, ADIT_MESSAGE_HOLD);
    assert_bytes(adit_message_text_get(&hold.name), ADIT_BYTES("shop"));
    assert_bytes(adit_message_text_get(&hold.account), ADIT_BYTES("acme"));
    assert_bytes(adit_message_text_get(&hold.instance), adit_bytes_of_text(good_hello.instance));
    assert_int_equal(hold.slot, 2);
    assert_int_equal(hold.kind, ADIT_TUNNEL_TLS);
    (void)expect(f, &f->door, ADIT_MESSAGE_OWN_END);
    (void)expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    adit_link_close(&f->hub, f->agents[0].link, adit_ok());
    struct adit_message release = expect(f, &f->door, ADIT_MESSAGE_RELEASE);
    assert_int_equal(release.count, 1); /* it went away */
}

/* One visitor of a TLS tunnel, handed over by the door; the worker's end of the socket. */
static int hand_through(struct fixture *f, uint64_t session, const char *name)
{
    struct adit_message through = {
        .type = ADIT_MESSAGE_THROUGH,
        .session = session,
        .address = {.family = 4, .port = 5000, .ip = {192, 0, 2, 7}},
        .fd_count = 1,
    };
    int far = -1;
    loopback_pair(&through.fds[0], &far);
    assert_ok(adit_message_text_set(&through.name, adit_bytes_of_text(name)));
    assert_ok(adit_channel_send(&f->door, &through));
    return far;
}

static void a_visitor_of_a_tls_tunnel_goes_through(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, &good_hello);
    bind_name(f, 0, ADIT_TUNNEL_TLS, "shop");
    struct adit_control site = {.type = ADIT_CONTROL_BIND};
    site.bind.bind = 8;
    site.bind.kind = ADIT_TUNNEL_HTTP;
    assert_ok(adit_link_send(&f->hub, f->agents[0].link, &site));
    struct adit_message claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    claimed(f, &claim, "site");
    turn_until(f, f->worker->names.used == 2);
    const struct agent *agent =
        worker_bind_agent(f->worker, worker_name_find(f->worker, ADIT_BYTES("shop")));
    uint64_t session = agent->number;
    int visitor = hand_through(f, session, "shop");
    turn_until(f, f->agents[0].streams == 1);
    assert_int_equal(f->agents[0].head.kind, ADIT_TUNNEL_TLS);
    assert_int_equal(f->agents[0].head.bind, 7);
    assert_int_equal(f->agents[0].head.visitor.port, 5000);
    turn_until(f, f->worker->hub.pumps.used == 0); /* the agent refused it */
    adit_socket_close(&visitor);
    const struct {
        uint64_t session;
        const char *name;
    } gone[] = {{session + 1, "shop"}, {session, "shops"}, {session, "site"}};
    for (size_t i = 0; i < ADIT_COUNT(gone); i++) {
        uint64_t before = f->worker->counters.visitors_turned_away;
        visitor = hand_through(f, ADIT_AT(gone, i).session, ADIT_AT(gone, i).name);
        turn_until(f, f->worker->counters.visitors_turned_away == before + 1);
        uint8_t room[4] = {0};
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        assert_fails(adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io), SYSTEM);
        adit_socket_close(&visitor);
    }
    assert_int_equal(f->agents[0].streams, 1);
}

enum { BURST = 24, AT_ONCE = 4 };

static void hand_burst(struct fixture *f, uint64_t session, int *out_first, int *out_last)
{
    for (int i = 0; i < BURST; i++) {
        int far = hand_through(f, session, "shop");
        if (i == 0) {
            *out_first = far;
        } else if (i == BURST - 1) {
            *out_last = far;
        } else {
            adit_socket_close(&far);
        }
    }
    for (int i = 0; i < TURNS_MAX && f->worker->waiting.used < BURST - AT_ONCE; i++) {
        assert_ok(adit_loop_turn(&f->worker->loop, 200)); /* all agents sleep */
    }
    assert_int_equal(f->worker->waiting.used, BURST - AT_ONCE);
}

/* No stream is free: they wait, and are carried in a moment, or reset after a second. */
static void visitors_wait_for_a_stream(void **state)
{
    struct fixture *f = *state;
    int first = -1;
    int last = -1;
    enter(f, 0, &good_hello);
    bind_name(f, 0, ADIT_TUNNEL_TLS, "shop");
    const struct agent *agent =
        worker_bind_agent(f->worker, worker_name_find(f->worker, ADIT_BYTES("shop")));
    f->worker->hub.mux.limits.unacked_max = AT_ONCE;
    hand_burst(f, agent->number, &first, &last);
    turn_until(f, f->agents[0].streams == BURST);
    assert_int_equal(f->worker->counters.visitors, BURST);
    assert_int_equal(f->worker->counters.visitors_turned_away, 0);
    turn_until(f, f->worker->hub.pumps.used == 0 && f->worker->waiting.used == 0);
    adit_socket_close(&first);
    adit_socket_close(&last);
    hand_burst(f, agent->number, &first, &last);
    for (int i = 0; i < TURNS_MAX && f->worker->waiting.used > 0; i++) {
        assert_ok(adit_loop_turn(&f->worker->loop, 200));
    }
    assert_int_equal(f->worker->counters.visitors, BURST + AT_ONCE);
    assert_int_equal(f->worker->counters.visitors_turned_away, BURST - AT_ONCE);
    assert_int_equal(f->worker->counters.waits, 2 * (BURST - AT_ONCE));
    uint8_t room[4] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_fails(adit_socket_receive(last, ADIT_SPAN_OF(room), &count, &io), SYSTEM);
    adit_socket_close(&first);
    adit_socket_close(&last);
    turn_until(f, f->worker->hub.pumps.used == 0);
    hand_burst(f, agent->number, &first, &last); /* and some are left at the end */
    adit_socket_close(&first);
    adit_socket_close(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_becomes_an_address),
        TEST(each_refusal_has_its_code),
        TEST(a_drawn_name_fits_the_token),
        TEST(a_name_that_the_token_forbids_goes_back),
        TEST(names_outlive_the_door),
        TEST(a_visitor_of_a_tls_tunnel_goes_through),
        TEST(visitors_wait_for_a_stream),
    };
    return cmocka_run_group_tests_name("edge/worker/names", tests, NULL, NULL);
}
