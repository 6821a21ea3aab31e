#include "cli/output.h"

#define LINE_MAX_BYTES 4096 /* a path, and what is wrong with it */
#define SUBJECT_MAX 256

struct adit_status adit_output_write(int fd, struct adit_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            if (poll(&room, 1, -1) < 0 && errno != EINTR) {
                ADIT_FAIL_WITH(SYSTEM, "the output cannot be waited for", errno);
            }
            continue;
        }
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            ADIT_FAIL_WITH(SYSTEM, "the output cannot be written", errno);
        }
        bytes = adit_bytes_from(bytes, (size_t)put);
    }
    return adit_ok();
}

struct adit_status adit_output_offer(int fd, struct adit_bytes bytes, bool *out_is_taken)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    *out_is_taken = poll(&room, 1, 0) == 1;
    return *out_is_taken ? adit_output_write(fd, bytes) : adit_ok();
}

static void line_print(struct adit_writer *line)
{
    line->span.len = LINE_MAX_BYTES; /* the last byte was kept for the newline */
    adit_status_ignore(adit_write_u8(line, '\n'), "room was kept");
    adit_status_ignore(adit_output_write(STDERR_FILENO, adit_writer_bytes(line)),
                       "there is nobody left to tell");
}

static struct adit_writer line_begin(struct adit_span memory, struct adit_bytes program)
{
    struct adit_writer line = adit_writer_of(adit_span_first(memory, LINE_MAX_BYTES - 1));
    adit_status_ignore(adit_write_bytes(&line, program), "a cut line is still one");
    adit_status_ignore(adit_write_bytes(&line, ADIT_BYTES(": ")), "as above");
    return line;
}

void adit_output_complain(struct adit_bytes program, struct adit_bytes sentence)
{
    uint8_t memory[LINE_MAX_BYTES] = {0};
    struct adit_writer line = line_begin(ADIT_SPAN_OF(memory), program);
    adit_status_ignore(adit_write_bytes(&line, sentence), "a cut line is still one");
    line_print(&line);
}

static struct adit_status failure_write(struct adit_writer *line, struct adit_bytes subject,
                                        struct adit_status status)
{
    if (subject.len > 0) {
        ADIT_TRY(adit_write_escaped(line, subject, SUBJECT_MAX));
        ADIT_TRY(adit_write_bytes(line, ADIT_BYTES(": ")));
    }
    ADIT_TRY(adit_write_bytes(line, adit_bytes_of_text(adit_status_what(status))));
    if (adit_status_error(status) == ADIT_ERROR_SYSTEM && status.detail != 0) {
        ADIT_TRY(adit_write_bytes(line, ADIT_BYTES(" (")));
        ADIT_TRY(adit_write_bytes(line, adit_bytes_of_text(strerrordesc_np((int)status.detail))));
        ADIT_TRY(adit_write_bytes(line, ADIT_BYTES(")")));
    }
    return adit_ok();
}

void adit_output_failure(struct adit_bytes program, struct adit_bytes subject,
                         struct adit_status status)
{
    uint8_t memory[LINE_MAX_BYTES] = {0};
    struct adit_writer line = line_begin(ADIT_SPAN_OF(memory), program);
    adit_status_ignore(failure_write(&line, subject, status), "a cut line is still one");
    line_print(&line);
}
