/* Raw: the marks of a raw-memory region, and the checked access that everyone else uses.
 *
 * ADIT_UNSAFE_BEGIN("why") ... ADIT_UNSAFE_END is legal in src/base only; `tools/wall` counts its
 * lines. clang-19 refuses indexing and pointer arithmetic everywhere else. */
#ifndef ADIT_BASE_RAW_H
#define ADIT_BASE_RAW_H

#include <stddef.h>

#include "base/assert.h"

#if defined(__clang__) && __clang_major__ >= 16
#define ADIT_UNSAFE_BEGIN(why) _Pragma("clang unsafe_buffer_usage begin")
#define ADIT_UNSAFE_END _Pragma("clang unsafe_buffer_usage end")
#else
#define ADIT_UNSAFE_BEGIN(why)
#define ADIT_UNSAFE_END
#endif

static inline size_t adit_index_check(size_t index, size_t count)
{
    ADIT_ASSERT(index < count);
    return index;
}

/* A function as tables of libraries hold functions of any type. Nothing of ours calls one. */
#define ADIT_FUNCTION(function) ((void (*)(void))(function))

/* The number of elements of a real array; a pointer does not compile. */
#define ADIT_COUNT(array)                                                                       \
    (sizeof(array) / sizeof(*(array)) +                                                         \
     0 * sizeof(struct {                                                                        \
         _Static_assert(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&*(array))),\
                        "ADIT_COUNT needs an array");                                           \
         int adit_unused;                                                                       \
     }))

/* Element `index` of a real array, checked. No check where the compiler sees the range. */
#define ADIT_AT(array, index) ADIT_SLOT(array, ADIT_COUNT(array), index)

/* Element `index` of `count` elements behind a pointer, checked. The arguments are evaluated once
 * and outside the raw region, so what a caller writes there stays under the compiler's eye; the
 * numbered names let one use stand inside another. */
#define ADIT_SLOT(pointer, count, index)                                                        \
    ADIT_SLOT_NAMED(pointer, count, index, ADIT_JOIN(adit_first_, __COUNTER__),                 \
                    ADIT_JOIN(adit_index_, __COUNTER__))

#define ADIT_SLOT_NAMED(pointer, count, index, adit_first, adit_index)                          \
    (*__extension__({                                                                           \
        __typeof__(&*(pointer)) adit_first = (pointer);                                         \
        size_t adit_index = adit_index_check((size_t)(index), (count));                         \
        ADIT_UNSAFE_BEGIN("the index is checked") &adit_first[adit_index];                      \
        ADIT_UNSAFE_END                                                                         \
    }))

#define ADIT_JOIN(a, b) ADIT_JOIN_EXPANDED(a, b)
#define ADIT_JOIN_EXPANDED(a, b) a##b

#endif
