#include "base/queue.h"

#include "base/checked.h"
#include "base/memory.h"

struct adit_chunk {
    struct adit_chunk *next;
    uint32_t start; /* first byte that is still queued */
    uint32_t end;   /* one past the last */
    uint8_t bytes[ADIT_CHUNK_BYTES];
};

void adit_chunk_pool_init(struct adit_chunk_pool *pool, uint32_t chunks_max, uint32_t free_max)
{
    *pool = (struct adit_chunk_pool){.chunks_max = chunks_max, .free_max = free_max};
}

static void chunk_close(struct adit_chunk *chunk)
{
    struct adit_span memory = {.ptr = (uint8_t *)chunk, .len = sizeof(*chunk)};
    adit_memory_close(&memory);
}

/* Gives warm chunks back until `count` are left. */
static void free_shrink(struct adit_chunk_pool *pool, uint32_t count)
{
    while (pool->free_count > count) {
        struct adit_chunk *chunk = pool->free_head;
        pool->free_head = chunk->next;
        pool->free_count--;
        chunk_close(chunk);
    }
}

void adit_chunk_pool_deinit(struct adit_chunk_pool *pool)
{
    ADIT_ASSERT(pool->used == 0);
    free_shrink(pool, 0);
}

void adit_chunk_pool_settle(struct adit_chunk_pool *pool)
{
    uint32_t beside = pool->used_most - pool->used;
    free_shrink(pool, beside > pool->free_max ? beside : pool->free_max);
    pool->used_most = pool->used;
}

static struct adit_status chunk_acquire(struct adit_chunk_pool *pool, struct adit_chunk **out_chunk)
{
    ADIT_ENSURE(pool->used < pool->chunks_max, FULL, "the chunk pool is at its limit");
    struct adit_chunk *chunk = pool->free_head;
    if (chunk) {
        pool->free_head = chunk->next;
        pool->free_count--;
    } else {
        struct adit_span memory = {0};
        ADIT_TRY(adit_memory_open(1, sizeof(*chunk), &memory));
        chunk = (void *)memory.ptr;
    }
    chunk->next = NULL;
    chunk->start = 0;
    chunk->end = 0;
    pool->used++;
    pool->used_most = pool->used > pool->used_most ? pool->used : pool->used_most;
    *out_chunk = chunk;
    return adit_ok();
}

static void chunk_release(struct adit_chunk_pool *pool, struct adit_chunk *chunk)
{
    pool->used--;
    if (pool->free_count >= pool->free_max && pool->used + pool->free_count >= pool->used_most) {
        chunk_close(chunk);
        return;
    }
    chunk->next = pool->free_head;
    pool->free_head = chunk;
    pool->free_count++;
}

static size_t chunk_room(const struct adit_chunk *chunk)
{
    return ADIT_CHUNK_BYTES - chunk->end;
}

static struct adit_bytes chunk_bytes(const struct adit_chunk *chunk)
{
    return adit_bytes_from(adit_bytes_first(ADIT_BYTES_OF(chunk->bytes), chunk->end), chunk->start);
}

void adit_queue_init(struct adit_queue *queue, size_t bytes_max)
{
    ADIT_ASSERT(bytes_max <= UINT32_MAX);
    *queue = (struct adit_queue){.bytes_max = (uint32_t)bytes_max};
}

/* Releases a chunk and all after it. */
static void chunks_release(struct adit_chunk_pool *pool, struct adit_chunk *chunk)
{
    while (chunk) {
        struct adit_chunk *next = chunk->next;
        chunk_release(pool, chunk);
        chunk = next;
    }
}

void adit_queue_reset(struct adit_queue *queue, struct adit_chunk_pool *pool)
{
    chunks_release(pool, queue->head);
    chunks_release(pool, queue->spare);
    adit_queue_init(queue, queue->bytes_max);
}

static void queue_append(struct adit_queue *queue, struct adit_chunk *chunk)
{
    if (queue->tail) {
        queue->tail->next = chunk;
    } else {
        queue->head = chunk;
    }
    queue->tail = chunk;
}

struct adit_status adit_queue_reserve(struct adit_queue *queue, struct adit_chunk_pool *pool,
                                      size_t want, struct adit_span *out_hole)
{
    size_t room = adit_queue_room(queue);
    ADIT_ENSURE(room > 0, FULL, "the queue is at its limit");
    size_t need = adit_max_size(1, adit_min_size(adit_min_size(want, room), ADIT_CHUNK_BYTES));
    struct adit_chunk *chunk = queue->spare ? queue->spare : queue->tail;
    if (!chunk || chunk_room(chunk) < need) {
        ADIT_TRY(chunk_acquire(pool, &chunk));
        queue->spare = chunk;
    }
    *out_hole = adit_span_first(adit_span_from(ADIT_SPAN_OF(chunk->bytes), chunk->end), room);
    return adit_ok();
}

void adit_queue_commit(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t count)
{
    struct adit_chunk *spare = queue->spare;
    struct adit_chunk *chunk = spare ? spare : queue->tail;
    ADIT_ASSERT(chunk && count <= chunk_room(chunk) && count <= adit_queue_room(queue));
    queue->spare = NULL;
    chunk->end += (uint32_t)count;
    queue->len += (uint32_t)count;
    if (spare && count > 0) {
        queue_append(queue, spare);
    } else if (spare) {
        chunk_release(pool, spare);
    }
}

/* `count` empty chunks in a list, or nothing. */
static struct adit_status chunks_acquire(struct adit_chunk_pool *pool, size_t count,
                                         struct adit_chunk **out_list)
{
    struct adit_chunk *list = NULL;
    for (size_t i = 0; i < count; i++) {
        struct adit_chunk *chunk = NULL;
        struct adit_status status = chunk_acquire(pool, &chunk);
        if (!adit_is_ok(status)) {
            chunks_release(pool, list);
            return status;
        }
        chunk->next = list;
        list = chunk;
    }
    *out_list = list;
    return adit_ok();
}

/* Moves the front of `bytes` into what is left of the chunk. */
static inline struct adit_bytes chunk_fill(struct adit_chunk *chunk, struct adit_bytes bytes)
{
    struct adit_span hole = adit_span_from(ADIT_SPAN_OF(chunk->bytes), chunk->end);
    struct adit_bytes part = adit_bytes_first(bytes, hole.len);
    adit_status_ignore(adit_span_copy(hole, part), "it was cut to the hole");
    chunk->end += (uint32_t)part.len;
    return adit_bytes_from(bytes, part.len);
}

size_t adit_queue_room_sure(const struct adit_queue *queue, const struct adit_chunk_pool *pool)
{
    size_t tail_room = queue->tail ? chunk_room(queue->tail) : 0;
    size_t chunks = pool->chunks_max - adit_min_size(pool->used, pool->chunks_max);
    return adit_min_size(adit_queue_room(queue), tail_room + chunks * ADIT_CHUNK_BYTES);
}

/* Few bytes into an empty queue, as a head is. */
static struct adit_status put_first(struct adit_queue *queue, struct adit_chunk_pool *pool,
                                    struct adit_bytes bytes)
{
    struct adit_chunk *chunk = NULL;
    ADIT_TRY(chunk_acquire(pool, &chunk));
    (void)chunk_fill(chunk, bytes);
    queue->head = chunk;
    queue->tail = chunk;
    queue->len = (uint32_t)bytes.len;
    return adit_ok();
}

struct adit_status adit_queue_put(struct adit_queue *queue, struct adit_chunk_pool *pool,
                                  struct adit_bytes bytes)
{
    ADIT_ENSURE(bytes.len <= adit_queue_room(queue), FULL, "the queue is at its limit");
    if (!queue->tail && bytes.len > 0 && bytes.len <= ADIT_CHUNK_BYTES) {
        return put_first(queue, pool, bytes);
    }
    size_t tail_room = queue->tail ? chunk_room(queue->tail) : 0;
    size_t beyond = bytes.len > tail_room ? bytes.len - tail_room : 0;
    size_t count = beyond / ADIT_CHUNK_BYTES + (beyond % ADIT_CHUNK_BYTES > 0 ? 1 : 0);
    struct adit_chunk *list = NULL;
    ADIT_TRY(chunks_acquire(pool, count, &list));
    queue->len += (uint32_t)bytes.len;
    if (queue->tail) {
        bytes = chunk_fill(queue->tail, bytes);
    }
    while (list) {
        struct adit_chunk *chunk = list;
        list = chunk->next;
        chunk->next = NULL;
        bytes = chunk_fill(chunk, bytes);
        queue_append(queue, chunk);
    }
    return adit_ok();
}

struct adit_bytes adit_queue_front(const struct adit_queue *queue)
{
    return queue->head ? chunk_bytes(queue->head) : (struct adit_bytes){0};
}

struct iovec adit_bytes_iovec(struct adit_bytes bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len};
}

size_t adit_queue_views(const struct adit_queue *queue, struct iovec *views, size_t count)
{
    size_t filled = 0;
    for (const struct adit_chunk *at = queue->head; at && filled < count; at = at->next) {
        struct adit_bytes bytes = chunk_bytes(at);
        ADIT_SLOT(views, count, filled) = adit_bytes_iovec(bytes);
        filled++;
    }
    return filled;
}

void adit_queue_drop(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t count)
{
    ADIT_ASSERT(count <= queue->len);
    queue->len -= (uint32_t)count;
    while (count > 0) {
        struct adit_chunk *head = queue->head;
        size_t part = adit_min_size(count, head->end - head->start);
        head->start += (uint32_t)part;
        count -= part;
        if (head->start == head->end) {
            queue->head = head->next;
            queue->tail = queue->head ? queue->tail : NULL;
            chunk_release(pool, head);
        }
    }
}
