#include "cli/adit/terminal.h"

bool adit_terminal_is_movable(int fd, const char *term)
{
    struct adit_bytes kind = adit_bytes_of_text(term);
    pid_t owner = tcgetpgrp(fd); /* none, or a failure: it is not the terminal of a shell */
    return kind.len > 0 && !adit_bytes_equal(kind, ADIT_BYTES("dumb")) && isatty(fd) == 1 &&
           (owner <= 0 || owner == getpgrp());
}

static uint16_t within(unsigned value, unsigned otherwise, unsigned max)
{
    value = value == 0 ? otherwise : value;
    return (uint16_t)(value < max ? value : max);
}

struct adit_terminal_size adit_terminal_size_get(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0) {
        size = (struct winsize){0};
    }
    return (struct adit_terminal_size){
        .columns = within(size.ws_col, 80, ADIT_TERMINAL_COLUMNS_MAX),
        .rows = within(size.ws_row, 24, ADIT_TERMINAL_ROWS_MAX),
    };
}
