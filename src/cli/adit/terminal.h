/* Terminal: whether there is one to draw on, and how large it is. */
#ifndef ADIT_CLI_ADIT_TERMINAL_H
#define ADIT_CLI_ADIT_TERMINAL_H

#include "base/base.h"

#define ADIT_TERMINAL_COLUMNS_MAX 240 /* wider ones are used up to here */
#define ADIT_TERMINAL_ROWS_MAX 200

struct adit_terminal_size {
    uint16_t columns, rows;
};

/* May the cursor be moved there? `term` is TERM, or null: "dumb" and nothing cannot. A program in
 * the background of its shell may not. */
bool adit_terminal_is_movable(int fd, const char *term);

/* 80 by 24 where the terminal does not know. */
struct adit_terminal_size adit_terminal_size_get(int fd);

#endif
