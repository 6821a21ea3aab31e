#include "edge/supervisor/drain.h"

#include "unit.h"

struct ends {
    struct adit_loop loop;
    struct adit_drain drain;
    int writer;   /* the role's end */
    int target, target_end; /* a pipe that stands for standard error: what comes, what goes in */
};

static void ends_open(struct ends *ends)
{
    int pipes[2] = {-1, -1};
    *ends = (struct ends){.writer = -1};
    assert_ok(adit_loop_open(&ends->loop, 4, 4));
    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    ends->target = pipes[0];
    ends->target_end = pipes[1];
    assert_ok(adit_drain_open(&ends->drain, &ends->loop, ends->target_end, &ends->writer));
}

static void ends_close(struct ends *ends)
{
    adit_drain_close(&ends->drain);
    adit_drain_close(&ends->drain); /* twice is fine */
    if (ends->writer >= 0) {
        close(ends->writer);
    }
    close(ends->target);
    close(ends->target_end);
    adit_loop_close(&ends->loop);
}

static void say(struct ends *ends, struct adit_bytes bytes)
{
    assert_int_equal(write(ends->writer, bytes.ptr, bytes.len), bytes.len);
    assert_ok(adit_loop_turn(&ends->loop, 0));
}

static void expect(struct ends *ends, struct adit_bytes wanted)
{
    static uint8_t memory[8192];
    ssize_t got = read(ends->target, memory, sizeof memory);
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), got > 0 ? (size_t)got : 0), wanted);
}

static void lines_come_whole(void **state)
{
    (void)state;
    struct ends ends = {0};
    ends_open(&ends);
    say(&ends, ADIT_BYTES("one\ntwo"));
    expect(&ends, ADIT_BYTES("one\n"));
    say(&ends, ADIT_BYTES("-more\n"));
    expect(&ends, ADIT_BYTES("two-more\n"));
    say(&ends, ADIT_BYTES("last words"));
    expect(&ends, ADIT_BYTES(""));
    adit_drain_close(&ends.drain);
    expect(&ends, ADIT_BYTES("last words"));
    ends_close(&ends);
}

static void a_line_without_end_is_passed_on(void **state)
{
    (void)state;
    struct ends ends = {0};
    static uint8_t text[ADIT_DRAIN_BYTES];
    adit_span_fill(ADIT_SPAN_OF(text), 'x');
    ends_open(&ends);
    say(&ends, ADIT_BYTES_OF(text));
    expect(&ends, ADIT_BYTES_OF(text));
    ends_close(&ends);
}

static void what_finds_no_room_is_dropped_and_counted(void **state)
{
    (void)state;
    struct ends ends = {0};
    static uint8_t page[ADIT_DRAIN_BYTES];
    adit_span_fill(ADIT_SPAN_OF(page), '\n');
    ends_open(&ends);
    for (size_t i = 0; i < 64; i++) { /* the target holds 64 KiB */
        say(&ends, ADIT_BYTES_OF(page));
    }
    assert_true(ends.drain.dropped >= 40 * sizeof page);
    assert_true(ends.drain.dropped <= 64 * sizeof page);
    ends_close(&ends);
}

static void the_end_of_the_writer_is_quiet(void **state)
{
    (void)state;
    struct ends ends = {0};
    ends_open(&ends);
    say(&ends, ADIT_BYTES("bye\n"));
    close(ends.writer);
    ends.writer = -1;
    uint64_t before = ends.loop.events_total;
    for (size_t i = 0; i < 10; i++) {
        assert_ok(adit_loop_turn(&ends.loop, 0));
    }
    assert_true(ends.loop.events_total - before <= 1); /* it does not spin */
    expect(&ends, ADIT_BYTES("bye\n"));
    ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole),
        cmocka_unit_test(a_line_without_end_is_passed_on),
        cmocka_unit_test(what_finds_no_room_is_dropped_and_counted),
        cmocka_unit_test(the_end_of_the_writer_is_quiet),
    };
    return cmocka_run_group_tests_name("supervisor/drain", tests, NULL, NULL);
}
