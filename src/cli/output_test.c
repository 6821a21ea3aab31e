#include "cli/output.h"

#include "unit.h"

static void all_is_written_to_a_pipe(void **state)
{
    (void)state;
    int pipes[2] = {-1, -1};
    uint8_t memory[64] = {0};
    assert_int_equal(pipe(pipes), 0);
    assert_ok(adit_output_write(pipes[1], ADIT_BYTES("one line\n")));
    ssize_t got = read(pipes[0], memory, sizeof memory);
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), (size_t)got), ADIT_BYTES("one line\n"));
    close(pipes[0]);
    close(pipes[1]);
    assert_fails(adit_output_write(pipes[1], ADIT_BYTES("x")), SYSTEM);
}

static void a_full_pipe_is_offered_in_vain(void **state)
{
    (void)state;
    int pipes[2] = {-1, -1};
    static uint8_t block[65536];
    bool is_taken = false;
    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    assert_ok(adit_output_offer(pipes[1], ADIT_BYTES("x"), &is_taken));
    assert_true(is_taken);
    while (write(pipes[1], block, sizeof block) > 0) {
    }
    assert_ok(adit_output_offer(pipes[1], ADIT_BYTES("x"), &is_taken));
    assert_false(is_taken);
    signal(SIGPIPE, SIG_IGN);
    close(pipes[0]);
    assert_fails(adit_output_offer(pipes[1], ADIT_BYTES("x"), &is_taken), SYSTEM);
    close(pipes[1]);
}

/* Runs `print` with standard error in a pipe and compares what came. */
static void expect_error(void (*print)(void), struct adit_bytes wanted)
{
    int pipes[2] = {-1, -1};
    uint8_t memory[2048] = {0};
    int saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    print();
    dup2(saved, STDERR_FILENO);
    ssize_t got = read(pipes[0], memory, sizeof memory);
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), (size_t)got), wanted);
    close(pipes[0]);
    close(pipes[1]);
    close(saved);
}

static struct adit_status missing(void)
{
    ADIT_FAIL_WITH(SYSTEM, "the file cannot be opened", ENOENT);
}

static void print_complaint(void)
{
    adit_output_complain(ADIT_BYTES("aditd"), ADIT_BYTES("no"));
}

static void print_failure(void)
{
    adit_output_failure(ADIT_BYTES("aditd"), ADIT_BYTES("/x\n\"y"), missing());
}

static void print_long(void)
{
    static uint8_t text[8192];
    adit_span_fill(ADIT_SPAN_OF(text), 'a');
    adit_output_complain(ADIT_BYTES("aditd"), ADIT_BYTES_OF(text));
}

static void lines_are_whole(void **state)
{
    (void)state;
    expect_error(print_complaint, ADIT_BYTES("aditd: no\n"));
    expect_error(print_failure,
                 ADIT_BYTES("aditd: /x\\u000a\\\"y: the file cannot be opened "
                            "(No such file or directory)\n"));
    expect_error(print_long, ADIT_BYTES("aditd: \n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_written_to_a_pipe),
        cmocka_unit_test(a_full_pipe_is_offered_in_vain),
        cmocka_unit_test(lines_are_whole),
    };
    return cmocka_run_group_tests_name("cli/output", tests, NULL, NULL);
}
