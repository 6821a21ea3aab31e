/* Queue: a first-in first-out buffer of bytes over chunks from a shared pool.
 *
 * An empty queue holds no chunk, so an idle stream costs nothing. A queue has a hard maximum;
 * "full" means that `bytes_max` would be passed or that the shared pool is at its own maximum: the
 * caller then stops reading from whoever feeds the queue. Bytes can be written in place (reserve,
 * then commit) and read in place (front or views, then drop), so nothing is copied twice.
 *
 * Process: one thread. Limits: bytes_max a queue (below 4 GiB), chunks_max a pool. */
#ifndef ADIT_BASE_QUEUE_H
#define ADIT_BASE_QUEUE_H

#include <sys/uio.h>

#include "base/bytes.h"

/* Payload bytes of one chunk: a full TLS record with its overhead fits. */
#define ADIT_CHUNK_BYTES 16640

struct adit_chunk;

struct adit_chunk_pool {
    struct adit_chunk *free_head; /* warm chunks, last used first */
    uint32_t free_count;
    uint32_t free_max;   /* warm chunks that are kept at rest; more go back to the system */
    uint32_t chunks_max; /* hard limit */
    uint32_t used;       /* chunks in queues now: the pool's counter */
    uint32_t used_most;  /* since the last settle: as many are kept warm meanwhile */
};

struct adit_queue {
    struct adit_chunk *head;
    struct adit_chunk *tail;
    struct adit_chunk *spare; /* reserved and not yet committed; in no list */
    uint32_t len;
    uint32_t bytes_max;
};

void adit_chunk_pool_init(struct adit_chunk_pool *pool, uint32_t chunks_max, uint32_t free_max);

/* Time has passed, a second or so: chunks that nobody needed in it go back to the system, but for
 * `free_max`. Who never calls it keeps as many as were ever used at once. */
void adit_chunk_pool_settle(struct adit_chunk_pool *pool);

/* All queues over it must be empty (asserted). */
void adit_chunk_pool_deinit(struct adit_chunk_pool *pool);

/* bytes_max: less than 2^32 (asserted). */
void adit_queue_init(struct adit_queue *queue, size_t bytes_max);

/* Drops everything. The queue stays usable. */
void adit_queue_reset(struct adit_queue *queue, struct adit_chunk_pool *pool);

static inline size_t adit_queue_room(const struct adit_queue *queue)
{
    return queue->bytes_max > queue->len ? queue->bytes_max - queue->len : 0;
}

/* Bytes that put is sure to take now: the room, as far as the pool still has chunks for it. */
size_t adit_queue_room_sure(const struct adit_queue *queue, const struct adit_chunk_pool *pool);

/* Appends all of `bytes`, or nothing: FULL where it would pass a limit, MEMORY. */
struct adit_status adit_queue_put(struct adit_queue *queue, struct adit_chunk_pool *pool,
                                  struct adit_bytes bytes);

/* A hole at the end, of at least 1 byte and at most min(room, ADIT_CHUNK_BYTES); at least
 * `want` bytes where `want` fits a chunk and the room. FULL where there is no room or no chunk.
 * Nothing is appended until commit. */
struct adit_status adit_queue_reserve(struct adit_queue *queue, struct adit_chunk_pool *pool,
                                      size_t want, struct adit_span *out_hole);

/* Appends the first `count` bytes of the last reserved hole; gives the chunk back where it stays
 * empty. Call it after each successful reserve, also with 0; put and drop nothing in between. */
void adit_queue_commit(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t count);

/* The bytes at the front that are contiguous; empty where the queue is. */
struct adit_bytes adit_queue_front(const struct adit_queue *queue);

/* A view for sendmsg, which does not write through it. */
struct iovec adit_bytes_iovec(struct adit_bytes bytes);

/* Fills up to `count` views of the bytes from the front on, for sendmsg; returns how many. */
size_t adit_queue_views(const struct adit_queue *queue, struct iovec *views, size_t count);

/* Removes `count` bytes from the front; at most `len` (asserted). */
void adit_queue_drop(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t count);

#endif
