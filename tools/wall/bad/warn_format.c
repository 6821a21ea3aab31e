/* wall: compiler as=src/base/sample.c expect=format
 * A format that is not a constant. */
#include <stdio.h>
int adit_sample(const char *text);
int adit_sample(const char *text)
{
    return printf(text);
}
