/* Covers orders.c, supervisor.c: a whole supervisor, whose roles are this very program. Started as
 * adit-control, adit-door or adit-worker it plays the part that its start message names. */
#include "edge/supervisor/supervisor.h"

#include <stdlib.h>

#include "unit.h"

#define PART_REPLACED ADIT_BYTES("replaced")
#define PART_CRASHING ADIT_BYTES("crashing")
#define PART_STUBBORN ADIT_BYTES("stubborn")
#define PART_SILENT ADIT_BYTES("silent")
#define PART_ALONE ADIT_BYTES("alone") /* without control for a while */

/* --- The roles ------------------------------------------------------------------------------- */

struct role {
    struct adit_channel supervisor;
    struct adit_message_text part;
    enum adit_role kind;
    uint32_t index; /* of a worker */
};

static bool plays(const struct role *role, struct adit_bytes part)
{
    return adit_bytes_equal(adit_message_text_get(&role->part), part);
}

/* The door calls worker 1 broken, or waits for its silence, and ends the server once it has another
 * in its place. */
static void wiring_play(struct role *role, const struct adit_message *wire)
{
    struct adit_message broken = {
        .type = ADIT_MESSAGE_BROKEN, .request = wire->request, .index = wire->index};
    struct adit_message stale = broken;
    if ((!plays(role, PART_REPLACED) && !plays(role, PART_SILENT)) || wire->index != 1) {
        return;
    }
    if (wire->request == 2 && plays(role, PART_SILENT)) {
        return;
    }
    if (wire->request == 2) {
        assert_ok(adit_channel_send(&role->supervisor, &broken));
        return;
    }
    stale.request = 2; /* says nothing about the successor */
    assert_ok(adit_channel_send(&role->supervisor, &stale));
    kill(getppid(), SIGTERM);
}

static bool snapshot_send(struct role *role)
{
    struct adit_message snapshot = {.type = ADIT_MESSAGE_SNAPSHOT, .version = 1, .fd_count = 1};
    return adit_is_ok(adit_file_seal(ADIT_BYTES("all there is"), &snapshot.fds[0])) &&
           adit_is_ok(adit_channel_send(&role->supervisor, &snapshot));
}

static void lease_send(struct role *role)
{
    struct adit_message lease = {.type = ADIT_MESSAGE_LEASE, .count = 1};
    assert_ok(adit_message_text_set(&lease.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&lease.account, ADIT_BYTES("alice")));
    assert_ok(adit_channel_send(&role->supervisor, &lease));
}

/* Returns the role's exit code. */
static int role_play(struct role *role)
{
    struct adit_message message = {0};
    struct adit_message ready = {.type = ADIT_MESSAGE_READY};
    if (!adit_is_ok(adit_channel_receive_wait(&role->supervisor, 5000, &message))) {
        return 8;
    }
    role->part = message.domain;
    role->index = message.index;
    adit_message_fds_close(&message);
    if (plays(role, PART_CRASHING) && role->kind == ADIT_ROLE_WORKER) {
        return 9;
    }
    if (!adit_is_ok(adit_channel_send(&role->supervisor, &ready)) ||
        (role->kind == ADIT_ROLE_CONTROL && !snapshot_send(role))) {
        return 8;
    }
    if (plays(role, PART_ALONE) && role->kind == ADIT_ROLE_DOOR) {
        lease_send(role);
    }
    for (;;) {
        struct adit_message next = {0};
        if (!adit_is_ok(adit_channel_receive_wait(&role->supervisor, 20000, &next))) {
            return 0; /* the supervisor has gone */
        }
        adit_message_fds_close(&next);
        struct adit_message here = {.type = ADIT_MESSAGE_STATUS, .request = next.request};
        if (next.type == ADIT_MESSAGE_STATUS_ASK &&
            !(plays(role, PART_SILENT) && role->index == 1)) {
            assert_ok(adit_channel_send(&role->supervisor, &here));
        }
        if (next.type == ADIT_MESSAGE_LEASE) {
            return 7; /* the end of the first control */
        }
        if (next.type == ADIT_MESSAGE_LEASES_ASK) {
            kill(getppid(), SIGTERM); /* the second one is there */
        }
        if (next.type == ADIT_MESSAGE_WIRE_WORKER) {
            wiring_play(role, &next);
        }
        if (next.type == ADIT_MESSAGE_STOP && !plays(role, PART_STUBBORN)) {
            return 0;
        }
        if (next.type == ADIT_MESSAGE_STOP && role->kind == ADIT_ROLE_DOOR) {
            kill(getppid(), SIGTERM); /* a person who is in a hurry */
        }
    }
}

static int role_main(enum adit_role kind)
{
    struct role role = {.supervisor = {.fd = -1}, .kind = kind};
    const struct adit_role_info *info = adit_role_info(kind);
    if (!adit_is_ok(adit_channel_open(&role.supervisor, 3, info->receives, info->sends))) {
        return 8;
    }
    int code = role_play(&role);
    adit_channel_close(&role.supervisor);
    return code;
}

/* --- The tests ------------------------------------------------------------------------------- */

struct scene {
    char folder[64]; /* holds links to this program under the names of the roles */
    int log, log_end; /* a pipe that stands for standard error */
    int served; /* how often the supervisor said that it serves */
};

static const char *link_of(struct scene *scene, struct adit_bytes name)
{
    static char path[256];
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(scene->folder), name));
    return path;
}

static void scene_open(struct scene *scene)
{
    char own[512] = {0};
    *scene = (struct scene){.folder = "/tmp/adit-supervisor-test-XXXXXX"};
    assert_true(readlink("/proc/self/exe", own, sizeof own - 1) > 0);
    assert_non_null(mkdtemp(scene->folder));
    assert_int_equal(symlink(own, link_of(scene, ADIT_BYTES("adit-control"))), 0);
    assert_int_equal(symlink(own, link_of(scene, ADIT_BYTES("adit-door"))), 0);
    assert_int_equal(symlink(own, link_of(scene, ADIT_BYTES("adit-worker"))), 0);
    int ends[2] = {-1, -1};
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    scene->log = ends[0];
    scene->log_end = ends[1];
}

static void scene_close(struct scene *scene)
{
    unlink(link_of(scene, ADIT_BYTES("adit-control")));
    unlink(link_of(scene, ADIT_BYTES("adit-door")));
    unlink(link_of(scene, ADIT_BYTES("adit-worker")));
    assert_int_equal(rmdir(scene->folder), 0);
    close(scene->log);
    close(scene->log_end);
}

static void served(void *context)
{
    struct scene *scene = context;
    scene->served++;
}

static void served_enough(void *context)
{
    served(context);
    kill(getpid(), SIGHUP); /* the workers get their credentials anew */
    kill(getpid(), SIGTERM);
}

static struct adit_supervisor_options options_of_test(struct scene *scene, struct adit_bytes part)
{
    return (struct adit_supervisor_options){
        .listener = dup(0),
        .http_listener = dup(0),
        .admin_listener = dup(0),
        .local_listener = dup(0),
        .store_path = "/tmp",
        .https = {.family = 4, .port = 8443, .ip = {127, 0, 0, 1}},
        .domain = part,
        .port_from = 20000,
        .port_to = 20999,
        .live = {.certificate_path = "/dev/null", .key_path = "/dev/null", .drain_ms = 500},
        .token_key_path = "/dev/null",
        .program_folder = adit_bytes_of_text(scene->folder),
        .log_fd = scene->log_end,
        .is_sandbox_off = true,
        .serving = served,
        .context = scene,
    };
}

static struct adit_bytes log_read(struct scene *scene, struct adit_span memory)
{
    ssize_t got = read(scene->log, memory.ptr, memory.len);
    return adit_bytes_first(adit_span_bytes(memory), got > 0 ? (size_t)got : 0);
}

static size_t count_in(struct adit_bytes rest, struct adit_bytes event)
{
    size_t count = 0;
    for (; rest.len > 0; rest = adit_bytes_from(rest, 1)) {
        count += adit_bytes_starts_with(rest, event) ? 1 : 0;
    }
    return count;
}

/* How many lines of the log name the event. */
static size_t log_count(struct scene *scene, struct adit_bytes event)
{
    static uint8_t memory[65536];
    return count_in(log_read(scene, ADIT_SPAN_OF(memory)), event);
}

static struct adit_status serve(const struct adit_supervisor_options *options)
{
    static struct adit_supervisor supervisor;
    int before = dup(0);
    close(before);
    assert_ok(adit_supervisor_open(&supervisor, options));
    struct adit_status status = adit_supervisor_run(&supervisor);
    for (size_t i = 0; i < supervisor.seat_count; i++) {
        assert_int_equal(ADIT_AT(supervisor.seats, i).child.pid, 0); /* nobody is left */
    }
    adit_supervisor_close(&supervisor);
    int after = dup(0);
    close(after);
    assert_int_equal(after, options->listener); /* the listener is closed, and all the others */
    assert_true(before > after);
    return status;
}

static void it_serves_until_it_is_asked_to_end(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, ADIT_BYTES("good"));
    options.serving = served_enough;
    assert_ok(serve(&options));
    assert_int_equal(scene.served, 1);
    uint8_t memory[65536] = {0};
    struct adit_bytes log = log_read(&scene, ADIT_SPAN_OF(memory));
    assert_int_equal(count_in(log, ADIT_BYTES("event=credentials_sent")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=stopping drain_ms=500")), 1);
    struct adit_bytes ended = log;
    for (; count_in(ended, ADIT_BYTES("event=role_ended")) > 1;) {
        ended = adit_bytes_from(ended, 1);
    }
    assert_int_equal(count_in(ended, ADIT_BYTES("event=role_ended name=control")), 1); /* last */
    scene_close(&scene);
}

static void a_broken_worker_is_replaced_and_wired_again(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, PART_REPLACED);
    options.workers = 3;
    assert_ok(serve(&options));
    assert_true(scene.served <= 1); /* the end may come before the second worker is ready */
    uint8_t memory[65536] = {0};
    struct adit_bytes log = log_read(&scene, ADIT_SPAN_OF(memory));
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_broken name=worker index=1")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_broken")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=worker index=0")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=worker index=1")), 2);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=worker index=2")), 1);
    scene_close(&scene);
}

static void one_that_says_nothing_is_replaced(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, PART_SILENT);
    options.workers = 2;
    options.pulse_ms = 400; /* the others answer in time on a busy machine, too */
    assert_ok(serve(&options));
    uint8_t memory[65536] = {0};
    struct adit_bytes log = log_read(&scene, ADIT_SPAN_OF(memory));
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_silent name=worker index=1")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_silent")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=worker index=1")), 2);
    scene_close(&scene);
}

static void the_end_of_control_is_nobody_elses(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, PART_ALONE);
    assert_ok(serve(&options));
    uint8_t memory[65536] = {0};
    struct adit_bytes log = log_read(&scene, ADIT_SPAN_OF(memory));
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=control")), 2);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=door")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_started name=worker")), 1);
    assert_int_equal(count_in(log, ADIT_BYTES("event=role_ended name=control")), 2);
    scene_close(&scene);
}

static void what_never_works_is_given_up(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, PART_CRASHING);
    assert_fails(serve(&options), REFUSED);
    assert_int_equal(scene.served, 0);
    /* by itself, or by us where it was slow to leave */
    assert_int_equal(log_count(&scene, ADIT_BYTES("event=role_ended name=worker")),
                     ADIT_SUPERVISOR_FIRST_STARTS_MAX);
    scene_close(&scene);
}

static void a_second_request_ends_the_stubborn(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, PART_STUBBORN);
    options.serving = served_enough;
    uint64_t begin_us = adit_clock_now_us();
    assert_ok(serve(&options));
    assert_true(adit_clock_now_us() - begin_us < ADIT_SUPERVISOR_STOP_US);
    assert_int_equal(log_count(&scene, ADIT_BYTES("by=signal code=9")), 3);
    scene_close(&scene);
}

static void a_missing_program_is_told_at_once(void **state)
{
    (void)state;
    static struct adit_supervisor supervisor;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_supervisor_options options = options_of_test(&scene, ADIT_BYTES("good"));
    options.program_folder = ADIT_BYTES("/nonexistent");
    assert_fails(adit_supervisor_open(&supervisor, &options), REFUSED);
    scene_close(&scene);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_serves_until_it_is_asked_to_end),
        cmocka_unit_test(a_broken_worker_is_replaced_and_wired_again),
        cmocka_unit_test(one_that_says_nothing_is_replaced),
        cmocka_unit_test(the_end_of_control_is_nobody_elses),
        cmocka_unit_test(what_never_works_is_given_up),
        cmocka_unit_test(a_second_request_ends_the_stubborn),
        cmocka_unit_test(a_missing_program_is_told_at_once),
    };
    struct adit_bytes name = argc > 0 ? adit_bytes_of_text(*argv) : ADIT_BYTES("");
    static const enum adit_role kinds[] = {ADIT_ROLE_CONTROL, ADIT_ROLE_DOOR, ADIT_ROLE_WORKER};
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        if (adit_bytes_equal(name, adit_role_info(ADIT_AT(kinds, i))->program)) {
            return role_main(ADIT_AT(kinds, i));
        }
    }
    return cmocka_run_group_tests_name("supervisor/supervisor", tests, NULL, NULL);
}
