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

void adit_chunk_pool_deinit(struct adit_chunk_pool *pool)
{
    ADIT_ASSERT(pool->used == 0);
    while (pool->free_head) {
        struct adit_chunk *chunk = pool->free_head;
        pool->free_head = chunk->next;
        chunk_close(chunk);
    }
    pool->free_count = 0;
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
    *out_chunk = chunk;
    return adit_ok();
}

static void chunk_release(struct adit_chunk_pool *pool, struct adit_chunk *chunk)
{
    pool->used--;
    if (pool->free_count >= pool->free_max) {
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
    *queue = (struct adit_queue){.bytes_max = bytes_max};
}

void adit_queue_reset(struct adit_queue *queue, struct adit_chunk_pool *pool)
{
    while (queue->head) {
        struct adit_chunk *chunk = queue->head;
        queue->head = chunk->next;
        chunk_release(pool, chunk);
    }
    queue->tail = NULL;
    queue->len = 0;
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
    if (!queue->tail || chunk_room(queue->tail) < need) {
        struct adit_chunk *chunk = NULL;
        ADIT_TRY(chunk_acquire(pool, &chunk));
        queue_append(queue, chunk);
    }
    struct adit_chunk *tail = queue->tail;
    *out_hole = adit_span_first(adit_span_from(ADIT_SPAN_OF(tail->bytes), tail->end), room);
    return adit_ok();
}

void adit_queue_commit(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t count)
{
    struct adit_chunk *tail = queue->tail;
    ADIT_ASSERT(tail && count <= chunk_room(tail) && count <= adit_queue_room(queue));
    tail->end += (uint32_t)count;
    queue->len += count;
    if (tail->end > tail->start) {
        return;
    }
    struct adit_chunk *before = NULL; /* the new chunk stayed empty: unlink it */
    for (struct adit_chunk *at = queue->head; at != tail; at = at->next) {
        before = at;
    }
    queue->tail = before;
    if (before) {
        before->next = NULL;
    } else {
        queue->head = NULL;
    }
    chunk_release(pool, tail);
}

struct adit_status adit_queue_put(struct adit_queue *queue, struct adit_chunk_pool *pool,
                                  struct adit_bytes bytes)
{
    ADIT_ENSURE(bytes.len <= adit_queue_room(queue), FULL, "the queue is at its limit");
    size_t tail_room = queue->tail ? chunk_room(queue->tail) : 0;
    size_t beyond = bytes.len > tail_room ? bytes.len - tail_room : 0;
    size_t chunks = (beyond + ADIT_CHUNK_BYTES - 1) / ADIT_CHUNK_BYTES;
    ADIT_ENSURE(chunks <= pool->chunks_max - adit_min_size(pool->used, pool->chunks_max), FULL,
                "the chunk pool is at its limit");
    while (bytes.len > 0) {
        struct adit_span hole = {0};
        ADIT_TRY(adit_queue_reserve(queue, pool, 1, &hole));
        struct adit_bytes part = adit_bytes_first(bytes, hole.len);
        ADIT_TRY(adit_span_copy(hole, part));
        adit_queue_commit(queue, pool, part.len);
        bytes = adit_bytes_from(bytes, part.len);
    }
    return adit_ok();
}

struct adit_bytes adit_queue_front(const struct adit_queue *queue)
{
    return queue->head ? chunk_bytes(queue->head) : (struct adit_bytes){0};
}

size_t adit_queue_views(const struct adit_queue *queue, struct iovec *views, size_t count)
{
    size_t filled = 0;
    for (const struct adit_chunk *at = queue->head; at && filled < count; at = at->next) {
        struct adit_bytes bytes = chunk_bytes(at);
        ADIT_SLOT(views, count, filled) =
            (struct iovec){.iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len};
        filled++;
    }
    return filled;
}

void adit_queue_drop(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t count)
{
    ADIT_ASSERT(count <= queue->len);
    queue->len -= count;
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
