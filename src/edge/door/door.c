#include "edge/door/door.h"

#include "edge/door/claims.h"
#include "edge/door/peek.h"
#include "edge/door/probes.h"
#include "edge/door/tunnels.h"
#include "edge/door/workers.h"

#define START_MS 10000 /* the supervisor sends the start message at once */
#define WATCHES_MAX (ADIT_DOOR_PENDING_MAX + ADIT_DOOR_WORKERS_MAX + 8)
#define TIMERS_MAX (ADIT_DOOR_PENDING_MAX + ADIT_DOOR_PROBES_MAX + 8)
#define TALLY_US ADIT_SECOND_US

static struct adit_bytes drop_name(enum adit_door_drop reason)
{
    switch (reason) {
#define NAME_CASE(NAME, text)                                                                   \
    case ADIT_DOOR_DROP_##NAME:                                                                 \
        return ADIT_BYTES(text);
        ADIT_DOOR_DROP_TABLE(NAME_CASE)
#undef NAME_CASE
    }
    return ADIT_BYTES("unknown");
}

void adit_door_drop_log(struct adit_door *door, enum adit_door_drop reason,
                        const struct adit_address *peer)
{
    struct adit_door_tally *tally = &ADIT_AT(door->tallies, reason);
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    door->dropped++;
    if (door->loop.now_us < tally->next_us) {
        tally->unsaid++;
        return;
    }
    adit_status_ignore(adit_address_write(&writer, peer), "an address fits");
    ADIT_LOG(&door->log, INFO, "connection_dropped",
             adit_log_text(ADIT_BYTES("reason"), drop_name(reason)),
             adit_log_text(ADIT_BYTES("peer"), adit_writer_bytes(&writer)),
             adit_log_number(ADIT_BYTES("others"), tally->unsaid));
    *tally = (struct adit_door_tally){.next_us = door->loop.now_us + TALLY_US};
}

static void worker_wire(struct adit_door *door, struct adit_message *message)
{
    struct adit_status status = adit_door_worker_wire(door, message->index, message->request,
                                                      adit_message_fd_take(message, 0));
    adit_log_failure(&door->log, ADIT_LOG_ERROR, ADIT_BYTES("wiring_failed"), status);
}

static void stop_late(void *context, uint64_t key)
{
    struct adit_door *door = context;
    (void)key;
    adit_loop_stop(&door->loop);
}

/* Another STOP moves the end. */
static void stop(struct adit_door *door, struct adit_message *message)
{
    uint64_t end_us = door->loop.now_us + message->drain_ms * ADIT_MS_US;
    ADIT_LOG(&door->log, INFO, "stopping",
             adit_log_number(ADIT_BYTES("pending"), door->pendings.used));
    if (!adit_is_ok(
            adit_loop_timer_set(&door->loop, &door->stop_timer, end_us, stop_late, door, 0))) {
        adit_loop_stop(&door->loop);
    }
    adit_peek_stop(door);
    adit_tunnels_stop(door);
}

/* Workers drain too, and say which names they give up: control is to hear that. */
static bool has_ended(const struct adit_door *door)
{
    bool has_worker = false;
    for (size_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        has_worker =
            has_worker || adit_channel_is_open(&ADIT_AT(door->workers, i).channel);
    }
    return door->is_stopping && door->pendings.used == 0 && !has_worker;
}

static void status_answer(struct adit_door *door, struct adit_message *message)
{
    struct adit_message status = {
        .type = ADIT_MESSAGE_STATUS,
        .request = message->request,
        .counters = {.count = ADIT_COUNTERS_DOOR_COUNT,
                     .values =
                         {
                             [ADIT_COUNTER_DOOR_PENDING] = door->pendings.used,
                             [ADIT_COUNTER_DOOR_ACCEPTED] = door->accepted,
                             [ADIT_COUNTER_DOOR_DROPPED] = door->dropped,
                             [ADIT_COUNTER_DOOR_PORTS] = door->ports.used,
                             [ADIT_COUNTER_DOOR_NAMES] = door->names.entries.used,
                             [ADIT_COUNTER_DOOR_SNAPSHOT] = door->names.version,
                             [ADIT_COUNTER_DOOR_PARKED] = door->parked,
                         }},
    };
    adit_status_ignore(adit_channel_send(&door->supervisor, &status),
                       "the supervisor asks again");
}

static void leases_ask(struct adit_door *door, struct adit_message *message)
{
    (void)message;
    adit_names_say_all(&door->names);
}

static const struct {
    enum adit_message_type type;
    void (*handle)(struct adit_door *door, struct adit_message *message);
} supervisor_messages[] = {
    {ADIT_MESSAGE_WIRE_WORKER, worker_wire},
    {ADIT_MESSAGE_STOP, stop},
    {ADIT_MESSAGE_STATUS_ASK, status_answer},
    {ADIT_MESSAGE_SNAPSHOT, adit_claims_snapshot},
    {ADIT_MESSAGE_LEASES_ASK, leases_ask},
};

static struct adit_status message_handle(void *context, struct adit_message *message)
{
    struct adit_door *door = context;
    for (size_t i = 0; i < ADIT_COUNT(supervisor_messages); i++) {
        if (ADIT_AT(supervisor_messages, i).type == message->type) {
            ADIT_AT(supervisor_messages, i).handle(door, message);
            return adit_ok();
        }
    }
    ADIT_LOG(&door->log, WARN, "message_unexpected",
             adit_log_text(ADIT_BYTES("type"), adit_message_name(message->type)));
    return adit_ok();
}

/* Without its supervisor a door has no business: it ends, and frees its ports. */
static void supervisor_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_door *door = context;
    (void)key;
    if ((events & ADIT_LOOP_WRITE) != 0) {
        adit_status_ignore(adit_channel_flush(&door->supervisor), "the end is seen by reading");
    }
    struct adit_status status =
        adit_channel_drain(&door->supervisor, ADIT_CHANNEL_ALL, message_handle, door);
    if (adit_is_ok(status)) {
        return;
    }
    if (adit_status_error(status) != ADIT_ERROR_CLOSED) {
        adit_log_failure(&door->log, ADIT_LOG_ERROR, ADIT_BYTES("supervisor_broken"), status);
    }
    ADIT_LOG(&door->log, WARN, "supervisor_gone");
    adit_loop_stop(&door->loop);
}

/* Once a turn, whatever the turn was about. */
static void turn_end(void *context)
{
    struct adit_door *door = context;
    adit_claims_tell(door);
    if (has_ended(door)) {
        adit_loop_stop(&door->loop);
    }
}

static struct adit_status tables_open(struct adit_door *door, const struct adit_message *start)
{
    const struct adit_admission_limits limits = {
        .begin = 10, .percent = 30, .full = 100, .source_max = start->count};
    struct adit_siphash_key seed = {0};
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(seed)));
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(door->jitter.state)));
    door->jitter.state |= 1; /* never 0 */
    ADIT_TRY(adit_admission_init(&door->admission, &limits, seed));
    ADIT_TRY(adit_ports_init(&door->ports, start->port_from, start->port_to));
    ADIT_TRY(adit_names_init(&door->names, seed));
    ADIT_TRY(adit_peek_open(door));
    ADIT_TRY(adit_loop_open(&door->loop, WATCHES_MAX, TIMERS_MAX));
    ADIT_TRY(adit_claims_open(door));
    ADIT_TRY(adit_probes_open(door));
    adit_loop_turn_end_set(&door->loop, turn_end, door);
    return adit_loop_watch(&door->loop, door->supervisor.fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE,
                           supervisor_ready, door, 0, &door->supervisor_watch);
}

static struct adit_status start_take(struct adit_door *door, struct adit_message *start)
{
    ADIT_ENSURE(start->type == ADIT_MESSAGE_DOOR_START, INVALID,
                "the first message is not the start message");
    door->listener = adit_message_fd_take(start, 0);
    door->http_listener = adit_message_fd_take(start, 1);
    door->tcp_address = start->address;
    door->tcp_address.port = 0;
    door->domain = start->domain;
    door->is_http_serving = (start->options & ADIT_START_HTTP_SERVE) != 0;
    door->is_sandboxed = (start->options & ADIT_START_NO_SANDBOX) == 0;
    door->is_told_more = (start->options & ADIT_START_ASKED) != 0;
    adit_log_init(&door->log, STDERR_FILENO,
                  (start->options & ADIT_START_JSON) != 0 ? ADIT_LOG_JSON : ADIT_LOG_TEXT,
                  ADIT_BYTES("door"));
    return tables_open(door, start);
}

struct adit_status adit_door_open(struct adit_door *door, int supervisor_fd)
{
    struct adit_message start = {0};
    *door = (struct adit_door){
        .loop = {.epoll_fd = -1},
        .supervisor = {.fd = -1},
        .listener = -1,
        .http_listener = -1,
        .hello_us = ADIT_DOOR_HELLO_US,
        .grace_us = ADIT_DOOR_GRACE_US,
        .tell_us = ADIT_DOOR_TELL_US,
        .probe_us = ADIT_DOOR_PROBE_US,
    };
    for (size_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        ADIT_AT(door->workers, i).channel.fd = -1;
    }
    adit_log_init(&door->log, STDERR_FILENO, ADIT_LOG_TEXT, ADIT_BYTES("door"));
    ADIT_TRY(adit_channel_open(&door->supervisor, supervisor_fd, ADIT_EDGE_DOOR_SUPERVISOR,
                               ADIT_EDGE_SUPERVISOR_DOOR));
    ADIT_TRY(adit_channel_receive_wait(&door->supervisor, START_MS, &start));
    struct adit_status status = start_take(door, &start);
    adit_message_fds_close(&start);
    return status;
}

struct adit_status adit_door_begin(struct adit_door *door)
{
    struct adit_message ready = {.type = ADIT_MESSAGE_READY};
    ADIT_TRY(adit_peek_begin(door));
    ADIT_LOG(&door->log, INFO, "door_ready");
    return adit_channel_send(&door->supervisor, &ready);
}

void adit_door_close(struct adit_door *door)
{
    if (door->pendings.objects.len > 0) {
        adit_peek_close(door);
    }
    adit_probes_close(door);
    adit_tunnels_close(door);
    adit_claims_close(door);
    adit_loop_timer_cancel(&door->loop, &door->tell_timer);
    adit_loop_timer_cancel(&door->loop, &door->stop_timer);
    for (size_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        struct adit_door_worker *worker = &ADIT_AT(door->workers, i);
        adit_loop_unwatch(&door->loop, &worker->watch);
        adit_channel_close(&worker->channel);
    }
    adit_loop_unwatch(&door->loop, &door->listener_watch);
    adit_loop_unwatch(&door->loop, &door->http_watch);
    adit_loop_unwatch(&door->loop, &door->supervisor_watch);
    adit_socket_close(&door->listener);
    adit_socket_close(&door->http_listener);
    adit_channel_close(&door->supervisor);
    adit_admission_deinit(&door->admission);
    adit_loop_close(&door->loop);
}
