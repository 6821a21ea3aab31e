#include "tunnel/pipe.h"

#include "tunnel/internal.h"

static struct pump *pipe_of(const struct adit_hub *hub, struct adit_handle handle)
{
    struct pump *pump = hub_pump(hub, handle);
    return pump && pump->is_pipe ? pump : NULL;
}

/* What can fail once the slot is there; the caller releases the pump then. */
static struct adit_status pipe_begin(struct adit_hub *hub, struct link *link, struct pump *pump,
                                     const struct adit_stream_head *head)
{
    ADIT_TRY(pump_head_set(hub, pump, head));
    return adit_session_open(&link->session, adit_handle_pack(pump->self), hub->loop->now_us,
                             &pump->stream);
}

struct adit_status adit_pipe_open(struct adit_hub *hub, const struct adit_pipe_options *options,
                                  struct adit_handle *out_pipe)
{
    struct link *link = hub_link(hub, options->link);
    ADIT_ENSURE(link && link->state == LINK_OPEN && !link->is_closing, STALE, "the link is gone");
    struct pump *pump = NULL;
    ADIT_TRY(pump_make(hub, link, &pump));
    pump->state = PUMP_VERDICT;
    pump->is_pipe = true;
    pump->user = options->user;
    struct adit_status status = pipe_begin(hub, link, pump, options->head);
    if (!adit_is_ok(status)) {
        hub->counters.pumps_opened--;
        pump_release(hub, pump);
        return status;
    }
    hub_mark_dirty(hub, link);
    *out_pipe = pump->self;
    return adit_ok();
}

void adit_pipe_ready(struct adit_hub *hub, struct adit_handle pipe)
{
    struct pump *pump = pipe_of(hub, pipe);
    struct link *link = pump ? hub_link(hub, pump->link) : NULL;
    if (link && !pump->is_source_done) {
        adit_session_ready(&link->session, pump->stream);
        hub_mark_dirty(hub, link);
    }
}

void adit_pipe_consumed(struct adit_hub *hub, struct adit_handle pipe, size_t count)
{
    struct pump *pump = pipe_of(hub, pipe);
    if (pump) {
        pump_consumed(hub, pump, count);
    }
}

void adit_pipe_close(struct adit_hub *hub, struct adit_handle pipe)
{
    struct pump *pump = pipe_of(hub, pipe);
    if (pump) {
        hub->counters.pumps_cut++; /* one that has ended in order is gone before */
        pump_release(hub, pump);
    }
}

void adit_pipe_user_set(struct adit_hub *hub, struct adit_handle pipe, uint64_t user)
{
    struct pump *pump = pipe_of(hub, pipe);
    if (pump) {
        pump->user = user;
    }
}

bool adit_pipe_is_connected(const struct adit_hub *hub, struct adit_handle pipe)
{
    const struct pump *pump = pipe_of(hub, pipe);
    return pump && pump->state == PUMP_FLOW;
}
