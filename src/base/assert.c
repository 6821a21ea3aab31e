#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void adit_assert_failed(const char *condition, const char *file, int line)
{
    (void)dprintf(2, "adit: broken rule: %s (%s:%d); please report this\n", condition, file, line);
    abort();
}
