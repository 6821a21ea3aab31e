#include "base/pool.h"

#include <string.h>

#include "base/memory.h"

#ifdef __SANITIZE_ADDRESS__
#define ADIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADIT_ASAN 1
#endif
#endif
#ifdef ADIT_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

static struct adit_pool_note *note_at(const struct adit_pool *pool, uint32_t index)
{
    return &ADIT_SLOT(pool->notes, pool->capacity, index);
}

static void *object_at(const struct adit_pool *pool, uint32_t index)
{
    return adit_span_from(pool->objects, (size_t)index * pool->object_size).ptr;
}

struct adit_status adit_pool_init(struct adit_pool *pool, size_t object_size, uint32_t capacity)
{
    ADIT_ENSURE(object_size > 0 && object_size <= 1 << 20, INVALID, "pool of odd object size");
    ADIT_ENSURE(capacity > 0 && capacity < UINT32_MAX, INVALID, "pool of odd capacity");
    size_t rounded = (object_size + 7) & ~(size_t)7; /* nothing of ours is aligned to more */
    struct adit_span objects = {0};
    struct adit_span notes = {0};
    ADIT_TRY(adit_memory_open(capacity, rounded, &objects));
    struct adit_status status = adit_memory_open(capacity, sizeof(struct adit_pool_note), &notes);
    if (!adit_is_ok(status)) {
        adit_memory_close(&objects);
        return status;
    }
    ASAN_POISON_MEMORY_REGION(objects.ptr, objects.len); /* until they are acquired */
    *pool = (struct adit_pool){.objects = objects,
                               .notes = (void *)notes.ptr,
                               .object_size = rounded,
                               .capacity = capacity};
    return adit_ok();
}

void adit_pool_deinit(struct adit_pool *pool)
{
    ASAN_UNPOISON_MEMORY_REGION(pool->objects.ptr, pool->objects.len);
    adit_memory_close(&pool->objects);
    struct adit_span notes = {.ptr = (void *)pool->notes};
    adit_memory_close(&notes);
    *pool = (struct adit_pool){0};
}

struct adit_status adit_pool_acquire(struct adit_pool *pool, struct adit_handle *out_handle,
                                     void **out_object)
{
    uint32_t index = pool->fresh;
    if (pool->free_head > 0) {
        index = pool->free_head - 1;
        pool->free_head = note_at(pool, index)->free_next;
    } else {
        ADIT_ENSURE(pool->fresh < pool->capacity, FULL, "every object of the pool is in use");
        pool->fresh++;
    }
    struct adit_pool_note *note = note_at(pool, index);
    note->generation++;
    note->free_next = 0;
    pool->used++;
    void *object = object_at(pool, index);
    ASAN_UNPOISON_MEMORY_REGION(object, pool->object_size);
    memset(object, 0, pool->object_size);
    *out_handle = (struct adit_handle){.index = index, .generation = note->generation};
    *out_object = object;
    return adit_ok();
}

struct adit_status adit_pool_release(struct adit_pool *pool, struct adit_handle handle)
{
    void *object = adit_pool_get(pool, handle);
    ADIT_ENSURE(object, STALE, "released twice");
    struct adit_pool_note *note = note_at(pool, handle.index);
    note->generation++; /* after 2^31 lives a handle could come back; the index is retired first */
    pool->used--;
    if (note->generation < UINT32_MAX - 1) {
        note->free_next = pool->free_head;
        pool->free_head = handle.index + 1;
    }
    ASAN_POISON_MEMORY_REGION(object, pool->object_size);
    return adit_ok();
}

bool adit_pool_next(const struct adit_pool *pool, uint32_t *cursor, struct adit_handle *out_handle)
{
    while (*cursor < pool->fresh) {
        uint32_t index = *cursor;
        *cursor = index + 1;
        uint32_t generation = note_at(pool, index)->generation;
        if ((generation & 1) == 1) {
            *out_handle = (struct adit_handle){.index = index, .generation = generation};
            return true;
        }
    }
    return false;
}
