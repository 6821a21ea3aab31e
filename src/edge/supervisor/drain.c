#include "edge/supervisor/drain.h"

#define READS_MAX 16 /* reads in one turn */

/* A page at most, only where there is room for it now. */
static void page_write(struct adit_drain *drain, struct adit_bytes page)
{
    struct pollfd room = {.fd = drain->out, .events = POLLOUT};
    ssize_t put = -1;
    if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0) {
        put = write(drain->out, page.ptr, page.len);
    }
    drain->dropped += page.len - (put > 0 ? (size_t)put : 0);
}

/* Up to the last newline; all of it where there is none in a full buffer, or at the end. */
static void lines_write(struct adit_drain *drain, bool is_end)
{
    struct adit_bytes held = adit_bytes_first(ADIT_BYTES_OF(drain->bytes), drain->held);
    size_t whole = 0;
    for (size_t at = 0; at < held.len; at++) {
        if (adit_bytes_at(held, at) == '\n') {
            whole = at + 1;
        }
    }
    if (is_end || (whole == 0 && held.len == ADIT_DRAIN_BYTES)) {
        whole = held.len;
    }
    if (whole == 0) {
        return;
    }
    page_write(drain, adit_bytes_first(held, whole));
    drain->held -= whole;
    adit_status_ignore(adit_span_move(ADIT_SPAN_OF(drain->bytes), 0, whole, drain->held),
                       "both ranges are inside");
}

/* False where nothing more can be read now. */
static bool some_read(struct adit_drain *drain)
{
    struct adit_span room = adit_span_from(ADIT_SPAN_OF(drain->bytes), drain->held);
    ssize_t got = read(drain->in, room.ptr, room.len);
    if (got <= 0) {
        return got < 0 && errno == EINTR;
    }
    drain->held += (size_t)got;
    lines_write(drain, false);
    return true;
}

static void drain_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_drain *drain = context;
    (void)key;
    for (size_t i = 0; i < READS_MAX; i++) {
        if (!some_read(drain)) {
            if ((events & ADIT_LOOP_HANGUP) != 0) { /* nobody writes any more */
                adit_loop_unwatch(drain->loop, &drain->watch);
            }
            return;
        }
    }
}

struct adit_status adit_drain_open(struct adit_drain *drain, struct adit_loop *loop, int out,
                                   int *out_writer)
{
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "a log pipe cannot be made", errno);
    }
    *drain = (struct adit_drain){.loop = loop, .in = ends[0], .out = out};
    struct adit_status status = adit_loop_watch(loop, ends[0], ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                                                drain_ready, drain, 0, &drain->watch);
    if (!adit_is_ok(status)) {
        close(ends[0]);
        close(ends[1]);
        drain->in = -1;
        return status;
    }
    *out_writer = ends[1];
    return adit_ok();
}

void adit_drain_close(struct adit_drain *drain)
{
    if (drain->in < 0) {
        return;
    }
    for (size_t i = 0; i < READS_MAX && some_read(drain); i++) {
    }
    lines_write(drain, true);
    adit_loop_unwatch(drain->loop, &drain->watch);
    close(drain->in);
    drain->in = -1;
}
