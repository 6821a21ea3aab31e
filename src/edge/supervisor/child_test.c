#include "edge/supervisor/child.h"

#include <stdlib.h>

#include "unit.h"

/* Run as a role itself, this test tells what it sees: see child_main. */
#define ITSELF                                                                                  \
    .path = "/proc/self/exe", .name = ADIT_BYTES("adit-role"), DOOR_EDGES
#define DOOR_EDGES .sends = ADIT_EDGE_SUPERVISOR_DOOR, .receives = ADIT_EDGE_DOOR_SUPERVISOR

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Says READY where it has exactly descriptors 0 to 3 and no environment; then waits for STOP. */
static int child_main(void)
{
    struct adit_channel supervisor = {.fd = -1};
    struct adit_message ready = {.type = ADIT_MESSAGE_READY};
    struct adit_message stop = {0};
    bool is_exact = is_open(0) && is_open(1) && is_open(2) && is_open(3) && !environ[0];
    for (int fd = 4; fd < 1024; fd++) {
        is_exact = is_exact && !is_open(fd);
    }
    adit_status_ignore(adit_channel_open(&supervisor, 3, ADIT_EDGE_DOOR_SUPERVISOR,
                                         ADIT_EDGE_SUPERVISOR_DOOR),
                       "seen by the test");
    ssize_t put = write(2, "hello\n", 6);
    if (!is_exact || put != 6 || !adit_is_ok(adit_channel_send(&supervisor, &ready)) ||
        !adit_is_ok(adit_channel_receive_wait(&supervisor, 5000, &stop)) ||
        stop.type != ADIT_MESSAGE_STOP) {
        return 9;
    }
    adit_channel_close(&supervisor);
    return 7;
}

static void it_has_what_it_needs_and_no_more(void **state)
{
    (void)state;
    struct adit_loop loop = {0};
    struct adit_child child = {0};
    struct adit_message message = {0};
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP};
    int target[2] = {-1, -1};
    int status = 0;
    uint8_t memory[64] = {0};
    assert_int_equal(pipe2(target, O_NONBLOCK), 0); /* inherited, were it not for the closing */
    assert_ok(adit_loop_open(&loop, 4, 4));
    const struct adit_child_options options = {
        ITSELF, .log_fd = target[1]};
    assert_ok(adit_child_start(&child, &loop, &options));
    assert_ok(adit_channel_receive_wait(&child.channel, 5000, &message));
    assert_int_equal(message.type, ADIT_MESSAGE_READY);
    assert_false(adit_child_has_ended(&child, &status));
    assert_ok(adit_channel_send(&child.channel, &stop));
    for (size_t i = 0; i < 500 && !adit_child_has_ended(&child, &status); i++) {
        assert_ok(adit_loop_turn(&loop, 10 * ADIT_MS_US));
    }
    assert_int_equal(child.pid, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    ssize_t got = read(target[0], memory, sizeof memory);
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), got > 0 ? (size_t)got : 0),
                 ADIT_BYTES("hello\n"));
    assert_false(adit_child_has_ended(&child, &status));
    adit_loop_close(&loop);
    close(target[0]);
    close(target[1]);
}

static void it_can_be_killed(void **state)
{
    (void)state;
    struct adit_loop loop = {0};
    struct adit_child child = {0};
    int status = 0;
    assert_ok(adit_loop_open(&loop, 4, 4));
    const struct adit_child_options options = {ITSELF, .log_fd = -1};
    assert_ok(adit_child_start(&child, &loop, &options));
    adit_child_kill(&child);
    for (size_t i = 0; i < 500 && !adit_child_has_ended(&child, &status); i++) {
        assert_ok(adit_loop_turn(&loop, 10 * ADIT_MS_US));
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    adit_child_kill(&child); /* nobody is there: nothing happens */
    adit_loop_close(&loop);
}

static void a_missing_program_is_told(void **state)
{
    (void)state;
    struct adit_loop loop = {0};
    struct adit_child child = {0};
    int status = 0;
    assert_ok(adit_loop_open(&loop, 4, 4));
    const struct adit_child_options options = {.path = "/nonexistent", DOOR_EDGES, .log_fd = -1};
    struct adit_status failure = adit_child_start(&child, &loop, &options);
    assert_int_equal(adit_status_error(failure), ADIT_ERROR_SYSTEM);
    assert_int_equal(failure.detail, ENOENT);
    assert_false(adit_child_has_ended(&child, &status));
    assert_false(adit_channel_is_open(&child.channel));
    assert_int_equal(loop.watches.used, 0);
    adit_loop_close(&loop);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_what_it_needs_and_no_more),
        cmocka_unit_test(it_can_be_killed),
        cmocka_unit_test(a_missing_program_is_told),
    };
    if (argc > 0 && adit_bytes_equal(adit_bytes_of_text(*argv), ADIT_BYTES("adit-role"))) {
        return child_main();
    }
    return cmocka_run_group_tests_name("supervisor/child", tests, NULL, NULL);
}
