#include "cli/adit/frame.h"

#include <string.h>

#include "unit.h"

static struct adit_frame frame_make(void)
{
    struct adit_frame frame = {.state = ADIT_FRAME_ONLINE,
                               .rtt_us = 12345,
                               .connections = 2,
                               .connections_total = 17,
                               .bytes_in = 512,
                               .bytes_out = 1536 * 1024};
    assert_ok(ADIT_FIELD_SET(frame.url, ADIT_BYTES("https://calm-owl-7.adit.localhost:8443")));
    assert_ok(ADIT_FIELD_SET(frame.target, ADIT_BYTES("127.0.0.1:3000")));
    return frame;
}

static struct adit_http_seen seen_make(const char *method, const char *target, uint16_t status,
                                       uint64_t took_us)
{
    struct adit_http_seen seen = {.status = status, .took_us = took_us};
    assert_ok(ADIT_FIELD_SET(seen.method, adit_bytes_of_text(method)));
    assert_ok(ADIT_FIELD_SET(seen.target, adit_bytes_of_text(target)));
    return seen;
}

/* The frame as text, without colour unless it is asked for. */
static struct adit_bytes text_of(const struct adit_frame *frame, uint16_t columns, uint16_t rows,
                                 bool has_colour)
{
    static uint8_t memory[ADIT_FRAME_BYTES_MAX];
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_frame_shape shape = {0};
    const struct adit_frame_style style = {.size = {.columns = columns, .rows = rows},
                                           .has_colour = has_colour};
    assert_ok(adit_frame_write(&out, frame, &style, &shape));
    struct adit_bytes rest = adit_writer_bytes(&out);
    size_t lines = 0;
    while (rest.len > 0) { /* each line fits */
        size_t end = adit_bytes_find(rest, '\n');
        assert_true(end < rest.len);
        if (!has_colour) {
            assert_int_equal(end, ADIT_AT(shape.widths, lines) + 3u); /* ESC [ K */
        }
        assert_true(ADIT_AT(shape.widths, lines) < (columns < 20 ? 20 : columns));
        lines++;
        rest = adit_bytes_from(rest, end + 1);
    }
    assert_int_equal(lines, shape.line_count);
    assert_true(lines < (rows == 0 ? 1u : rows));
    return adit_writer_bytes(&out);
}

static bool has(struct adit_bytes text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void all_is_shown(void **state)
{
    (void)state;
    struct adit_frame frame = frame_make();
    struct adit_http_seen seen = seen_make("GET", "/echo?x=1", 200, 3400);
    adit_frame_request_add(&frame, &seen);
    assert_bytes(text_of(&frame, 80, 24, false),
                 ADIT_BYTES("Status        online\x1b[K\n"
                            "Address       https://calm-owl-7.adit.localhost:8443\x1b[K\n"
                            "Forwards to   127.0.0.1:3000\x1b[K\n"
                            "Latency       12 ms\x1b[K\n"
                            "Connections   2 now, 17 in all; in 512 B, out 1.5 MiB\x1b[K\n"
                            "\x1b[K\n"
                            "GET      200  3 ms     /echo?x=1\x1b[K\n"));
}

static void states_have_words(void **state)
{
    (void)state;
    struct adit_frame frame = frame_make();
    frame.state = ADIT_FRAME_WAITING;
    frame.wait_s = 3;
    assert_ok(ADIT_FIELD_SET(frame.reason, ADIT_BYTES("nobody is there")));
    assert_true(has(text_of(&frame, 80, 24, false), "reconnecting in 3 s: nobody is there"));
    frame.url.len = 0;
    assert_true(has(text_of(&frame, 80, 24, false), "connecting again in 3 s"));
    assert_false(has(text_of(&frame, 80, 24, false), "Address"));
    frame.state = ADIT_FRAME_ONLINE;
    frame.session_count = 1;
    assert_true(has(text_of(&frame, 80, 24, false), "Status        online\x1b[K"));
    frame.session_count = 2;
    assert_true(has(text_of(&frame, 80, 24, false), "Status        online, 2 sessions\x1b[K"));
    frame.state = ADIT_FRAME_CONNECTING;
    frame.rtt_us = 0;
    assert_true(has(text_of(&frame, 80, 24, false), "Status        connecting\x1b[K"));
    assert_true(has(text_of(&frame, 80, 24, false), "Latency       -\x1b[K"));
    frame.state = ADIT_FRAME_STOPPED;
    assert_true(has(text_of(&frame, 80, 24, false), "stopped"));
}

/* Escapes from a visitor, a server or a program stay letters. */
static void nothing_moves_the_cursor(void **state)
{
    (void)state;
    struct adit_frame frame = frame_make();
    struct adit_http_seen seen =
        seen_make("G\x1b[2J", "/\x1b]0;title\x07\r\n\x9b""31m\xc3\xa9", 404, 1);
    adit_frame_request_add(&frame, &seen);
    assert_ok(ADIT_FIELD_SET(frame.url, ADIT_BYTES("https://x\x1b[31m\n")));
    assert_ok(ADIT_FIELD_SET(frame.note, ADIT_BYTES("from the server: \x1b[H\b\b")));
    struct adit_bytes text = text_of(&frame, 120, 24, false);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        if (byte == 0x1b) {
            struct adit_bytes rest = adit_bytes_from(text, i);
            assert_true(adit_bytes_starts_with(rest, ADIT_BYTES("\x1b[K\n")));
        } else {
            assert_true(byte == '\n' || (byte >= ' ' && byte < 0x7f));
        }
    }
    assert_true(has(text, "\\u001b[31m"));
}

static void lines_are_cut_and_few(void **state)
{
    (void)state;
    static const struct adit_terminal_size sizes[] = {{80, 24}, {20, 24}, {5, 24}, {240, 200},
                                                      {80, 6},  {80, 2},  {80, 1}, {40, 10}};
    struct adit_frame frame = frame_make();
    uint8_t target[ADIT_HTTP_OBSERVE_TARGET_MAX];
    adit_span_fill(ADIT_SPAN_OF(target), 0x01); /* six characters each */
    struct adit_http_seen seen = seen_make("PROPFIND", "/", 500, 99 * (uint64_t)ADIT_SECOND_US);
    assert_ok(ADIT_FIELD_SET(seen.target, ADIT_BYTES_OF(target)));
    for (int i = 0; i < 25; i++) {
        adit_frame_request_add(&frame, &seen);
    }
    assert_ok(ADIT_FIELD_SET(frame.note, ADIT_BYTES_OF(target)));
    for (size_t i = 0; i < ADIT_COUNT(sizes); i++) {
        (void)text_of(&frame, ADIT_AT(sizes, i).columns, ADIT_AT(sizes, i).rows, false);
        (void)text_of(&frame, ADIT_AT(sizes, i).columns, ADIT_AT(sizes, i).rows, true);
    }
    assert_true(has(text_of(&frame, 80, 24, true), "\x1b[31m500\x1b[0m"));
}

static void the_newest_requests_are_kept(void **state)
{
    (void)state;
    struct adit_frame frame = frame_make();
    for (uint16_t i = 0; i < 15; i++) {
        struct adit_http_seen seen = seen_make("GET", "/", (uint16_t)(200 + i), 1);
        adit_frame_request_add(&frame, &seen);
    }
    struct adit_bytes text = text_of(&frame, 80, 24, false);
    assert_true(has(text, " 214 "));
    assert_true(has(text, " 205 "));
    assert_false(has(text, " 204 "));
}

static void a_narrower_terminal_breaks_lines(void **state)
{
    (void)state;
    const struct adit_frame_shape shape = {.line_count = 4, .widths = {0, 10, 40, 79}};
    assert_int_equal(adit_frame_rows(&shape, 80), 4);
    assert_int_equal(adit_frame_rows(&shape, 40), 5);
    assert_int_equal(adit_frame_rows(&shape, 10), 1 + 1 + 4 + 8);
    assert_int_equal(adit_frame_rows(&shape, 0), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_shown),
        cmocka_unit_test(states_have_words),
        cmocka_unit_test(nothing_moves_the_cursor),
        cmocka_unit_test(lines_are_cut_and_few),
        cmocka_unit_test(the_newest_requests_are_kept),
        cmocka_unit_test(a_narrower_terminal_breaks_lines),
    };
    return cmocka_run_group_tests_name("cli/adit/frame", tests, NULL, NULL);
}
