/* Assert: the one way to die. For rules of our own code only: no byte from outside may ever
 * trigger one; a fuzzer that reaches one has found a bug. */
#ifndef ADIT_BASE_ASSERT_H
#define ADIT_BASE_ASSERT_H

#define ADIT_ASSERT(condition)                                                                  \
    do {                                                                                        \
        if (__builtin_expect(!(condition), 0)) {                                                \
            adit_assert_failed(#condition, __FILE__, __LINE__);                                 \
        }                                                                                       \
    } while (0)

_Noreturn void adit_assert_failed(const char *condition, const char *file, int line);

#endif
