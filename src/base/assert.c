#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LAST_WORDS_MAX 512

/* Formats on the stack and writes once: dprintf would also look at the descriptor and its position,
 * for which a sandbox ends the process before anything is said. */
void adit_assert_failed(const char *condition, const char *file, int line)
{
    char text[LAST_WORDS_MAX] = {0};
    int len = snprintf(text, sizeof text, "adit: broken rule: %s (%s:%d); please report this\n",
                       condition, file, line);
    size_t size = len > 0 && (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    if (write(STDERR_FILENO, text, size) < 0) {
        abort(); /* nobody hears; the end is the same */
    }
    abort();
}
