/* Calloc fails: makes the n-th allocation of base fail. For tests that link with
 * -Wl,--wrap=calloc (`calloc_wrap` in src/base/meson.build). */
#ifndef ADIT_TESTS_CALLOC_FAILS_H
#define ADIT_TESTS_CALLOC_FAILS_H

#include <stddef.h>

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static size_t calloc_failures_after = (size_t)-1; /* so many succeed, then all fail */

void *__wrap_calloc(size_t count, size_t size)
{
    if (calloc_failures_after == 0) {
        return NULL;
    }
    if (calloc_failures_after != (size_t)-1) {
        calloc_failures_after--;
    }
    return __real_calloc(count, size);
}

static inline void calloc_fails_after(size_t count)
{
    calloc_failures_after = count;
}

static inline void calloc_works(void)
{
    calloc_failures_after = (size_t)-1;
}

#endif
