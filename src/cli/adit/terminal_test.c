#include "cli/adit/terminal.h"

#include <fcntl.h>

#include "unit.h"

static void a_file_is_none(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDWR);
    assert_true(fd >= 0);
    assert_false(adit_terminal_is_movable(fd, "xterm"));
    assert_int_equal(adit_terminal_size_get(fd).columns, 80);
    assert_int_equal(adit_terminal_size_get(fd).rows, 24);
    close(fd);
}

static void a_terminal_has_a_size(void **state)
{
    (void)state;
    static const struct {
        unsigned short columns, rows;
        uint16_t columns_got, rows_got;
    } rows[] = {{100, 30, 100, 30}, {0, 0, 80, 24}, {1000, 1000, 240, 200}, {1, 1, 1, 1}};
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct winsize size = {.ws_col = ADIT_AT(rows, i).columns,
                                     .ws_row = ADIT_AT(rows, i).rows};
        assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
        assert_int_equal(adit_terminal_size_get(fd).columns, ADIT_AT(rows, i).columns_got);
        assert_int_equal(adit_terminal_size_get(fd).rows, ADIT_AT(rows, i).rows_got);
    }
    assert_true(adit_terminal_is_movable(fd, "xterm-256color"));
    assert_false(adit_terminal_is_movable(fd, "dumb"));
    assert_false(adit_terminal_is_movable(fd, ""));
    assert_false(adit_terminal_is_movable(fd, NULL));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_none),
        cmocka_unit_test(a_terminal_has_a_size),
    };
    return cmocka_run_group_tests_name("cli/adit/terminal", tests, NULL, NULL);
}
