/* wall: system-include as=src/wire/sample.c expect=stdio.h
 * A system header that the prelude does not show. */
#include <stdio.h>
