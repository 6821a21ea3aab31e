#include "base/memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/checked.h"

struct adit_status adit_memory_open(size_t count, size_t size, struct adit_span *out_memory)
{
    size_t total = 0;
    ADIT_ENSURE(adit_multiply_size(count, size, &total) && total > 0, INVALID,
                "memory of no or too large size");
    void *memory = calloc(count, size);
    ADIT_ENSURE(memory, MEMORY, "no memory");
    *out_memory = (struct adit_span){.ptr = memory, .len = total};
    return adit_ok();
}

void *adit_memory_at(struct adit_span memory, size_t size, size_t index)
{
    ADIT_ASSERT(size > 0 && index < memory.len / size);
    return adit_span_from(memory, index * size).ptr;
}

void adit_memory_close(struct adit_span *memory)
{
    free(memory->ptr);
    *memory = (struct adit_span){0};
}

void adit_memory_settle(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, ADIT_MEMORY_LARGE_BYTES);
}

void adit_memory_trim(void)
{
    (void)malloc_trim(0);
}
