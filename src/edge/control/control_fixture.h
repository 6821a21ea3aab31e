/* A control in a folder of its own; supervisor, local commands and monitors are the test. */
#ifndef ADIT_EDGE_CONTROL_FIXTURE_H
#define ADIT_EDGE_CONTROL_FIXTURE_H

#include "edge/control/control.h"

#include <fcntl.h>
#include <stdlib.h>

#include "net/local.h"
#include "unit.h"

#define TURNS_MAX 4000 /* 20 s of rest */
#define HOLD_S 1000

struct scene {
    char folder[64];
    int home; /* the working folder before */
    struct adit_channel supervisor;
    struct control control;
    struct adit_address admin;
    uint64_t version; /* of the last snapshot that came */
    uint32_t leases, revocations;
};

static inline void start_send(struct scene *scene)
{
    const struct adit_address any = {.family = 4, .ip = {127, 0, 0, 1}};
    struct adit_message start = {.type = ADIT_MESSAGE_CONTROL_START,
                                 .options = ADIT_START_NO_SANDBOX,
                                 .count = HOLD_S,
                                 .fd_count = 3};
    ADIT_AT(start.fds, 0) = open(scene->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(ADIT_AT(start.fds, 0) >= 0);
    assert_ok(adit_socket_listen(&any, 64, &ADIT_AT(start.fds, 1)));
    assert_ok(adit_socket_local(ADIT_AT(start.fds, 1), &scene->admin));
    assert_ok(adit_local_listen(scene->folder, ADIT_BYTES("aditd.sock"), &ADIT_AT(start.fds, 2)));
    assert_ok(adit_message_text_set(&start.domain, ADIT_BYTES("adit.test")));
    assert_ok(adit_channel_send(&scene->supervisor, &start));
}

static inline struct adit_status control_start(struct scene *scene)
{
    int theirs = -1;
    int ours = -1;
    assert_ok(adit_channel_pair(&ours, &theirs));
    assert_ok(adit_channel_open(&scene->supervisor, ours, ADIT_EDGE_SUPERVISOR_CONTROL,
                                ADIT_EDGE_CONTROL_SUPERVISOR));
    start_send(scene);
    assert_ok(control_open(&scene->control, theirs));
    scene->control.log.fd = -1;
    return control_begin(&scene->control);
}

static inline void snapshot_take(struct scene *scene, struct adit_message *message)
{
    static uint8_t memory[65536];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_snapshot snapshot = {0};
    assert_ok(adit_file_read_fd(message->fds[0], &writer));
    assert_ok(adit_snapshot_read(adit_writer_bytes(&writer), &snapshot));
    assert_int_equal(snapshot.version, message->version);
    assert_true(snapshot.version > scene->version);
    scene->version = snapshot.version;
    scene->leases = snapshot.leases;
    scene->revocations = snapshot.revocations;
}

/* The next message that is no snapshot, after some turns; NONE where there is none. */
static inline struct adit_message hear(struct scene *scene, size_t turns)
{
    for (size_t i = 0; i < turns; i++) {
        struct adit_message message = {0};
        assert_ok(adit_loop_turn(&scene->control.loop, 5 * ADIT_MS_US));
        if (!adit_is_ok(adit_channel_receive_wait(&scene->supervisor, 0, &message))) {
            continue;
        }
        if (message.type != ADIT_MESSAGE_SNAPSHOT) {
            return message;
        }
        snapshot_take(scene, &message);
        adit_message_fds_close(&message);
    }
    return (struct adit_message){0};
}

static inline void say(struct scene *scene, struct adit_message message)
{
    assert_ok(adit_channel_send(&scene->supervisor, &message));
}

static inline void lease_say(struct scene *scene, struct adit_bytes name, uint32_t count)
{
    struct adit_message message = {.type = ADIT_MESSAGE_LEASE, .count = count};
    assert_ok(adit_message_text_set(&message.name, name));
    assert_ok(adit_message_text_set(&message.account, ADIT_BYTES("alice")));
    say(scene, message);
}

static inline void scene_open(struct scene *scene)
{
    *scene = (struct scene){.folder = "/tmp/adit-control-test-XXXXXX"};
    scene->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_non_null(mkdtemp(scene->folder));
    assert_ok(control_start(scene));
    assert_int_equal(hear(scene, 1).type, ADIT_MESSAGE_READY);
    hear(scene, 2);
    assert_true(scene->version > 0);
}

static inline void scene_close(struct scene *scene)
{
    control_close(&scene->control);
    adit_channel_close(&scene->supervisor);
    unlink(ADIT_STORE_FILE);
    unlink(ADIT_STORE_FILE "-wal"); /* left where the database was taken away */
    unlink(ADIT_STORE_FILE "-shm");
    unlink(ADIT_STORE_MARK);
    unlink("aditd.sock");
    assert_int_equal(fchdir(scene->home), 0);
    close(scene->home);
    assert_int_equal(rmdir(scene->folder), 0);
}

/* What comes back for `request` on a connection that is open already; the rest of the text lives
 * until the next call. The supervisor answers what control asks it, if `is_answered`. */
static inline struct adit_bytes exchange(struct scene *scene, int fd, struct adit_bytes request,
                                  bool is_answered)
{
    static uint8_t memory[65536];
    size_t len = 0;
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    if (request.len > 0) {
        assert_ok(adit_socket_send(fd, request, &count, &io));
    }
    io = ADIT_IO_BLOCKED;
    for (size_t i = 0; i < TURNS_MAX && io != ADIT_IO_END; i++) {
        struct adit_message ask = hear(scene, 1);
        if (ask.type == ADIT_MESSAGE_STATUS_ASK && is_answered) {
            say(scene, (struct adit_message){.type = ADIT_MESSAGE_ROLE_STATUS,
                                             .request = ask.request,
                                             .index = 1,
                                             .count = 77,
                                             .streams = 2,
                                             .counters = {.count = 2, .values = {5, 6}}});
            say(scene, (struct adit_message){.type = ADIT_MESSAGE_ROLE_STATUS,
                                             .request = ask.request,
                                             .index = 0,
                                             .count = 78,
                                             .streams = 1,
                                             .counters = {.count = 1, .values = {9}}});
            say(scene, (struct adit_message){.type = ADIT_MESSAGE_STATUS_END,
                                             .request = ask.request,
                                             .count = 2,
                                             .streams = 2,
                                             .uptime_s = 61});
        }
        struct adit_status status =
            adit_socket_receive(fd, adit_span_from(ADIT_SPAN_OF(memory), len), &count, &io);
        if (!adit_is_ok(status)) {
            break;
        }
        len += io == ADIT_IO_DONE ? count : 0;
    }
    close(fd);
    return adit_bytes_first(ADIT_BYTES_OF(memory), len);
}

static inline struct adit_bytes command(struct scene *scene, struct adit_bytes line)
{
    int fd = -1;
    uint64_t pid = 0;
    assert_ok(adit_local_connect(scene->folder, ADIT_BYTES("aditd.sock"), &fd, &pid));
    return exchange(scene, fd, line, true);
}

static inline struct adit_bytes get(struct scene *scene, struct adit_bytes request)
{
    int fd = -1;
    assert_ok(adit_socket_connect(&scene->admin, &fd));
    return exchange(scene, fd, request, true);
}

static inline bool holds(struct adit_bytes text, struct adit_bytes part)
{
    for (; text.len >= part.len; text = adit_bytes_from(text, 1)) {
        if (adit_bytes_starts_with(text, part)) {
            return true;
        }
    }
    return false;
}

#endif
