/* Memory: the only door to the allocator. Everything outside src/base gets memory from a pool,
 * a queue's chunks or a table, which get it here. Sizes are checked for overflow; memory is
 * zeroed. */
#ifndef ADIT_BASE_MEMORY_H
#define ADIT_BASE_MEMORY_H

#include "base/bytes.h"

#define ADIT_MEMORY_LARGE_BYTES (64 * 1024)

/* Zeroed memory for `count` objects of `size` bytes. Large blocks come from the kernel untouched,
 * so capacity that is never used costs no memory. MEMORY where there is none. */
struct adit_status adit_memory_open(size_t count, size_t size, struct adit_span *out_memory);

/* Object `index` of memory that was opened for objects of `size` bytes; it must be inside
 * (asserted). The way from a span to objects: a view of foreign bytes never becomes one. */
static inline void *adit_memory_at(struct adit_span memory, size_t size, size_t index)
{
    ADIT_ASSERT(size > 0 && index < memory.len / size);
    return adit_span_from(memory, index * size).ptr;
}

/* Gives it back and empties the view. An empty view is fine. */
void adit_memory_close(struct adit_span *memory);

/* First in main, where memory is to stay small: blocks of ADIT_MEMORY_LARGE_BYTES come from the
 * kernel always. Otherwise libc takes them from what was used before, once one was given back. */
void adit_memory_settle(void);

/* What was freed since goes back to the kernel: after a start that took much for a moment. */
void adit_memory_trim(void);

/* After a start that touched much once, in a process that stays: trims, and pages of program and
 * libraries that cannot be written to leave this process. Each comes back from the kernel's cache
 * at its next touch, for a microsecond. Needs madvise, where a sandbox is closed. */
void adit_memory_rest(void);

#endif
