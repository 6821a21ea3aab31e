#include "lane.h"

struct adit_status lane_begin(struct lane_half *half)
{
    *half = (struct lane_half){.hash = EVP_MD_CTX_new()};
    ADIT_ENSURE(half->hash && EVP_DigestInit_ex(half->hash, EVP_sha256(), NULL) == 1, INTERNAL,
                "no SHA-256");
    return adit_ok();
}

void lane_end(struct lane_half *half)
{
    EVP_MD_CTX_free(half->hash);
    half->hash = NULL;
}

void lane_say(struct lane_half *half, uint32_t index, uint32_t size)
{
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(half->head));
    half->index = index;
    half->size = size;
    adit_status_ignore(adit_write_u32(&writer, index), "eight bytes of room");
    adit_status_ignore(adit_write_u32(&writer, size), "eight bytes of room");
}

static struct adit_status lane_digest(struct lane_half *half, struct adit_span out)
{
    ADIT_ENSURE(out.len == LANE_HASH_BYTES &&
                    EVP_DigestFinal_ex(half->hash, out.ptr, NULL) == 1,
                INTERNAL, "no digest");
    return adit_ok();
}

/* The bytes at half->at that lie in one of the three parts. */
static struct adit_bytes lane_piece(const struct lane_half *half, struct adit_bytes noise)
{
    uint64_t body_end = (uint64_t)LANE_HEAD_BYTES + half->size;
    if (half->at < LANE_HEAD_BYTES) {
        return adit_bytes_from(ADIT_BYTES_OF(half->head), (size_t)half->at);
    }
    if (half->at < body_end) {
        uint64_t start = (half->at + half->index * (uint64_t)4099) % noise.len;
        return adit_bytes_first(adit_bytes_from(noise, (size_t)start),
                                (size_t)(body_end - half->at));
    }
    return adit_bytes_from(ADIT_BYTES_OF(half->digest), (size_t)(half->at - body_end));
}

size_t lane_fill(struct lane_half *half, struct adit_bytes noise, struct adit_span out)
{
    size_t done = 0;
    uint64_t body_end = (uint64_t)LANE_HEAD_BYTES + half->size;
    while (done < out.len && half->at < lane_length(half)) {
        if (half->at == body_end) {
            adit_status_ignore(lane_digest(half, ADIT_SPAN_OF(half->digest)), "the peer will see");
        }
        struct adit_bytes piece = adit_bytes_first(lane_piece(half, noise), out.len - done);
        if (half->at >= LANE_HEAD_BYTES && half->at < body_end &&
            EVP_DigestUpdate(half->hash, piece.ptr, piece.len) != 1) {
            return done;
        }
        adit_status_ignore(adit_span_copy(adit_span_from(out, done), piece), "it fits");
        done += piece.len;
        half->at += piece.len;
    }
    return done;
}

static struct adit_status lane_hear_head(struct lane_half *half, struct adit_bytes bytes)
{
    ADIT_TRY(adit_span_copy(adit_span_from(ADIT_SPAN_OF(half->head), (size_t)half->at), bytes));
    if (half->at + bytes.len == LANE_HEAD_BYTES) {
        struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(half->head));
        ADIT_TRY(adit_read_u32(&reader, &half->index));
        ADIT_TRY(adit_read_u32(&reader, &half->size));
        ADIT_ENSURE(half->size <= LANE_SIZE_MAX, INVALID, "a size out of range");
    }
    return adit_ok();
}

static struct adit_status lane_hear_digest(struct lane_half *half, struct adit_bytes bytes)
{
    uint64_t offset = half->at - LANE_HEAD_BYTES - half->size;
    if (offset == 0) {
        ADIT_TRY(lane_digest(half, ADIT_SPAN_OF(half->digest)));
    }
    struct adit_bytes mine = {0};
    ADIT_TRY(adit_bytes_slice(ADIT_BYTES_OF(half->digest), (size_t)offset, bytes.len, &mine));
    ADIT_ENSURE(adit_bytes_equal(mine, bytes), INVALID, "the hash is another");
    return adit_ok();
}

struct adit_status lane_hear(struct lane_half *half, struct adit_bytes bytes)
{
    struct adit_bytes rest = bytes;
    while (rest.len > 0) {
        struct adit_bytes part = rest;
        if (half->at < LANE_HEAD_BYTES) {
            part = adit_bytes_first(rest, LANE_HEAD_BYTES - (size_t)half->at);
            ADIT_TRY(lane_hear_head(half, part));
        } else if (half->at < LANE_HEAD_BYTES + (uint64_t)half->size) {
            uint64_t left = LANE_HEAD_BYTES + (uint64_t)half->size - half->at;
            part = adit_bytes_first(rest, (size_t)left);
            ADIT_ENSURE(EVP_DigestUpdate(half->hash, part.ptr, part.len) == 1, INTERNAL, "no hash");
        } else {
            ADIT_ENSURE(half->at < lane_length(half), INVALID, "bytes after the end");
            part = adit_bytes_first(rest, (size_t)(lane_length(half) - half->at));
            ADIT_TRY(lane_hear_digest(half, part));
        }
        half->at += part.len;
        rest = adit_bytes_from(rest, part.len);
    }
    return adit_ok();
}
