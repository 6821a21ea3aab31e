#include "cli/aditd/ask.h"

#include "edge/supervisor/supervisor.h"
#include "net/local.h"

#include <sys/wait.h>

#include "unit.h"

/* A server that takes one connection, reads its question and says `answer`; with no answer it waits
 * until the other end leaves. */
struct server {
    char folder[64];
    int listener;
    pid_t child;
};

/* The whole line, in however many pieces: what is left unread would turn the end into a reset. */
static bool question_is_good(int fd)
{
    uint8_t memory[64] = {0};
    struct adit_writer question = adit_writer_of(ADIT_SPAN_OF(memory));
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    while (!adit_bytes_ends_with(adit_writer_bytes(&question), ADIT_BYTES("\n"))) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (poll(&waiting, 1, 10000) != 1 ||
            !adit_is_ok(adit_socket_receive(fd, adit_span_from(question.span, question.len),
                                            &count, &io)) ||
            io == ADIT_IO_END) {
            return false;
        }
        question.len += count;
    }
    return adit_bytes_equal(adit_writer_bytes(&question), ADIT_BYTES("status\n"));
}

static void server_open(struct server *server, struct adit_bytes answer)
{
    *server = (struct server){.folder = "/tmp/adit-ask-test-XXXXXX", .listener = -1};
    assert_non_null(mkdtemp(server->folder));
    assert_ok(adit_local_listen(server->folder, ADIT_BYTES(ADIT_SUPERVISOR_SOCKET),
                                &server->listener));
    server->child = fork();
    assert_true(server->child >= 0);
    if (server->child > 0) {
        return;
    }
    alarm(20);
    struct pollfd waiting = {.fd = server->listener, .events = POLLIN};
    struct adit_address peer = {0};
    enum adit_io io = ADIT_IO_DONE;
    size_t count = 0;
    int fd = -1;
    bool is_good = poll(&waiting, 1, 10000) == 1 &&
                   adit_is_ok(adit_socket_accept(server->listener, &fd, &peer, &io));
    waiting = (struct pollfd){.fd = fd, .events = POLLIN};
    is_good = is_good && question_is_good(fd);
    if (is_good && answer.len > 0) {
        is_good = adit_is_ok(adit_socket_send(fd, answer, &count, &io)) && count == answer.len;
    } else if (is_good) {
        is_good = poll(&waiting, 1, 10000) == 1;
    }
    _exit(is_good ? 0 : 1);
}

static void server_close(struct server *server)
{
    char path[128] = {0};
    int how = 0;
    assert_int_equal(waitpid(server->child, &how, 0), server->child);
    assert_int_equal(how, 0);
    adit_socket_close(&server->listener);
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(server->folder),
                             ADIT_BYTES(ADIT_SUPERVISOR_SOCKET)));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(server->folder), 0);
}

static void an_answer_is_one_object_on_one_line(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes answer;
        enum adit_error error;
    } cases[] = {
        {ADIT_BYTES_INIT("{\"pid\":1,\"roles\":[{\"name\":\"door\"}]}\n"), ADIT_ERROR_NONE},
        {ADIT_BYTES_INIT("{}\n"), ADIT_ERROR_NONE},
        {ADIT_BYTES_INIT("{}"), ADIT_ERROR_INVALID},
        {ADIT_BYTES_INIT("\n"), ADIT_ERROR_INVALID},
        {ADIT_BYTES_INIT("[]\n"), ADIT_ERROR_INVALID},
        {ADIT_BYTES_INIT("{\"a\":\n1}\n"), ADIT_ERROR_INVALID},
        {ADIT_BYTES_INIT("{}\n{}\n"), ADIT_ERROR_INVALID},
        {ADIT_BYTES_INIT("{\"a\":1\n"), ADIT_ERROR_INVALID},
        {ADIT_BYTES_INIT("{\"a\":\"0123456789012345678901234567890123456789"
                         "012345678901234567\"}\n"),
         ADIT_ERROR_LIMIT},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct server server = {0};
        uint8_t memory[64] = {0};
        struct adit_bytes wanted = ADIT_AT(cases, i).answer;
        struct adit_writer answer = adit_writer_of(ADIT_SPAN_OF(memory));
        server_open(&server, wanted);
        struct adit_status status =
            adit_ask(server.folder, ADIT_BYTES("status"), 10000, &answer);
        assert_int_equal(adit_status_error(status), ADIT_AT(cases, i).error);
        assert_bytes(adit_writer_bytes(&answer), adit_is_ok(status)
                                                     ? adit_bytes_first(wanted, wanted.len - 1)
                                                     : ADIT_BYTES(""));
        server_close(&server);
    }
}

static void a_silent_server_is_not_waited_for(void **state)
{
    (void)state;
    struct server server = {0};
    uint8_t memory[64] = {0};
    uint64_t pid = 0;
    struct adit_writer answer = adit_writer_of(ADIT_SPAN_OF(memory));
    server_open(&server, ADIT_BYTES(""));
    assert_fails(adit_ask(server.folder, ADIT_BYTES("status"), 50, &answer), TIMEOUT);
    assert_ok(adit_ask_pid(server.folder, &pid));
    assert_int_equal(pid, getpid()); /* who began to listen, not who accepts */
    server_close(&server);
    assert_fails(adit_ask("/tmp", ADIT_BYTES("status"), 50, &answer), CLOSED);
    assert_fails(adit_ask_pid("/tmp", &pid), CLOSED);
    assert_fails(adit_ask_pid("/nonexistent", &pid), SYSTEM);
}

static void a_member_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes answer;
        bool is_true;
    } cases[] = {
        {ADIT_BYTES_INIT("{\"applied\":true,\"version\":7}"), true},
        {ADIT_BYTES_INIT("{\"version\":7,\"\\u0061pplied\":true}"), true},
        {ADIT_BYTES_INIT("{\"applied\":false}"), false},
        {ADIT_BYTES_INIT("{\"applied\":1}"), false},
        {ADIT_BYTES_INIT("{\"x\":{\"applied\":true}}"), false},
        {ADIT_BYTES_INIT("{}"), false},
        {ADIT_BYTES_INIT("{\"applied\""), false},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        assert_int_equal(adit_ask_is_true(ADIT_AT(cases, i).answer, ADIT_BYTES("applied")),
                         ADIT_AT(cases, i).is_true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_one_object_on_one_line),
        cmocka_unit_test(a_silent_server_is_not_waited_for),
        cmocka_unit_test(a_member_is_asked_for),
    };
    return cmocka_run_group_tests_name("aditd/ask", tests, NULL, NULL);
}
