#include "mux/stream.h"

/* Ids are the peer's choice, so what is hashed is keyed. */
static uint32_t hash_of(const struct adit_session *session, uint32_t id)
{
    struct {
        uint32_t session;
        uint32_t id;
    } key = {.session = session->number, .id = id};
    return (uint32_t)adit_siphash(session->mux->seed, ADIT_OBJECT_BYTES(key));
}

/* Where a stream stands that was found a moment ago: the frames of a busy one need no hashing. Two
 * of one place take turns; nothing else comes of it. */
static inline struct adit_stream **place_of(const struct adit_session *session, uint32_t id)
{
    return &ADIT_AT(session->mux->found, (session->number + id / 2) & (ADIT_MUX_FOUND - 1));
}

struct adit_stream *adit_session_find(struct adit_session *session, uint32_t id)
{
    struct adit_stream **place = place_of(session, id);
    struct adit_stream *found = *place;
    if (found && found->id == id && found->session == session->number) {
        return found;
    }
    const struct adit_mux *mux = session->mux;
    for (uint32_t at = adit_index_first(&mux->ids, hash_of(session, id)); at != ADIT_INDEX_NONE;
         at = adit_index_next(&mux->ids, at)) {
        struct adit_stream *stream = adit_pool_at(&mux->streams, at);
        if (stream->id == id && stream->session == session->number) {
            *place = stream;
            return stream;
        }
    }
    return NULL;
}

void adit_session_learn(struct adit_session *session, struct adit_stream *stream)
{
    adit_index_add(&session->mux->ids, hash_of(session, stream->id), stream->handle.index);
}

void adit_session_forget(struct adit_session *session, struct adit_stream *stream)
{
    if (stream->id > 0) {
        struct adit_stream **place = place_of(session, stream->id);
        *place = *place == stream ? NULL : *place;
        bool was_known = adit_index_remove(&session->mux->ids, stream->handle.index);
        ADIT_ASSERT(was_known);
    }
}

bool adit_session_id_is_ours(const struct adit_session *session, uint32_t id)
{
    return (id & 1) == (session->role == ADIT_SESSION_CLIENT ? 1u : 0u);
}

/* The word of the bitmap in which the n-th id of the peer has its bit. */
static size_t word_of(uint32_t n)
{
    return n % ADIT_SESSION_ID_WINDOW / 64;
}

static uint64_t bit_of(uint32_t n)
{
    return UINT64_C(1) << (n % 64);
}

static void unrefuse(struct adit_session *session, uint32_t n)
{
    uint64_t *word = &ADIT_AT(session->ids_refused, word_of(n));
    if ((*word & bit_of(n)) != 0) {
        *word &= ~bit_of(n);
        session->counters.refusals_queued--;
    }
}

void adit_session_id_refuse(struct adit_session *session, uint32_t id)
{
    ADIT_AT(session->ids_refused, word_of(id >> 1)) |= bit_of(id >> 1);
    session->counters.refusals_queued++;
}

bool adit_session_id_refused_take(struct adit_session *session, uint32_t *out_id)
{
    uint32_t below = session->counters.refusals_queued > 0 ? ADIT_SESSION_ID_WINDOW : 0;
    for (; below > 0; below--) { /* oldest first */
        uint32_t n = session->id_top - (below - 1);
        if ((ADIT_AT(session->ids_refused, word_of(n)) & bit_of(n)) != 0) {
            unrefuse(session, n);
            *out_id = n << 1 | (session->role == ADIT_SESSION_SERVER ? 1u : 0u);
            return true;
        }
    }
    return false;
}

bool adit_session_id_claim(struct adit_session *session, uint32_t id)
{
    uint32_t n = id >> 1;
    if (!session->has_id_top || n > session->id_top) {
        uint32_t skipped = session->has_id_top ? n - session->id_top : ADIT_SESSION_ID_WINDOW;
        if (skipped > ADIT_SESSION_ID_WINDOW) {
            skipped = ADIT_SESSION_ID_WINDOW;
        }
        for (uint32_t i = 0; i < skipped; i++) {
            ADIT_AT(session->ids_seen, word_of(n - i)) &= ~bit_of(n - i);
            unrefuse(session, n - i);
        }
        session->id_top = n;
        session->has_id_top = true;
    } else if (session->id_top - n >= ADIT_SESSION_ID_WINDOW) {
        return false;
    }
    uint64_t *word = &ADIT_AT(session->ids_seen, word_of(n));
    if ((*word & bit_of(n)) != 0) {
        return false;
    }
    *word |= bit_of(n);
    return true;
}

bool adit_session_id_is_past(const struct adit_session *session, uint32_t id)
{
    if (adit_session_id_is_ours(session, id)) {
        return id < session->id_next;
    }
    uint32_t n = id >> 1;
    if (!session->has_id_top || n > session->id_top) {
        return false;
    }
    if (session->id_top - n >= ADIT_SESSION_ID_WINDOW) {
        return true;
    }
    return (ADIT_AT(session->ids_seen, word_of(n)) & bit_of(n)) != 0;
}
