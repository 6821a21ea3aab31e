#include "edge/supervisor/wiring.h"

static uint32_t options_of(const struct adit_supervisor_options *options)
{
    uint32_t bits = options->format == ADIT_LOG_JSON ? ADIT_START_JSON : 0;
    bits |= options->is_http_serve ? ADIT_START_HTTP_SERVE : 0;
    bits |= options->is_polling ? ADIT_START_POLLING : 0;
    return bits | (options->is_sandbox_off ? ADIT_START_NO_SANDBOX : 0);
}

static struct adit_status copy_attach(struct adit_message *message, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a descriptor cannot be duplicated", errno);
    }
    ADIT_AT(message->fds, message->fd_count) = copy;
    message->fd_count++;
    return adit_ok();
}

static struct adit_status credentials_attach(const struct adit_supervisor *supervisor,
                                             struct adit_message *message)
{
    for (size_t i = 0; i < ADIT_SUPERVISOR_CREDENTIALS; i++) {
        ADIT_TRY(copy_attach(message, ADIT_AT(supervisor->credentials, i)));
    }
    return adit_ok();
}

static uint32_t name_hold_of(const struct adit_supervisor *supervisor)
{
    uint32_t hold_s = supervisor->options.live.name_hold_s;
    return hold_s > 0 ? hold_s : ADIT_SUPERVISOR_NAME_HOLD_S;
}

static struct adit_status control_fill(const struct adit_supervisor *supervisor,
                                       struct adit_message *message)
{
    const struct adit_supervisor_options *options = &supervisor->options;
    int folder = open(options->store_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        ADIT_FAIL_WITH(SYSTEM, "the database's folder cannot be opened", errno);
    }
    message->fds[0] = folder;
    message->fd_count = 1;
    message->type = ADIT_MESSAGE_CONTROL_START;
    message->count = name_hold_of(supervisor);
    ADIT_TRY(copy_attach(message, options->admin_listener));
    return copy_attach(message, options->local_listener);
}

static struct adit_status door_fill(const struct adit_supervisor *supervisor,
                                    const struct adit_supervisor_seat *seat,
                                    struct adit_message *message)
{
    message->options |= seat->is_told_more ? ADIT_START_ASKED : 0;
    ADIT_TRY(copy_attach(message, supervisor->options.listener));
    ADIT_TRY(copy_attach(message, supervisor->options.http_listener));
    message->type = ADIT_MESSAGE_DOOR_START;
    message->count = ADIT_SUPERVISOR_SOURCE_MAX;
    message->port_from = supervisor->options.port_from;
    message->port_to = supervisor->options.port_to;
    return adit_ok();
}

static struct adit_status worker_fill(const struct adit_supervisor *supervisor,
                                      const struct adit_supervisor_seat *seat,
                                      struct adit_message *message)
{
    message->type = ADIT_MESSAGE_WORKER_START;
    message->index = seat->index;
    message->count = (uint32_t)(supervisor->seat_count - ADIT_SUPERVISOR_WORKER);
    message->port = supervisor->options.https.port;
    return credentials_attach(supervisor, message);
}

static struct adit_status role_fill(const struct adit_supervisor *supervisor,
                                    const struct adit_supervisor_seat *seat,
                                    struct adit_message *message)
{
    switch (seat->role) {
    case ADIT_ROLE_CONTROL:
        return control_fill(supervisor, message);
    case ADIT_ROLE_DOOR:
        return door_fill(supervisor, seat, message);
    case ADIT_ROLE_WORKER:
        return worker_fill(supervisor, seat, message);
    }
    return adit_ok();
}

struct adit_status adit_wiring_snapshot(struct adit_supervisor *supervisor,
                                        struct adit_supervisor_seat *seat)
{
    struct adit_message message = {.type = ADIT_MESSAGE_SNAPSHOT,
                                   .version = supervisor->plane.version};
    ADIT_TRY(copy_attach(&message, supervisor->plane.snapshot_fd));
    struct adit_status status = adit_channel_send(&seat->child.channel, &message);
    adit_message_fds_close(&message);
    return status;
}

struct adit_status adit_wiring_tickets(struct adit_supervisor *supervisor,
                                       struct adit_supervisor_seat *worker)
{
    struct adit_message message = {.type = ADIT_MESSAGE_TICKETS};
    ADIT_TRY(adit_message_text_set(&message.secret,
                                   adit_bytes_first(ADIT_BYTES_OF(supervisor->plane.tickets),
                                                    supervisor->plane.ticket_bytes)));
    struct adit_status status = adit_channel_send(&worker->child.channel, &message);
    adit_span_wipe(ADIT_SPAN_OF(message.secret.bytes));
    return status;
}

struct adit_status adit_wiring_start(struct adit_supervisor *supervisor,
                                     struct adit_supervisor_seat *seat)
{
    struct adit_message message = {.options = options_of(&supervisor->options),
                                   .address = supervisor->options.https};
    struct adit_status status =
        adit_message_text_set(&message.domain, supervisor->options.domain);
    if (adit_is_ok(status)) {
        status = role_fill(supervisor, seat, &message);
    }
    if (adit_is_ok(status)) {
        status = adit_channel_send(&seat->child.channel, &message);
    }
    adit_message_fds_close(&message);
    if (adit_is_ok(status) && seat->role != ADIT_ROLE_CONTROL) {
        status = adit_wiring_snapshot(supervisor, seat);
    }
    if (adit_is_ok(status) && seat->role == ADIT_ROLE_WORKER) {
        status = adit_wiring_tickets(supervisor, seat);
    }
    return status;
}

struct adit_status adit_wiring_join(struct adit_supervisor *supervisor,
                                    struct adit_supervisor_seat *door,
                                    struct adit_supervisor_seat *worker)
{
    struct adit_message to_door = {.type = ADIT_MESSAGE_WIRE_WORKER,
                                   .request = supervisor->wirings + 1,
                                   .index = worker->index,
                                   .fd_count = 1};
    struct adit_message to_worker = {.type = ADIT_MESSAGE_WIRE_DOOR, .fd_count = 1};
    ADIT_TRY(adit_channel_pair(&to_door.fds[0], &to_worker.fds[0]));
    supervisor->wirings++;
    worker->wiring = supervisor->wirings;
    struct adit_status status = adit_channel_send(&door->child.channel, &to_door);
    if (adit_is_ok(status)) {
        status = adit_channel_send(&worker->child.channel, &to_worker);
    }
    adit_message_fds_close(&to_door);
    adit_message_fds_close(&to_worker);
    return status;
}

struct adit_status adit_wiring_name_hold(struct adit_supervisor *supervisor,
                                         struct adit_supervisor_seat *control)
{
    struct adit_message message = {.type = ADIT_MESSAGE_NAME_HOLD,
                                   .count = name_hold_of(supervisor)};
    return adit_channel_send(&control->child.channel, &message);
}

void adit_wiring_credentials_close(struct adit_supervisor *supervisor)
{
    for (size_t i = 0; i < ADIT_SUPERVISOR_CREDENTIALS; i++) {
        adit_socket_close(&ADIT_AT(supervisor->credentials, i));
    }
}

struct adit_status adit_wiring_credentials_open(struct adit_supervisor *supervisor)
{
    const char *const paths[] = {supervisor->options.live.certificate_path,
                                 supervisor->options.live.key_path,
                                 supervisor->options.token_key_path};
    int fresh[ADIT_SUPERVISOR_CREDENTIALS] = {-1, -1, -1};
    int failure = 0;
    for (size_t i = 0; i < ADIT_COUNT(fresh) && failure == 0; i++) {
        ADIT_AT(fresh, i) = open(ADIT_AT(paths, i), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        failure = ADIT_AT(fresh, i) < 0 ? errno : 0;
    }
    for (size_t i = 0; i < ADIT_COUNT(fresh); i++) {
        if (failure == 0) {
            adit_socket_close(&ADIT_AT(supervisor->credentials, i));
            ADIT_AT(supervisor->credentials, i) = ADIT_AT(fresh, i);
        } else {
            adit_socket_close(&ADIT_AT(fresh, i));
        }
    }
    if (failure != 0) {
        ADIT_FAIL_WITH(SYSTEM, "a certificate or key cannot be opened", failure);
    }
    return adit_ok();
}

struct adit_status adit_wiring_reload(struct adit_supervisor *supervisor,
                                      struct adit_supervisor_seat *worker)
{
    struct adit_message message = {.type = ADIT_MESSAGE_CREDENTIALS};
    struct adit_status status = credentials_attach(supervisor, &message);
    if (adit_is_ok(status)) {
        status = adit_channel_send(&worker->child.channel, &message);
    }
    adit_message_fds_close(&message);
    return status;
}
