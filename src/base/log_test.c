#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/writer.h"
#include "unit.h"

struct sink {
    int ends[2];
    struct adit_log log;
    uint8_t memory[8192];
};

static void sink_open(struct sink *sink, enum adit_log_format format)
{
    assert_int_equal(pipe2(sink->ends, O_NONBLOCK | O_CLOEXEC), 0);
    adit_log_init(&sink->log, ADIT_AT(sink->ends, 1), format, ADIT_BYTES("door"));
}

static void sink_close(struct sink *sink)
{
    close(ADIT_AT(sink->ends, 0));
    close(ADIT_AT(sink->ends, 1));
}

/* What has been logged since the last call. */
static struct adit_bytes sink_take(struct sink *sink)
{
    ssize_t got = read(ADIT_AT(sink->ends, 0), sink->memory, sizeof sink->memory);
    return adit_bytes_first(ADIT_BYTES_OF(sink->memory), got > 0 ? (size_t)got : 0);
}

/* The line after its time, which is checked for its form. */
static struct adit_bytes after_time(struct adit_bytes line, struct adit_bytes before)
{
    static const uint8_t form[] = "0000-00-00T00:00:00.000Z";
    assert_true(adit_bytes_starts_with(line, before));
    line = adit_bytes_from(line, before.len);
    for (size_t i = 0; i < sizeof form - 1; i++) {
        uint8_t byte = adit_bytes_at(line, i);
        uint8_t want = ADIT_AT(form, i);
        assert_true(want == '0' ? byte >= '0' && byte <= '9' : byte == want);
    }
    return adit_bytes_from(line, sizeof form - 1);
}

static void one_event_is_one_line(void **state)
{
    (void)state;
    struct sink sink = {0};
    sink_open(&sink, ADIT_LOG_TEXT);
    ADIT_LOG(&sink.log, INFO, "start");
    assert_bytes(after_time(sink_take(&sink), ADIT_BYTES("time=")),
                 ADIT_BYTES(" level=info role=door event=start\n"));
    ADIT_LOG(&sink.log, WARN, "two words", adit_log_number(ADIT_BYTES("n"), UINT64_MAX),
             adit_log_text(ADIT_BYTES("name"), ADIT_BYTES("bare")),
             adit_log_text(ADIT_BYTES("none"), ADIT_BYTES("")));
    assert_bytes(after_time(sink_take(&sink), ADIT_BYTES("time=")),
                 ADIT_BYTES(" level=warn role=door event=\"two words\" n=18446744073709551615"
                            " name=bare none=\"\"\n"));
    sink_close(&sink);
    sink_open(&sink, ADIT_LOG_JSON);
    ADIT_LOG(&sink.log, ERROR, "stop", adit_log_number(ADIT_BYTES("n"), 0),
             adit_log_text(ADIT_BYTES("name"), ADIT_BYTES("a b")));
    assert_bytes(after_time(sink_take(&sink), ADIT_BYTES("{\"time\":\"")),
                 ADIT_BYTES("\",\"level\":\"error\",\"role\":\"door\",\"event\":\"stop\",\"n\":0,"
                            "\"name\":\"a b\"}\n"));
    sink_close(&sink);
}

static void a_stranger_cannot_break_a_line(void **state)
{
    (void)state;
    struct sink sink = {0};
    const struct adit_log_field hostile =
        adit_log_text(ADIT_BYTES("sni"), ADIT_BYTES("a\nlevel=error x=\"\x1b[2J\\"));
    sink_open(&sink, ADIT_LOG_TEXT);
    adit_log_event(&sink.log, ADIT_LOG_INFO, ADIT_BYTES("peek"), &hostile, 1);
    assert_true(adit_bytes_ends_with(
        sink_take(&sink),
        ADIT_BYTES(" event=peek sni=\"a\\u000alevel=error x=\\\"\\u001b[2J\\\\\"\n")));
    sink_close(&sink);
    sink_open(&sink, ADIT_LOG_JSON);
    adit_log_event(&sink.log, ADIT_LOG_INFO, ADIT_BYTES("peek"), &hostile, 1);
    assert_true(adit_bytes_ends_with(
        sink_take(&sink), ADIT_BYTES("\"sni\":\"a\\u000alevel=error x=\\\"\\u001b[2J\\\\\"}\n")));
    sink_close(&sink);
}

static void levels_below_the_least_are_silent(void **state)
{
    (void)state;
    struct sink sink = {0};
    sink_open(&sink, ADIT_LOG_TEXT);
    ADIT_LOG(&sink.log, DEBUG, "detail");
    assert_int_equal(sink_take(&sink).len, 0);
    sink.log.level_min = ADIT_LOG_DEBUG;
    ADIT_LOG(&sink.log, DEBUG, "detail");
    assert_true(sink_take(&sink).len > 0);
    sink.log.level_min = ADIT_LOG_ERROR;
    ADIT_LOG(&sink.log, WARN, "detail");
    assert_int_equal(sink_take(&sink).len, 0);
    sink_close(&sink);
}

/* Ten values of 256 bytes that each need six: the line ends early, yet it ends well. */
static void long_values_are_cut_and_long_lines_end_early(void **state)
{
    (void)state;
    struct sink sink = {0};
    uint8_t noise[400] = {0};
    struct adit_log_field fields[10] = {0};
    for (size_t i = 0; i < ADIT_COUNT(fields); i++) {
        ADIT_AT(fields, i) = adit_log_text(ADIT_BYTES("noise"), ADIT_BYTES_OF(noise));
    }
    sink_open(&sink, ADIT_LOG_JSON);
    adit_log_event(&sink.log, ADIT_LOG_INFO, ADIT_BYTES("e"), fields, ADIT_COUNT(fields));
    struct adit_bytes line = sink_take(&sink);
    assert_true(line.len > 6 * ADIT_LOG_VALUE_MAX && line.len <= ADIT_LOG_LINE_MAX);
    assert_true(adit_bytes_ends_with(line, ADIT_BYTES("\\u0000\"}\n")));
    assert_int_equal(adit_bytes_find(line, '\n'), line.len - 1);
    sink_close(&sink);
}

static void a_full_pipe_drops_and_counts(void **state)
{
    (void)state;
    struct sink sink = {0};
    sink_open(&sink, ADIT_LOG_TEXT);
    while (write(ADIT_AT(sink.ends, 1), "x", 1) == 1) {
    }
    ADIT_LOG(&sink.log, INFO, "lost");
    ADIT_LOG(&sink.log, INFO, "lost");
    assert_int_equal(sink.log.dropped, 2);
    while (sink_take(&sink).len > 0) {
    }
    ADIT_LOG(&sink.log, INFO, "again");
    assert_true(
        adit_bytes_ends_with(sink_take(&sink), ADIT_BYTES(" event=again lines_dropped=2\n")));
    ADIT_LOG(&sink.log, INFO, "again");
    assert_true(adit_bytes_ends_with(sink_take(&sink), ADIT_BYTES(" event=again\n")));
    sink_close(&sink);
    ADIT_LOG(&sink.log, INFO, "closed"); /* a bad descriptor is no different */
    assert_int_equal(sink.log.dropped, 3);
}

static struct adit_status fails(void)
{
    ADIT_FAIL_WITH(SYSTEM, "the kernel said no", 13);
}

static void failures_are_told_in_fields(void **state)
{
    (void)state;
    struct sink sink = {0};
    sink_open(&sink, ADIT_LOG_TEXT);
    adit_log_failure(&sink.log, ADIT_LOG_ERROR, ADIT_BYTES("open"), adit_ok());
    assert_int_equal(sink_take(&sink).len, 0);
    adit_log_failure(&sink.log, ADIT_LOG_ERROR, ADIT_BYTES("open"), fails());
    struct adit_bytes line = after_time(sink_take(&sink), ADIT_BYTES("time="));
    assert_true(adit_bytes_starts_with(
        line, ADIT_BYTES(" level=error role=door event=open error=system"
                         " what=\"the kernel said no\" file=")));
    assert_true(adit_bytes_ends_with(line, ADIT_BYTES(" detail=13\n")));
    sink_close(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event_is_one_line),
        cmocka_unit_test(a_stranger_cannot_break_a_line),
        cmocka_unit_test(levels_below_the_least_are_silent),
        cmocka_unit_test(long_values_are_cut_and_long_lines_end_early),
        cmocka_unit_test(a_full_pipe_drops_and_counts),
        cmocka_unit_test(failures_are_told_in_fields),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
