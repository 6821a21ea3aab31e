/* From the socket, or the pipe's owner, to the peer. */
#include "tunnel/internal.h"

/* The bytes that go before anything from the socket, where they are not all sent. */
static size_t fill_first(struct adit_hub *hub, struct pump *pump, struct adit_span room)
{
    if (!adit_handle_is_set(pump->first)) {
        return 0;
    }
    struct pump_first *first = adit_pool_get(&hub->firsts, pump->first);
    ADIT_ASSERT(first);
    struct adit_bytes bytes = adit_bytes_from(
        adit_bytes_first(ADIT_BYTES_OF(first->bytes), first->len), first->sent);
    bytes = adit_bytes_first(bytes, room.len);
    adit_status_ignore(adit_span_copy(room, bytes), "cut to the room");
    first->sent = (uint8_t)(first->sent + bytes.len);
    if (first->sent == first->len) {
        adit_status_ignore(adit_pool_release(&hub->firsts, pump->first), "looked up above");
        pump->first = (struct adit_handle){0};
    }
    return bytes.len;
}

/* Where the end was announced and what came before it is read, the end goes in the same frame. */
static struct adit_status receive_with_end(const struct pump *pump, struct adit_span room,
                                           size_t *out_count, enum adit_io *out_io)
{
    ADIT_TRY(adit_socket_receive(pump->fd, room, out_count, out_io));
    room = adit_span_from(room, *out_count);
    if (pump->has_hangup && *out_io == ADIT_IO_DONE && room.len > 0) {
        size_t more = 0;
        adit_status_ignore(adit_socket_receive(pump->fd, room, &more, out_io),
                           "what came before goes first; the next turn fails the same");
        *out_count += more;
    }
    return adit_ok();
}

struct adit_status pump_fill(struct adit_hub *hub, struct pump *pump, struct adit_span room,
                             struct pump_filled *out_filled)
{
    struct pump_filled filled = {.count = fill_first(hub, pump, room)};
    room = adit_span_from(room, filled.count);
    if (pump->state == PUMP_REFUSED) {
        filled.is_last = !adit_handle_is_set(pump->first);
        *out_filled = filled;
        return adit_ok();
    }
    if (pump->is_pipe && !pump->is_source_done && room.len > 0) {
        struct adit_pipe_filled given =
            hub->ops->pipe_fill(hub->context, pump->self, pump->user, room);
        hub->counters.bytes_from_local += given.count;
        *out_filled = (struct pump_filled){.count = filled.count + given.count,
                                           .is_last = given.is_last,
                                           .is_empty = given.is_empty};
        return adit_ok();
    }
    if ((pump->fd < 0 && !pump->is_pipe) || pump->is_source_done || pump->is_quiet) {
        filled.is_empty = true;
        *out_filled = filled;
        return adit_ok();
    }
    if (room.len == 0) {
        *out_filled = filled;
        return adit_ok();
    }
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    ADIT_TRY(receive_with_end(pump, room, &count, &io));
    pump_show(hub, pump, true, adit_span_bytes(adit_span_first(room, count)));
    filled.count += count;
    filled.is_last = io == ADIT_IO_END;
    /* A short read has emptied the socket, and later bytes are a new event; but an end that was
     * announced already would not be announced again. */
    filled.is_empty = io == ADIT_IO_BLOCKED || (count < room.len && !pump->has_hangup);
    hub->counters.bytes_from_local += count;
    if (count > 0) {
        pump_spoke(hub, pump, true);
    }
    adit_socket_widen(pump->fd, count, &pump->is_wide);
    *out_filled = filled;
    return adit_ok();
}
