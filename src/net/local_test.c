#include "net/local.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit.h"

#define NAME ADIT_BYTES("test.sock")

struct scene {
    char base[64];
    char folder[256]; /* longer than a socket's address */
    char socket[320];
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.base = "/tmp/adit-local-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->base));
    uint8_t below[150] = {0};
    adit_span_fill(ADIT_SPAN_OF(below), 'x');
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(scene->folder), adit_bytes_of_text(scene->base),
                             ADIT_BYTES_OF(below)));
    assert_int_equal(mkdir(scene->folder, 0700), 0);
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(scene->socket), adit_bytes_of_text(scene->folder),
                             NAME));
}

static void scene_close(struct scene *scene)
{
    unlink(scene->socket);
    assert_int_equal(rmdir(scene->folder), 0);
    assert_int_equal(rmdir(scene->base), 0);
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    struct scene scene = {0};
    int listener = -1;
    int client = -1;
    int server = -1;
    uint64_t pid = 0;
    enum adit_io io = ADIT_IO_DONE;
    struct stat about = {0};
    struct adit_address peer = {0};
    scene_open(&scene);
    assert_fails(adit_local_connect(scene.folder, NAME, &client, &pid), CLOSED);
    assert_ok(adit_local_listen(scene.folder, NAME, &listener));
    assert_int_equal(stat(scene.socket, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_ok(adit_socket_accept(listener, &server, &peer, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    assert_ok(adit_local_connect(scene.folder, NAME, &client, &pid));
    assert_int_equal(pid, getpid());
    assert_ok(adit_socket_accept(listener, &server, &peer, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    size_t count = 0;
    uint8_t memory[8] = {0};
    assert_ok(adit_socket_send(client, ADIT_BYTES("hello"), &count, &io));
    assert_ok(adit_socket_receive(server, ADIT_SPAN_OF(memory), &count, &io));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), count), ADIT_BYTES("hello"));
    assert_ok(adit_socket_receive(server, ADIT_SPAN_OF(memory), &count, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    adit_socket_close(&client);
    adit_socket_close(&server);
    adit_socket_close(&listener);
    assert_fails(adit_local_connect(scene.folder, NAME, &client, &pid), CLOSED);
    scene_close(&scene);
}

static void one_server_a_folder(void **state)
{
    (void)state;
    struct scene scene = {0};
    int first = -1;
    int second = -1;
    scene_open(&scene);
    assert_ok(adit_local_listen(scene.folder, NAME, &first));
    assert_fails(adit_local_listen(scene.folder, NAME, &second), REFUSED);
    adit_socket_close(&first);
    assert_ok(adit_local_listen(scene.folder, NAME, &second)); /* what the first left is replaced */
    adit_socket_close(&second);
    assert_fails(adit_local_listen("/nonexistent", NAME, &second), SYSTEM);
    scene_close(&scene);
}

/* Ends with 0 where it was the one that could listen; holds the socket until all have tried:
 * each then closes `tried`, and `others` ends when all have. */
static int race(const struct scene *scene, int begin, int tried, int others)
{
    int fd = -1;
    char byte = 0;
    if (read(begin, &byte, 1) != 0) {
        return 3;
    }
    struct adit_status status = adit_local_listen(scene->folder, NAME, &fd);
    close(tried);
    if (read(others, &byte, 1) != 0) {
        return 3;
    }
    return adit_is_ok(status) ? 0 : adit_status_error(status) == ADIT_ERROR_REFUSED ? 1 : 2;
}

static void of_two_at_once_one_wins(void **state)
{
    (void)state;
    struct scene scene = {0};
    pid_t children[4] = {0};
    int begin[2] = {-1, -1};
    int tried[2] = {-1, -1};
    int winners = 0;
    scene_open(&scene);
    assert_int_equal(pipe(begin), 0);
    assert_int_equal(pipe(tried), 0);
    for (size_t i = 0; i < ADIT_COUNT(children); i++) {
        ADIT_AT(children, i) = fork();
        if (ADIT_AT(children, i) == 0) {
            close(begin[1]);
            alarm(60);
            _exit(race(&scene, begin[0], tried[1], tried[0]));
        }
    }
    close(begin[0]);
    close(begin[1]);
    close(tried[0]);
    close(tried[1]);
    for (size_t i = 0; i < ADIT_COUNT(children); i++) {
        int how = -1;
        assert_int_equal(waitpid(ADIT_AT(children, i), &how, 0), ADIT_AT(children, i));
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) <= 1);
        winners += WEXITSTATUS(how) == 0 ? 1 : 0;
    }
    assert_int_equal(winners, 1);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(one_server_a_folder),
        cmocka_unit_test(of_two_at_once_one_wins),
    };
    return cmocka_run_group_tests_name("net/local", tests, NULL, NULL);
}
