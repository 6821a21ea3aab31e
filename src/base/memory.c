#include "base/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* Whole pages of the segments that cannot be written to: what is shared with a segment that can
 * (its first or last page) stays, and so does everything that the loader relocated. */
static int forget_object(struct dl_phdr_info *info, size_t size, void *context)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)context;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        ADIT_UNSAFE_BEGIN("dlpi_phnum headers, as dl_iterate_phdr promises")
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + header->p_vaddr + page - 1;
        uintptr_t end = info->dlpi_addr + header->p_vaddr + header->p_filesz;
        begin -= begin % page;
        end -= end % page;
        if (header->p_type == PT_LOAD && (header->p_flags & PF_W) == 0 && begin < end) {
            /* Where it fails the pages merely stay. */
            (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
        }
        ADIT_UNSAFE_END
    }
    return 0;
}

void adit_memory_rest(void)
{
    adit_memory_trim();
    (void)dl_iterate_phdr(forget_object, NULL);
}
