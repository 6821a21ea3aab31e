/* Pair: two hubs joined over loopback, for tests: what one local socket gets, the other gives. */
#ifndef ADIT_TUNNEL_PAIR_FIXTURE_H
#define ADIT_TUNNEL_PAIR_FIXTURE_H

#include "tunnel/hub.h"

#include "tunnel/internal.h"

#include "credentials.h"
#include "loopback.h"

#define TURNS_MAX 20000

/* One end: its loop and hub, and what its owner was told. */
struct end {
    struct adit_loop loop;
    struct adit_hub hub;
    struct adit_handle link, pump;
    struct adit_stream_head head;
    struct adit_control message;
    enum adit_error closed_why;
    enum adit_dial_result dialled;
    enum adit_pump_end pump_end;
    int opens, closes, messages, pumps_opened, pumps_closed, dials, lossy;
    bool is_mended;
    struct adit_hub_counters seen; /* bytes shown on their way */
    uint64_t seen_hash;            /* of those to the local socket, in their order */
    int attach_fd; /* agent: what to attach to the next pump; -1: refuse it; -2: later */
    bool has_bytes; /* of the visitor, when the last pump was opened */
    const struct adit_hub_ops *ops; /* null: those of this file */
    void *owner;                    /* for those that are not */
};

struct pair {
    struct end server, agent;
    struct credentials credentials;
};

static inline void link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct end *end = context;
    assert_int_equal(user, 77);
    end->link = link;
    end->opens++;
}

static inline void link_message(void *context, struct adit_handle link, uint64_t user,
                                const struct adit_control *message)
{
    struct end *end = context;
    (void)link;
    (void)user;
    end->message = *message;
    end->messages++;
}

static inline void link_closed(void *context, struct adit_handle link, uint64_t user,
                               struct adit_status why)
{
    struct end *end = context;
    (void)link;
    (void)user;
    end->closed_why = adit_status_error(why);
    end->closes++;
}

static inline void link_lossy(void *context, struct adit_handle link, uint64_t user,
                              bool is_mended)
{
    struct end *end = context;
    assert_true(adit_handle_equal(end->link, link));
    assert_int_equal(user, 77);
    end->lossy++;
    end->is_mended = is_mended;
}

static inline void pump_open(void *context, struct adit_handle link, struct adit_handle pump,
                             const struct adit_stream_head *head)
{
    struct end *end = context;
    (void)link;
    end->pump = pump;
    end->head = *head;
    end->pumps_opened++;
    end->has_bytes = adit_pump_has_bytes(&end->hub, pump);
    if (end->attach_fd >= 0) {
        assert_ok(adit_pump_attach(&end->hub, pump, end->attach_fd));
        end->attach_fd = -2;
    } else if (end->attach_fd == -1) {
        adit_pump_refuse(&end->hub, pump, ADIT_DIAL_REFUSED);
    }
}

static inline void pump_dialled(void *context, struct adit_handle pump, uint64_t user,
                                enum adit_dial_result result)
{
    struct end *end = context;
    (void)pump;
    (void)user;
    end->dialled = result;
    end->dials++;
}

static inline void pump_closed(void *context, struct adit_handle pump, uint64_t user,
                               enum adit_pump_end how)
{
    struct end *end = context;
    (void)pump;
    (void)user;
    end->pump_end = how;
    end->pumps_closed++;
}

static inline uint64_t hash_of(uint64_t hash, struct adit_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ adit_bytes_at(bytes, i)) * 0x100000001b3; /* FNV-1a: pieces do not matter */
    }
    return hash;
}

static inline void pump_seen(void *context, struct adit_handle pump, uint64_t user,
                             bool is_from_local, struct adit_bytes bytes)
{
    struct end *end = context;
    (void)pump;
    (void)user;
    end->seen.bytes_from_local += is_from_local ? bytes.len : 0;
    end->seen.bytes_to_local += is_from_local ? 0 : bytes.len;
    end->seen_hash = is_from_local ? end->seen_hash : hash_of(end->seen_hash, bytes);
}

static const struct adit_hub_ops pair_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .link_lossy = link_lossy,
    .pump_open = pump_open,
    .pump_dialled = pump_dialled,
    .pump_closed = pump_closed,
    .pump_seen = pump_seen,
};

static inline void end_open(struct end *end, enum adit_session_role role, uint32_t chunks_max)
{
    end->attach_fd = -2;
    assert_ok(adit_loop_open(&end->loop, 64, 64));
    const struct adit_hub_options options = {.loop = &end->loop,
                                             .ops = end->ops ? end->ops : &pair_ops,
                                             .context = end,
                                             .role = role,
                                             .links_max = 4,
                                             .pumps_max = 16,
                                             .chunks_max = chunks_max,
                                             .growth_max = 1 << 24,
                                             .limits = adit_mux_limits_default()};
    assert_ok(adit_hub_init(&end->hub, &options));
}

static inline void turn(struct pair *pair)
{
    assert_ok(adit_loop_turn(&pair->server.loop, 200));
    assert_ok(adit_loop_turn(&pair->agent.loop, 200));
}

#define turn_until(pair, condition)                                                             \
    do {                                                                                        \
        for (int turns = 0; turns < TURNS_MAX && !(condition); turns++) {                       \
            turn(pair);                                                                         \
        }                                                                                       \
        assert_true(condition);                                                                 \
    } while (0)

/* A link between the two hubs. */
static inline void join(struct pair *pair)
{
    int fds[2] = {-1, -1};
    loopback_pair(&fds[1], &fds[0]);
    const struct adit_link_options client = {.fd = fds[0],
                                             .tls = pair->credentials.client_tls,
                                             .server_name = ADIT_BYTES("connect.adit.localhost"),
                                             .user = 77};
    const struct adit_link_options server = {
        .fd = fds[1], .tls = pair->credentials.server_tls, .user = 77};
    assert_ok(adit_link_open(&pair->agent.hub, &client, &pair->agent.link));
    assert_ok(adit_link_open(&pair->server.hub, &server, &pair->server.link));
}

static inline void pair_open(struct pair *pair)
{
    credentials_open(&pair->credentials);
    end_open(&pair->server, ADIT_SESSION_SERVER, 64);
    end_open(&pair->agent, ADIT_SESSION_CLIENT, 64);
    join(pair);
    turn_until(pair, pair->agent.opens == 1 && pair->server.opens == 1);
}

static inline void pair_close(struct pair *pair)
{
    adit_hub_deinit(&pair->server.hub);
    adit_hub_deinit(&pair->agent.hub);
    adit_loop_close(&pair->server.loop);
    adit_loop_close(&pair->agent.loop);
    credentials_close(&pair->credentials);
}

#endif
