#include "http/body.h"

#include "base/checked.h"

void adit_http_body_init(struct adit_http_body *body, enum adit_http_framing framing,
                         uint64_t length)
{
    bool is_empty = framing == ADIT_HTTP_FRAMING_NONE ||
                    (framing == ADIT_HTTP_FRAMING_LENGTH && length == 0);
    *body = (struct adit_http_body){
        .framing = framing,
        .state = is_empty ? ADIT_HTTP_BODY_END : ADIT_HTTP_BODY_MORE,
        .left = framing == ADIT_HTTP_FRAMING_LENGTH ? length : 0,
    };
}

static struct adit_status chunked_read(struct adit_http_body *body, struct adit_bytes *bytes,
                                       struct adit_bytes *out_payload)
{
    bool is_last = false;
    ADIT_TRY(adit_http_chunk_read(&body->chunk, bytes, out_payload, &is_last));
    body->state = is_last ? ADIT_HTTP_BODY_TRAILERS : ADIT_HTTP_BODY_MORE;
    return adit_ok();
}

struct adit_status adit_http_body_read(struct adit_http_body *body, struct adit_bytes *bytes,
                                       struct adit_bytes *out_payload)
{
    struct adit_bytes payload = {0};
    ADIT_ENSURE(body->state == ADIT_HTTP_BODY_MORE, INTERNAL, "the body is over");
    switch (body->framing) {
    case ADIT_HTTP_FRAMING_CHUNKED:
        return chunked_read(body, bytes, out_payload);
    case ADIT_HTTP_FRAMING_LENGTH:
        payload = adit_bytes_first(*bytes, (size_t)adit_min_u64(body->left, SIZE_MAX));
        body->left -= payload.len;
        body->state = body->left == 0 ? ADIT_HTTP_BODY_END : ADIT_HTTP_BODY_MORE;
        break;
    case ADIT_HTTP_FRAMING_CLOSE:
    case ADIT_HTTP_FRAMING_SWITCH:
        payload = *bytes;
        break;
    case ADIT_HTTP_FRAMING_NONE:
        break;
    }
    *bytes = adit_bytes_from(*bytes, payload.len);
    *out_payload = payload;
    return adit_ok();
}

void adit_http_body_trailers_done(struct adit_http_body *body)
{
    body->state = ADIT_HTTP_BODY_END;
}

bool adit_http_body_is_whole(const struct adit_http_body *body)
{
    return body->state == ADIT_HTTP_BODY_END || body->framing == ADIT_HTTP_FRAMING_CLOSE;
}
