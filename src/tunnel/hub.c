#include "tunnel/hub.h"

#include "tunnel/internal.h"

/* What one read of a link takes: a bulk stream's longest frame, as it was encrypted by TLS 1.3, so
 * that frames do not lie across two reads. */
#define PLAIN_IN_BYTES (256 * 1024)
#define CIPHER_IN_BYTES (PLAIN_IN_BYTES / ADIT_TLS_RECORD_BYTES * (ADIT_TLS_RECORD_BYTES + 22))
#define PLAIN_OUT_BYTES (ADIT_HUB_GATHER_BYTES + 256 * 1024)

struct link *hub_link(const struct adit_hub *hub, struct adit_handle handle)
{
    return adit_pool_get(&hub->links, handle);
}

void hub_mark_dirty(struct adit_hub *hub, struct link *link)
{
    if (link->is_dirty) {
        return;
    }
    link->is_dirty = true;
    link->dirty_next = hub->dirty_head;
    hub->dirty_head = link->self;
}

/* Only its firing matters: it makes a turn that does not wait. */
static void again_fired(void *context, uint64_t key)
{
    struct adit_hub *hub = context;
    (void)key;
    hub->again = (struct adit_handle){0};
}

/* True where the list had it. */
static bool list_remove(struct adit_hub *hub, struct adit_handle *head, const struct link *link)
{
    struct adit_handle *at = head;
    for (struct link *each = hub_link(hub, *at); each; each = hub_link(hub, *at)) {
        if (each == link) {
            *at = link->dirty_next;
            return true;
        }
        at = &each->dirty_next;
    }
    return false;
}

/* A link that goes may not take those behind it out of the list. */
void hub_forget_dirty(struct adit_hub *hub, struct link *link)
{
    if (link->is_dirty) {
        bool is_found = list_remove(hub, &hub->dirty_head, link) ||
                        list_remove(hub, &hub->turning_head, link);
        ADIT_ASSERT(is_found);
        link->is_dirty = false;
    }
}

/* Every link with something to do gets its part of the turn; one that is not finished, and waits
 * for nothing from outside, asks for another turn at once. */
static void turn_end(void *context)
{
    struct adit_hub *hub = context;
    if (hub->ops->turn) {
        hub->ops->turn(hub->context);
    }
    hub->turning_head = hub->dirty_head;
    hub->dirty_head = (struct adit_handle){0};
    for (struct link *link = hub_link(hub, hub->turning_head); link;
         link = hub_link(hub, hub->turning_head)) {
        hub->turning_head = link->dirty_next;
        link->is_dirty = false;
        link_finish_turn(hub, link);
    }
    if (adit_handle_is_set(hub->dirty_head) && !adit_handle_is_set(hub->again)) {
        adit_status_ignore(adit_loop_timer_set(hub->loop, &hub->again, hub->loop->now_us,
                                               again_fired, hub, 0),
                           "one timer is kept for it; an event of the link does as well");
    }
}

static struct adit_status take_memory(struct adit_hub *hub, const struct adit_hub_options *options)
{
    struct adit_siphash_key seed = {0};
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(seed)));
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(hub->jitter)));
    ADIT_TRY(adit_mux_init(&hub->mux, &(struct adit_mux_options){
                                          .limits = options->limits,
                                          .streams_max = options->pumps_max + options->links_max,
                                          .growth_max = options->growth_max,
                                          .seed = seed,
                                      }));
    ADIT_TRY(adit_pool_init(&hub->links, sizeof(struct link), options->links_max));
    ADIT_TRY(adit_pool_init(&hub->pumps, sizeof(struct pump), options->pumps_max));
    ADIT_TRY(adit_pool_init(&hub->firsts, sizeof(struct pump_first), options->pumps_max));
    ADIT_TRY(adit_memory_open(1, CIPHER_IN_BYTES, &hub->cipher_in));
    ADIT_TRY(adit_memory_open(1, PLAIN_IN_BYTES, &hub->plain_in));
    return adit_memory_open(1, PLAIN_OUT_BYTES, &hub->plain_out);
}

struct adit_status adit_hub_init(struct adit_hub *hub, const struct adit_hub_options *options)
{
    *hub = (struct adit_hub){.loop = options->loop,
                             .ops = options->ops,
                             .context = options->context,
                             .role = options->role};
    adit_chunk_pool_init(&hub->chunks, options->chunks_max, 64);
    struct adit_status status = take_memory(hub, options);
    if (!adit_is_ok(status)) {
        adit_hub_deinit(hub);
        return status;
    }
    adit_loop_turn_end_set(hub->loop, turn_end, hub);
    return adit_ok();
}

static void drop_pump(struct adit_hub *hub, struct pump *pump)
{
    adit_loop_unwatch(hub->loop, &pump->watch);
    adit_queue_reset(&pump->in, &hub->chunks);
    adit_socket_close(&pump->fd);
    adit_status_ignore(adit_pool_release(&hub->pumps, pump->self), "it lives");
}

static void drop_link(struct adit_hub *hub, struct link *link)
{
    adit_loop_unwatch(hub->loop, &link->watch);
    adit_loop_timer_cancel(hub->loop, &link->timer);
    adit_loop_timer_cancel(hub->loop, &link->pace_timer);
    adit_queue_reset(&link->control_in, &hub->chunks);
    adit_queue_reset(&link->control_out, &hub->chunks);
    adit_session_deinit(&link->session);
    adit_tls_close(&link->tls);
    adit_socket_close(&link->fd);
    adit_status_ignore(adit_pool_release(&hub->links, link->self), "it lives");
}

void adit_hub_deinit(struct adit_hub *hub)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&hub->pumps, &cursor, &handle);) {
        drop_pump(hub, hub_pump(hub, handle));
    }
    for (uint32_t cursor = 0; adit_pool_next(&hub->links, &cursor, &handle);) {
        drop_link(hub, hub_link(hub, handle));
    }
    adit_loop_timer_cancel(hub->loop, &hub->again);
    adit_loop_turn_end_set(hub->loop, NULL, NULL);
    adit_pool_deinit(&hub->links);
    adit_pool_deinit(&hub->pumps);
    adit_pool_deinit(&hub->firsts);
    adit_mux_deinit(&hub->mux);
    adit_memory_close(&hub->cipher_in);
    adit_memory_close(&hub->plain_in);
    adit_memory_close(&hub->plain_out);
    adit_chunk_pool_deinit(&hub->chunks);
}
