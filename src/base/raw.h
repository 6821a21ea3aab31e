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

/* The number of elements of a real array; a pointer does not compile. */
#define ADIT_COUNT(array)                                                                       \
    (sizeof(array) / sizeof(*(array)) +                                                         \
     0 * sizeof(struct {                                                                        \
         _Static_assert(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&*(array))),\
                        "ADIT_COUNT needs an array");                                           \
         int adit_unused;                                                                       \
     }))

/* Element `index` of a real array, checked. The check vanishes where the compiler sees the range. */
#define ADIT_AT(array, index) ADIT_SLOT(array, ADIT_COUNT(array), index)

/* Element `index` of `count` elements behind a pointer, checked. */
#define ADIT_SLOT(pointer, count, index)                                                        \
    (*(ADIT_UNSAFE_BEGIN("the index is checked") &                                              \
       (pointer)[adit_index_check((size_t)(index), (count))] ADIT_UNSAFE_END))

#endif
