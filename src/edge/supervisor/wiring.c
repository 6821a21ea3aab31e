#include "edge/supervisor/wiring.h"

static uint32_t options_of(const struct adit_supervisor_options *options)
{
    uint32_t bits = options->format == ADIT_LOG_JSON ? ADIT_START_JSON : 0;
    bits |= options->is_http_serve ? ADIT_START_HTTP_SERVE : 0;
    return bits | (options->is_sandbox_off ? ADIT_START_NO_SANDBOX : 0);
}

static struct adit_status file_attach(struct adit_message *message, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a certificate or key cannot be opened", errno);
    }
    ADIT_AT(message->fds, message->fd_count) = fd;
    message->fd_count++;
    return adit_ok();
}

static struct adit_status credentials_attach(const struct adit_supervisor *supervisor,
                                             struct adit_message *message)
{
    ADIT_TRY(file_attach(message, supervisor->options.certificate_path));
    ADIT_TRY(file_attach(message, supervisor->options.key_path));
    return file_attach(message, supervisor->options.token_key_path);
}

static struct adit_status listener_attach(struct adit_message *message, int listener)
{
    int copy = fcntl(listener, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a listener cannot be duplicated", errno);
    }
    ADIT_AT(message->fds, message->fd_count) = copy;
    message->fd_count++;
    return adit_ok();
}

static struct adit_status door_fill(const struct adit_supervisor *supervisor,
                                    struct adit_message *message)
{
    ADIT_TRY(listener_attach(message, supervisor->options.listener));
    ADIT_TRY(listener_attach(message, supervisor->options.http_listener));
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
    message->port = supervisor->options.https.port;
    return credentials_attach(supervisor, message);
}

struct adit_status adit_wiring_start(struct adit_supervisor *supervisor,
                                     struct adit_supervisor_seat *seat)
{
    struct adit_message message = {.options = options_of(&supervisor->options),
                                   .address = supervisor->options.https};
    struct adit_status status =
        adit_message_text_set(&message.domain, supervisor->options.domain);
    if (adit_is_ok(status)) {
        status = seat->role == ADIT_ROLE_DOOR ? door_fill(supervisor, &message)
                                              : worker_fill(supervisor, seat, &message);
    }
    if (adit_is_ok(status)) {
        status = adit_channel_send(&seat->child.channel, &message);
    }
    adit_message_fds_close(&message);
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
