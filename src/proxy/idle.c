/* Pipes between two requests: a stack for each tunnel, and one list by age. */
#include "proxy/proxy_private.h"

static struct idle *idle_at(const struct adit_proxy *proxy, struct adit_handle handle)
{
    return adit_pool_get(&proxy->idles, handle);
}

struct idle *idle_of(const struct adit_proxy *proxy, struct adit_handle handle,
                     struct adit_handle pipe)
{
    struct idle *idle = idle_at(proxy, handle);
    return idle && adit_handle_equal(idle->pipe, pipe) ? idle : NULL;
}

/* What was known of another tunnel goes into the table. */
static void top_keep(struct adit_proxy *proxy, struct idle_top *at)
{
    if (!at->is_used) {
        return;
    }
    if (!adit_handle_is_set(at->top)) {
        adit_table_remove(&proxy->tunnels, ADIT_OBJECT_BYTES(at->tunnel));
        return;
    }
    adit_status_ignore(
        adit_table_set(&proxy->tunnels, ADIT_OBJECT_BYTES(at->tunnel), adit_handle_pack(at->top)),
        "it has a place for each idle pipe, and for each tunnel that had one a moment ago");
}

/* The place is another tunnel's, or nobody's. */
static void place_take(struct adit_proxy *proxy, struct idle_top *at, uint64_t tunnel)
{
    uint64_t packed = 0;
    top_keep(proxy, at);
    *at = (struct idle_top){.tunnel = tunnel, .is_used = true};
    if (adit_table_get(&proxy->tunnels, ADIT_OBJECT_BYTES(tunnel), &packed)) {
        at->top = adit_handle_unpack(packed);
    }
}

/* The tunnel's place among those that were busy a moment ago: a request costs no lookup then. */
static inline struct idle_top *place_of(struct adit_proxy *proxy, uint64_t tunnel)
{
    struct idle_top *at = &ADIT_AT(proxy->tops, tunnel & (IDLE_TOPS - 1));
    if (!at->is_used || at->tunnel != tunnel) {
        place_take(proxy, at, tunnel);
    }
    return at;
}

static struct idle *top_of(struct adit_proxy *proxy, uint64_t tunnel)
{
    return idle_at(proxy, place_of(proxy, tunnel)->top);
}

static void top_set(struct adit_proxy *proxy, uint64_t tunnel, struct adit_handle top)
{
    place_of(proxy, tunnel)->top = top;
}

/* --- By age ---------------------------------------------------------------------------------- */

static void age_add(struct adit_proxy *proxy, struct idle *idle)
{
    struct idle *before = idle_at(proxy, proxy->newest);
    idle->until_us = proxy->loop->now_us + proxy->times.idle_pipe_us;
    idle->older = proxy->newest;
    idle->newer = (struct adit_handle){0};
    if (before) {
        before->newer = idle->self;
    } else {
        proxy->oldest = idle->self;
    }
    proxy->newest = idle->self;
}

static void age_remove(struct adit_proxy *proxy, struct idle *idle)
{
    struct idle *older = idle_at(proxy, idle->older);
    struct idle *newer = idle_at(proxy, idle->newer);
    if (older) {
        older->newer = idle->newer;
    } else {
        proxy->oldest = idle->newer;
    }
    if (newer) {
        newer->older = idle->older;
    } else {
        proxy->newest = idle->older;
    }
}

/* --- Of a tunnel ----------------------------------------------------------------------------- */

static void stack_add(struct adit_proxy *proxy, struct idle *idle, struct idle *top)
{
    if (top) {
        top->above = idle->self;
        idle->below = top->self;
        idle->depth = top->depth + 1;
    }
    top_set(proxy, idle->tunnel, idle->self);
    proxy->counters.idle_pipes_now++;
}

static void stack_remove(struct adit_proxy *proxy, struct idle *idle)
{
    struct idle *above = idle_at(proxy, idle->above);
    struct idle *below = idle_at(proxy, idle->below);
    for (struct idle *each = above; each; each = idle_at(proxy, each->above)) {
        each->depth--;
    }
    if (above) {
        above->below = idle->below;
    } else {
        top_set(proxy, idle->tunnel, idle->below);
    }
    if (below) {
        below->above = idle->above;
    }
    idle->above = (struct adit_handle){0};
    idle->below = (struct adit_handle){0};
    proxy->counters.idle_pipes_now--;
}

/* From here on nobody takes it; it ends in order, in its time. */
static void leave(struct adit_proxy *proxy, struct idle *idle)
{
    stack_remove(proxy, idle);
    age_remove(proxy, idle);
    age_add(proxy, idle);
    idle->is_leaving = true;
    adit_pipe_ready(proxy->hub, idle->pipe);
}

void idle_remove(struct adit_proxy *proxy, struct idle *idle)
{
    if (!idle->is_leaving) {
        stack_remove(proxy, idle);
    }
    age_remove(proxy, idle);
    adit_status_ignore(adit_pool_release(&proxy->idles, idle->self), "it lives");
}

static void idle_close(struct adit_proxy *proxy, struct idle *idle)
{
    struct adit_handle pipe = idle->pipe;
    idle_remove(proxy, idle);
    adit_pipe_close(proxy->hub, pipe);
}

/* --- Time ------------------------------------------------------------------------------------ */

static void idle_fired(void *context, uint64_t key);

/* One timer, for the oldest; it is not moved when that one goes earlier. */
static void idle_arm(struct adit_proxy *proxy)
{
    const struct idle *oldest = idle_at(proxy, proxy->oldest);
    if (oldest && !adit_handle_is_set(proxy->idle_timer)) {
        adit_status_ignore(adit_loop_timer_set(proxy->loop, &proxy->idle_timer, oldest->until_us,
                                               idle_fired, proxy, 0),
                           "the next pipe that comes here sets it");
    }
}

static void idle_fired(void *context, uint64_t key)
{
    struct adit_proxy *proxy = context;
    (void)key;
    proxy->idle_timer = (struct adit_handle){0};
    for (struct idle *idle = idle_at(proxy, proxy->oldest);
         idle && idle->until_us <= proxy->loop->now_us; idle = idle_at(proxy, proxy->oldest)) {
        if (idle->is_leaving) {
            idle_close(proxy, idle); /* the program does not end its side: enough */
        } else {
            leave(proxy, idle);
        }
    }
    idle_arm(proxy);
}

/* --- For the others -------------------------------------------------------------------------- */

/* Will the program take a request over it, as surely as over a connection of its own? One that ends
 * its connections after an answer has done so by now, and its FIN came behind the answer; one that
 * ends them after a while waits longer than this. (Decision 0030.) */
static bool is_sure(const struct adit_proxy *proxy, const struct idle *idle)
{
    uint64_t age_us = proxy->loop->now_us - idle->since_us;
    return age_us <= proxy->times.fresh_us &&
           (idle->uses > 1 || age_us >= proxy->times.proven_us);
}

/* The newest; for a request that cannot be sent twice, the newest that is sure. All may have to be
 * looked at: a dial costs more. */
static struct idle *find(struct adit_proxy *proxy, uint64_t tunnel, bool is_repeatable)
{
    struct idle *idle = top_of(proxy, tunnel);
    for (int looks = 0; idle && !is_repeatable && !is_sure(proxy, idle); looks++) {
        idle = looks < ADIT_PROXY_IDLE_PIPES_MAX ? idle_at(proxy, idle->below) : NULL;
    }
    return idle;
}

bool idle_take(struct adit_proxy *proxy, uint64_t tunnel, struct exchange *exchange)
{
    struct idle *idle = find(proxy, tunnel, exchange->request.is_repeatable);
    if (!idle) {
        return false;
    }
    exchange->pipe = idle->pipe;
    exchange->pipe_uses = idle->uses;
    idle_remove(proxy, idle);
    return true;
}

/* The tunnel has its share of them. For one that was used again before, the one that rested longest
 * makes room, as where it is stale; else a new one goes itself, or none would get old enough to be
 * sure. */
static bool makes_room(struct adit_proxy *proxy, struct idle *top, uint32_t uses)
{
    struct idle *last = top;
    if (!top || top->depth + 1 < ADIT_PROXY_IDLE_PIPES_MAX) {
        return true;
    }
    for (struct idle *each = top; each; each = idle_at(proxy, each->below)) {
        last = each;
    }
    bool is_stale = proxy->loop->now_us - last->since_us > proxy->times.fresh_us;
    if (uses > 1 || is_stale) {
        leave(proxy, last); /* of sixty-four: not the top */
    }
    return uses > 1 || is_stale;
}

void idle_put(struct adit_proxy *proxy, struct exchange *exchange, bool is_leaving)
{
    const uint64_t tunnel = exchange->tunnel;
    const struct adit_handle pipe = exchange->pipe;
    struct adit_handle handle = {0};
    void *object = NULL;
    exchange->pipe = (struct adit_handle){0};
    if (!adit_is_ok(adit_pool_acquire(&proxy->idles, &handle, &object))) {
        adit_pipe_close(proxy->hub, pipe);
        return;
    }
    struct idle *idle = object;
    *idle = (struct idle){.self = handle,
                          .pipe = pipe,
                          .tunnel = tunnel,
                          .since_us = proxy->loop->now_us,
                          .uses = exchange->pipe_uses};
    adit_pipe_user_set(proxy->hub, pipe, proxy_user(handle, USER_IDLE));
    struct idle *top = top_of(proxy, tunnel);
    is_leaving = is_leaving || proxy->is_draining || !makes_room(proxy, top, idle->uses);
    stack_add(proxy, idle, top);
    age_add(proxy, idle);
    if (is_leaving) {
        leave(proxy, idle);
    }
    idle_arm(proxy);
}

void idle_finished(struct adit_proxy *proxy, struct idle *idle)
{
    if (!idle->is_leaving) {
        leave(proxy, idle);
    }
}

void idle_tunnel_gone(struct adit_proxy *proxy, uint64_t tunnel)
{
    for (struct idle *idle = top_of(proxy, tunnel); idle; idle = top_of(proxy, tunnel)) {
        leave(proxy, idle);
    }
}

void idle_close_all(struct adit_proxy *proxy)
{
    adit_loop_timer_cancel(proxy->loop, &proxy->idle_timer);
    for (struct idle *idle = idle_at(proxy, proxy->oldest); idle;
         idle = idle_at(proxy, proxy->oldest)) {
        idle_close(proxy, idle);
    }
}
