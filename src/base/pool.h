/* Pool: objects of one size, a fixed number of them, named by {index, generation} handles.
 *
 * A handle is looked up at each use; once its object is released it is stale and the lookup says
 * so, so there is no use after free. Handle {0} is never valid. Memory is taken once, at init, and
 * the kernel backs it as it is first touched. Objects are zeroed when acquired.
 *
 * Process: one thread. Limit: `capacity`, given at init. */
#ifndef ADIT_BASE_POOL_H
#define ADIT_BASE_POOL_H

#include "base/bytes.h"

struct adit_handle {
    uint32_t index;
    uint32_t generation; /* odd while the object lives; 0 in the handle that names nothing */
};

struct adit_pool_note {
    uint32_t generation; /* odd while the object lives */
    uint32_t free_next;  /* index + 1 of the next released object; 0: none */
};

struct adit_pool {
    struct adit_span objects;
    struct adit_pool_note *notes; /* one an object */
    size_t object_size;     /* bytes, rounded up to 8 */
    uint32_t capacity;
    uint32_t used;
    uint32_t fresh;     /* objects from here on were never used */
    uint32_t free_head; /* index + 1 of the last released object; 0: none */
};

struct adit_status adit_pool_init(struct adit_pool *pool, size_t object_size, uint32_t capacity);

/* Objects still held are gone too. */
void adit_pool_deinit(struct adit_pool *pool);

/* A zeroed object. FULL where all are in use. */
struct adit_status adit_pool_acquire(struct adit_pool *pool, struct adit_handle *out_handle,
                                     void **out_object);

/* The object, or null where the handle is stale. Valid until release or deinit. */
static inline void *adit_pool_get(const struct adit_pool *pool, struct adit_handle handle)
{
    if (handle.index >= pool->fresh || (handle.generation & 1) == 0 ||
        ADIT_SLOT(pool->notes, pool->capacity, handle.index).generation != handle.generation) {
        return NULL;
    }
    return adit_span_from(pool->objects, (size_t)handle.index * pool->object_size).ptr;
}

/* The object at `index`, for who keeps indices of objects that are sure to live: it is one that was
 * used at some time (asserted), and not looked at further. */
static inline void *adit_pool_at(const struct adit_pool *pool, uint32_t index)
{
    ADIT_ASSERT(index < pool->fresh);
    return adit_span_from(pool->objects, (size_t)index * pool->object_size).ptr;
}

/* STALE where the handle is. */
struct adit_status adit_pool_release(struct adit_pool *pool, struct adit_handle handle);

/* Walks the living objects: start with *cursor = 0; false at the end. Objects may be released on
 * the way; ones acquired on the way may or may not be seen. */
bool adit_pool_next(const struct adit_pool *pool, uint32_t *cursor, struct adit_handle *out_handle);

static inline bool adit_handle_equal(struct adit_handle a, struct adit_handle b)
{
    return a.index == b.index && a.generation == b.generation;
}

static inline bool adit_handle_is_set(struct adit_handle handle)
{
    return handle.generation != 0;
}

/* A handle as one number, for epoll data and tables, and back. */
static inline uint64_t adit_handle_pack(struct adit_handle handle)
{
    return (uint64_t)handle.generation << 32 | handle.index;
}

static inline struct adit_handle adit_handle_unpack(uint64_t packed)
{
    return (struct adit_handle){.index = (uint32_t)packed, .generation = (uint32_t)(packed >> 32)};
}

#endif
