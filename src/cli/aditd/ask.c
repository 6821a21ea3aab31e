#include "cli/aditd/ask.h"

#include "edge/supervisor/supervisor.h"
#include "net/local.h"
#include "wire/json.h"

#define TOKENS_MAX (ADIT_ASK_ANSWER_MAX / 2) /* of JSON: each takes a byte and a separator */

/* Waits until `events`; TIMEOUT after `until_us`. */
static struct adit_status wait_for(int fd, short events, uint64_t until_us)
{
    for (;;) {
        uint64_t now_us = adit_clock_now_us();
        ADIT_ENSURE(now_us < until_us, TIMEOUT, "the server did not answer in time");
        struct pollfd socket = {.fd = fd, .events = events};
        int found = poll(&socket, 1, (int)((until_us - now_us) / ADIT_MS_US) + 1);
        if (found < 0 && errno != EINTR) {
            ADIT_FAIL_WITH(SYSTEM, "the server cannot be waited for", errno);
        }
        if (found > 0) {
            return adit_ok();
        }
    }
}

static struct adit_status question_send(int fd, struct adit_bytes question, uint64_t until_us)
{
    while (question.len > 0) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        ADIT_TRY(adit_socket_send(fd, question, &count, &io));
        question = adit_bytes_from(question, count);
        if (io == ADIT_IO_BLOCKED) {
            ADIT_TRY(wait_for(fd, POLLOUT, until_us));
        }
    }
    return adit_ok();
}

/* Up to the end of the connection. */
static struct adit_status answer_receive(int fd, uint64_t until_us, struct adit_writer *answer)
{
    for (;;) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_span room = adit_span_from(answer->span, answer->len);
        ADIT_ENSURE(room.len > 0, LIMIT, "the server's answer is larger than its limit");
        ADIT_TRY(adit_socket_receive(fd, room, &count, &io));
        answer->len += count;
        if (io == ADIT_IO_END) {
            return adit_ok();
        }
        if (io == ADIT_IO_BLOCKED) {
            ADIT_TRY(wait_for(fd, POLLIN, until_us));
        }
    }
}

/* One object on one line, and nothing else. */
static struct adit_status answer_check(struct adit_bytes line)
{
    struct adit_json json = {0};
    enum adit_json_token token = ADIT_JSON_END;
    ADIT_ENSURE(adit_bytes_find(line, '\n') == line.len, INVALID,
                "the server's answer has more than one line");
    adit_json_init(&json, line);
    ADIT_TRY(adit_json_next(&json, &token));
    ADIT_ENSURE(token == ADIT_JSON_OBJECT, INVALID, "the server's answer is no JSON object");
    for (uint32_t i = 0; i < TOKENS_MAX && token != ADIT_JSON_END; i++) {
        ADIT_TRY(adit_json_next(&json, &token));
    }
    return adit_ok();
}

static struct adit_status exchange(int fd, struct adit_bytes question, uint64_t until_us,
                                   struct adit_writer *answer)
{
    ADIT_TRY(question_send(fd, question, until_us));
    ADIT_TRY(question_send(fd, ADIT_BYTES("\n"), until_us));
    ADIT_TRY(answer_receive(fd, until_us, answer));
    struct adit_bytes line = adit_writer_bytes(answer);
    ADIT_ENSURE(adit_bytes_ends_with(line, ADIT_BYTES("\n")), INVALID,
                "the server's answer ends early");
    answer->len--;
    return answer_check(adit_writer_bytes(answer));
}

struct adit_status adit_ask(const char *folder, struct adit_bytes question, uint64_t timeout_ms,
                            struct adit_writer *answer)
{
    int fd = -1;
    uint64_t pid = 0;
    struct adit_writer fresh = adit_writer_of(adit_span_from(answer->span, answer->len));
    ADIT_TRY(adit_local_connect(folder, ADIT_BYTES(ADIT_SUPERVISOR_SOCKET), &fd, &pid));
    struct adit_status status =
        exchange(fd, question, adit_clock_now_us() + timeout_ms * ADIT_MS_US, &fresh);
    adit_socket_close(&fd);
    ADIT_TRY(status);
    answer->len += fresh.len;
    return adit_ok();
}

struct adit_status adit_ask_pid(const char *folder, uint64_t *out_pid)
{
    int fd = -1;
    uint64_t pid = 0;
    ADIT_TRY(adit_local_connect(folder, ADIT_BYTES(ADIT_SUPERVISOR_SOCKET), &fd, &pid));
    adit_socket_close(&fd);
    ADIT_ENSURE(pid > 1, REFUSED, "the server runs where its process cannot be seen from here");
    *out_pid = pid;
    return adit_ok();
}

bool adit_ask_is_true(struct adit_bytes answer, struct adit_bytes name)
{
    struct adit_json json = {0};
    enum adit_json_token token = ADIT_JSON_END;
    adit_json_init(&json, answer);
    for (uint32_t i = 0; i < TOKENS_MAX; i++) {
        if (!adit_is_ok(adit_json_next(&json, &token)) || token == ADIT_JSON_END) {
            return false;
        }
        if (token == ADIT_JSON_KEY && json.depth == 1 &&
            adit_json_string_equal(json.raw, name)) {
            return adit_is_ok(adit_json_next(&json, &token)) && token == ADIT_JSON_TRUE;
        }
    }
    return false;
}
