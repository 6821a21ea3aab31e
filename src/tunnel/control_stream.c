#include "tunnel/internal.h"

/* The next whole message of what has come, if there is one. */
static struct adit_status next_message(struct adit_hub *hub, struct link *link,
                                       struct adit_control *out_message, bool *out_is_there)
{
    uint8_t memory[ADIT_CONTROL_BYTES_MAX] = {0};
    struct adit_writer joined = adit_writer_of(ADIT_SPAN_OF(memory));
    struct iovec views[4] = {0};
    size_t view_count = adit_queue_views(&link->control_in, views, ADIT_COUNT(views));
    for (size_t i = 0; i < view_count; i++) {
        const struct iovec *at = &ADIT_AT(views, i);
        struct adit_bytes view = {.ptr = at->iov_base, .len = at->iov_len};
        ADIT_TRY(adit_write_bytes(&joined, adit_bytes_first(view, adit_writer_room(&joined))));
    }
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    ADIT_TRY(adit_control_read(adit_writer_bytes(&joined), out_message, &used, &parse));
    *out_is_there = parse == ADIT_PARSE_FOUND;
    if (*out_is_there) {
        adit_queue_drop(&link->control_in, &hub->chunks, used);
    }
    return adit_ok();
}

struct adit_status control_stream_receive(struct adit_hub *hub, struct link *link,
                                          struct adit_bytes bytes)
{
    while (bytes.len > 0 && !link->is_closing) {
        struct adit_bytes part = adit_bytes_first(bytes, adit_queue_room(&link->control_in));
        ADIT_ENSURE(part.len > 0, LIMIT, "a control message is longer than its limit");
        ADIT_TRY(adit_queue_put(&link->control_in, &hub->chunks, part));
        adit_session_consumed(&link->session, link->control, part.len, hub->loop->now_us);
        bytes = adit_bytes_from(bytes, part.len);
        for (bool is_there = true; is_there && !link->is_closing;) {
            struct adit_control message = {0};
            ADIT_TRY(next_message(hub, link, &message, &is_there));
            if (is_there) {
                hub->ops->link_message(hub->context, link->self, link->user, &message);
            }
        }
    }
    return adit_ok();
}

size_t control_stream_fill(struct adit_hub *hub, struct link *link, struct adit_span room)
{
    size_t filled = 0;
    while (link->control_out.len > 0 && room.len > 0) {
        struct adit_bytes part = adit_bytes_first(adit_queue_front(&link->control_out), room.len);
        adit_status_ignore(adit_span_copy(room, part), "cut to the room");
        adit_queue_drop(&link->control_out, &hub->chunks, part.len);
        room = adit_span_from(room, part.len);
        filled += part.len;
    }
    return filled;
}

struct adit_status adit_link_send(struct adit_hub *hub, struct adit_handle handle,
                                  const struct adit_control *message)
{
    struct link *link = hub_link(hub, handle);
    ADIT_ENSURE(link && link->state == LINK_OPEN, STALE, "the link is gone");
    uint8_t memory[ADIT_CONTROL_BYTES_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_control_write(&writer, message));
    ADIT_TRY(adit_queue_put(&link->control_out, &hub->chunks, adit_writer_bytes(&writer)));
    adit_session_ready(&link->session, link->control);
    hub_mark_dirty(hub, link);
    return adit_ok();
}
