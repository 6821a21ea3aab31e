#include "mux/stream.h"

/* What the peer did is final: it hears why, and nothing else is sent or taken. */
static struct adit_status fail(struct adit_session *session, struct adit_status status)
{
    session->failure = status;
    session->frame = (struct adit_session_frame){0};
    adit_session_goaway(session, ADIT_YAMUX_GOAWAY_PROTOCOL);
    return status;
}

static struct adit_status peer_has_left(void)
{
    ADIT_FAIL(CLOSED, "the peer gave the session up");
}

static bool take_flag(bool *flag)
{
    bool was_set = *flag;
    *flag = false;
    return was_set;
}

/* Tells the next thing of the frame that is being received. False where its payload has not come
 * yet, or where there is nothing left to tell. */
static bool deliver(struct adit_session *session, struct adit_bytes *input,
                    struct adit_session_event *out_event)
{
    struct adit_session_frame *frame = &session->frame;
    struct adit_stream *stream = adit_session_stream(session, frame->stream);
    struct adit_session_event event = {.kind = ADIT_SESSION_MORE, .stream = frame->stream};
    event.user = stream ? stream->user : 0;
    if (!stream) { /* released in the meantime: nobody is there to be told */
        frame->is_opened = frame->is_acked = frame->is_finished = false;
    }
    if (take_flag(&frame->is_opened)) {
        event.kind = ADIT_SESSION_OPENED;
    } else if (take_flag(&frame->is_acked)) {
        event.kind = ADIT_SESSION_ACKED;
    } else if (frame->payload_left > 0) {
        if (input->len == 0) {
            return false;
        }
        event.data = adit_bytes_first(*input, frame->payload_left);
        *input = adit_bytes_from(*input, event.data.len);
        frame->payload_left -= (uint32_t)event.data.len;
        adit_session_lives(session);
        session->counters.data_in_total += event.data.len;
        if (!stream) {
            return false; /* swallowed */
        }
        session->counters.received_pending += event.data.len;
        adit_stream_arrived(session, stream, (uint32_t)event.data.len);
        event.kind = ADIT_SESSION_DATA;
    } else if (take_flag(&frame->is_finished)) {
        event.kind = ADIT_SESSION_FINISHED;
    } else {
        return false;
    }
    *out_event = event;
    return true;
}

/* The next header, from the input or gathered piece by piece. False where it is not complete. */
static bool take_header(struct adit_session *session, struct adit_bytes *input,
                        struct adit_yamux_frame *out_frame)
{
    struct adit_bytes header = {0};
    if (session->header_len == 0 && input->len >= ADIT_YAMUX_HEADER_BYTES) {
        header = adit_bytes_first(*input, ADIT_YAMUX_HEADER_BYTES);
        *input = adit_bytes_from(*input, ADIT_YAMUX_HEADER_BYTES);
    } else {
        struct adit_span hole = adit_span_from(ADIT_SPAN_OF(session->header), session->header_len);
        struct adit_bytes piece = adit_bytes_first(*input, hole.len);
        if (piece.len == 0) {
            return false;
        }
        if (session->header_len == 0) {
            session->header_us = session->now_us;
        }
        adit_status_ignore(adit_span_copy(hole, piece), "the piece is no longer than the hole");
        *input = adit_bytes_from(*input, piece.len);
        session->header_len = (uint8_t)(session->header_len + piece.len);
        if (session->header_len < ADIT_YAMUX_HEADER_BYTES) {
            return false;
        }
        session->header_len = 0;
        header = ADIT_BYTES_OF(session->header);
    }
    struct adit_reader reader = adit_reader_of(header);
    return adit_is_ok(adit_yamux_read(&reader, out_frame));
}

struct adit_status adit_session_receive(struct adit_session *session, struct adit_bytes *input,
                                        uint64_t now_us, struct adit_session_event *out_event)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    *out_event = (struct adit_session_event){.kind = ADIT_SESSION_MORE};
    if (session->failure.fault) {
        return session->failure;
    }
    for (;;) { /* each round takes bytes from the input, or returns */
        if (deliver(session, input, out_event)) {
            return adit_ok();
        }
        if (session->frame.payload_left > 0) {
            return adit_ok(); /* the rest of the payload has not come yet */
        }
        struct adit_yamux_frame frame = {0};
        if (!take_header(session, input, &frame)) {
            return adit_ok();
        }
        session->counters.frames_in_total++;
        uint64_t glitches = session->counters.glitches_total;
        struct adit_status status = adit_session_frame_take(session, &frame, out_event);
        if (!adit_is_ok(status)) {
            *out_event = (struct adit_session_event){.kind = ADIT_SESSION_MORE};
            return fail(session, status);
        }
        if (glitches == session->counters.glitches_total) {
            adit_session_lives(session);
        }
        if (out_event->kind == ADIT_SESSION_GOAWAY && out_event->code != ADIT_YAMUX_GOAWAY_NORMAL) {
            session->failure = peer_has_left();
        }
        if (out_event->kind != ADIT_SESSION_MORE) {
            return adit_ok();
        }
        if (adit_session_is_congested(session) && session->frame.payload_left == 0 &&
            !session->frame.is_opened && !session->frame.is_acked && !session->frame.is_finished) {
            return adit_ok(); /* the caller flushes first; this frame was progress */
        }
    }
}
