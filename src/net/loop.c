#include "net/loop.h"

#include "base/job.h"

#define LOOP_EVENTS_MAX 128       /* events taken from the kernel in one turn */
#define LOOP_WAIT_MAX_MS 3600000u /* one sleep; a later timer sleeps again */

struct loop_watch {
    int fd;
    uint32_t interest;
    adit_loop_ready_fn *ready;
    void *context;
    uint64_t key;
};

struct loop_timer {
    uint32_t position; /* its slot in the heap */
    adit_loop_timer_fn *fire;
    void *context;
    uint64_t key;
};

struct loop_slot {
    uint64_t when_us;
    struct adit_handle timer;
};

struct adit_status adit_loop_open(struct adit_loop *loop, uint32_t watches_max,
                                  uint32_t timers_max)
{
    struct adit_loop made = {.epoll_fd = -1};
    struct adit_status status =
        adit_pool_init(&made.watches, sizeof(struct loop_watch), watches_max);
    if (adit_is_ok(status)) {
        status = adit_pool_init(&made.timers, sizeof(struct loop_timer), timers_max);
    }
    if (adit_is_ok(status)) {
        status = adit_memory_open(timers_max, sizeof(struct loop_slot), &made.heap);
    }
    if (!adit_is_ok(status)) {
        adit_loop_close(&made);
        return status;
    }
    made.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (made.epoll_fd < 0) {
        int code = errno;
        adit_loop_close(&made);
        ADIT_FAIL_WITH(SYSTEM, "epoll_create1", code);
    }
    made.now_us = adit_clock_now_us();
    made.end_us = made.now_us;
    *loop = made;
    return adit_ok();
}

void adit_loop_close(struct adit_loop *loop)
{
    if (loop->epoll_fd >= 0) {
        close(loop->epoll_fd);
    }
    adit_pool_deinit(&loop->watches);
    adit_pool_deinit(&loop->timers);
    adit_memory_close(&loop->heap);
    adit_jobs_close(&loop->lookups);
    *loop = (struct adit_loop){.epoll_fd = -1};
}

void adit_loop_turn_end_set(struct adit_loop *loop, adit_loop_turn_fn *turn_end, void *context)
{
    loop->turn_end = turn_end;
    loop->turn_context = context;
}

void adit_loop_spin_set(struct adit_loop *loop, bool is_on)
{
    adit_spin_init(&loop->spin, is_on, loop->now_us);
}

void adit_loop_give_way(struct adit_loop *loop)
{
    loop->gives_way = true;
}

void adit_loop_make_way(struct adit_loop *loop)
{
    loop->makes_way = true;
}

void adit_loop_far(struct adit_loop *loop)
{
    adit_spin_not_alone(&loop->spin);
}

/* --- Watches --------------------------------------------------------------------------------- */

static uint32_t events_of_interest(uint32_t interest)
{
    uint32_t events = 0;
    events |= (interest & ADIT_LOOP_READ) ? (uint32_t)EPOLLIN : 0;
    events |= (interest & ADIT_LOOP_WRITE) ? (uint32_t)EPOLLOUT : 0;
    events |= (interest & ADIT_LOOP_HANGUP) ? (uint32_t)EPOLLRDHUP : 0;
    events |= (interest & ADIT_LOOP_LEVEL) ? 0 : (uint32_t)EPOLLET;
    events |= (interest & ADIT_LOOP_ONESHOT) ? (uint32_t)EPOLLONESHOT : 0;
    events |= (interest & ADIT_LOOP_EXCLUSIVE) ? (uint32_t)EPOLLEXCLUSIVE : 0;
    return events;
}

static uint32_t events_for_reader(uint32_t events, uint32_t interest)
{
    uint32_t told = 0;
    told |= (events & EPOLLIN) ? ADIT_LOOP_READ : 0;
    told |= (events & EPOLLOUT) ? ADIT_LOOP_WRITE : 0;
    told |= (events & (EPOLLRDHUP | EPOLLHUP)) ? ADIT_LOOP_HANGUP : 0;
    told |= (events & EPOLLERR) ? ADIT_LOOP_ERROR : 0;
    if (events & (EPOLLHUP | EPOLLERR)) {
        told |= interest & (ADIT_LOOP_READ | ADIT_LOOP_WRITE);
    }
    return told;
}

/* A function, its context and its key belong together, and a struct of them would help nobody. */
struct adit_status adit_loop_watch(/* ADIT_ALLOW(parameters, "see above") */
                                   struct adit_loop *loop, int fd, uint32_t interest,
                                   adit_loop_ready_fn *ready, void *context, uint64_t key,
                                   struct adit_handle *out_watch)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    ADIT_TRY(adit_pool_acquire(&loop->watches, &handle, &object));
    struct loop_watch *watch = object;
    *watch = (struct loop_watch){
        .fd = fd, .interest = interest, .ready = ready, .context = context, .key = key};
    struct epoll_event event = {.events = events_of_interest(interest),
                                .data = {.u64 = adit_handle_pack(handle)}};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        int code = errno;
        adit_status_ignore(adit_pool_release(&loop->watches, handle), "just acquired");
        ADIT_FAIL_WITH(SYSTEM, "epoll_ctl add", code);
    }
    adit_spin_not_alone(&loop->spin);
    *out_watch = handle;
    return adit_ok();
}

struct adit_status adit_loop_interest_set(struct adit_loop *loop, struct adit_handle handle,
                                          uint32_t interest)
{
    struct loop_watch *watch = adit_pool_get(&loop->watches, handle);
    ADIT_ENSURE(watch, STALE, "no such watch");
    struct epoll_event event = {.events = events_of_interest(interest),
                                .data = {.u64 = adit_handle_pack(handle)}};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "epoll_ctl mod", errno);
    }
    watch->interest = interest;
    return adit_ok();
}

struct adit_status adit_loop_write_wanted(struct adit_loop *loop, struct adit_handle handle)
{
    const struct loop_watch *watch = adit_pool_get(&loop->watches, handle);
    ADIT_ENSURE(watch, STALE, "no such watch");
    if (watch->interest & ADIT_LOOP_WRITE) {
        return adit_ok();
    }
    return adit_loop_interest_set(loop, handle, watch->interest | ADIT_LOOP_WRITE);
}

void adit_loop_unwatch(struct adit_loop *loop, struct adit_handle *handle)
{
    struct loop_watch *watch = adit_pool_get(&loop->watches, *handle);
    if (watch) {
        struct epoll_event unused = {0};
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &unused);
        adit_status_ignore(adit_pool_release(&loop->watches, *handle), "it lives: looked up above");
    }
    *handle = (struct adit_handle){0};
}

void adit_loop_forget(struct adit_loop *loop, struct adit_handle *handle)
{
    adit_status_ignore(adit_pool_release(&loop->watches, *handle), "stale or unset is fine");
    *handle = (struct adit_handle){0};
}

/* --- Timers: a binary heap; each timer knows its slot, so it can be moved or taken out ------- */

static struct loop_slot *slot_at(const struct adit_loop *loop, uint32_t position)
{
    return adit_memory_at(loop->heap, sizeof(struct loop_slot), position);
}

static void slot_put(struct adit_loop *loop, uint32_t position, struct loop_slot slot)
{
    struct loop_timer *timer = adit_pool_get(&loop->timers, slot.timer);
    ADIT_ASSERT(timer);
    timer->position = position;
    *slot_at(loop, position) = slot;
}

/* Finds the place of `slot`, at `position` or towards the root, and puts it there. */
static void heap_rise(struct adit_loop *loop, uint32_t position, struct loop_slot slot)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / 2;
        struct loop_slot above = *slot_at(loop, parent);
        if (above.when_us <= slot.when_us) {
            break;
        }
        slot_put(loop, position, above);
        position = parent;
    }
    slot_put(loop, position, slot);
}

/* The same away from the root. */
static void heap_sink(struct adit_loop *loop, uint32_t position, struct loop_slot slot)
{
    for (uint64_t child = 2 * (uint64_t)position + 1; child < loop->heap_len;
         child = 2 * (uint64_t)position + 1) {
        uint32_t least = (uint32_t)child;
        if (child + 1 < loop->heap_len &&
            slot_at(loop, least + 1)->when_us < slot_at(loop, least)->when_us) {
            least++;
        }
        struct loop_slot below = *slot_at(loop, least);
        if (slot.when_us <= below.when_us) {
            break;
        }
        slot_put(loop, position, below);
        position = least;
    }
    slot_put(loop, position, slot);
}

static void heap_place(struct adit_loop *loop, uint32_t position, struct loop_slot slot)
{
    if (position > 0 && slot_at(loop, (position - 1) / 2)->when_us > slot.when_us) {
        heap_rise(loop, position, slot);
    } else {
        heap_sink(loop, position, slot);
    }
}

static void heap_remove(struct adit_loop *loop, uint32_t position)
{
    loop->heap_len--;
    if (position < loop->heap_len) {
        heap_place(loop, position, *slot_at(loop, loop->heap_len));
    }
}

struct adit_status adit_loop_timer_set(/* ADIT_ALLOW(parameters, "as adit_loop_watch") */
                                       struct adit_loop *loop, struct adit_handle *handle,
                                       uint64_t when_us, adit_loop_timer_fn *fire, void *context,
                                       uint64_t key)
{
    /* Always after this turn's time: a timer that sets itself anew cannot hold the turn up. */
    uint64_t later_us = adit_max_u64(when_us, loop->now_us + 1);
    struct loop_timer *timer = adit_pool_get(&loop->timers, *handle);
    if (!timer) {
        struct adit_handle made = {0};
        void *object = NULL;
        ADIT_TRY(adit_pool_acquire(&loop->timers, &made, &object));
        timer = object;
        *handle = made;
        loop->heap_len++;
        heap_rise(loop, loop->heap_len - 1,
                  (struct loop_slot){.when_us = later_us, .timer = made});
    } else {
        heap_place(loop, timer->position,
                   (struct loop_slot){.when_us = later_us, .timer = *handle});
    }
    timer->fire = fire;
    timer->context = context;
    timer->key = key;
    return adit_ok();
}

void adit_loop_timer_cancel(struct adit_loop *loop, struct adit_handle *handle)
{
    struct loop_timer *timer = adit_pool_get(&loop->timers, *handle);
    if (timer) {
        heap_remove(loop, timer->position);
        adit_status_ignore(adit_pool_release(&loop->timers, *handle), "it lives: looked up above");
    }
    *handle = (struct adit_handle){0};
}

static void timers_fire(struct adit_loop *loop)
{
    while (loop->heap_len > 0 && slot_at(loop, 0)->when_us <= loop->now_us) {
        struct adit_handle handle = slot_at(loop, 0)->timer;
        const struct loop_timer *found = adit_pool_get(&loop->timers, handle);
        ADIT_ASSERT(found);
        struct loop_timer timer = *found;
        adit_loop_timer_cancel(loop, &handle);
        timer.fire(timer.context, timer.key);
    }
}

/* --- Turns ----------------------------------------------------------------------------------- */

/* What is left of `wait_us` until the next timer. */
static uint64_t wait_until_timer(const struct adit_loop *loop, uint64_t wait_us)
{
    if (loop->heap_len == 0 || wait_us == 0) {
        return wait_us;
    }
    uint64_t now_us = adit_clock_now_us();
    return adit_min_u64(wait_us, adit_subtract_floor_u64(slot_at(loop, 0)->when_us, now_us));
}

/* Milliseconds to sleep, rounded up so that no timer is ever met early; -1 for ever. */
static int wait_ms(uint64_t wait_us)
{
    if (wait_us == UINT64_MAX) {
        return -1;
    }
    uint64_t ms = wait_us / ADIT_MS_US + (wait_us % ADIT_MS_US > 0 ? 1 : 0);
    return (int)adit_min_u64(ms, LOOP_WAIT_MAX_MS);
}

/* Asks again and again, as long as that is likely to pay, and lets others have the core between:
 * what epoll_wait says. */
static int poll_awake(struct adit_loop *loop, struct epoll_event *events, uint64_t wait_us)
{
    uint64_t at_us = loop->end_us;
    uint64_t most_us = adit_min_u64(adit_spin_allowance_us(&loop->spin, at_us), wait_us);
    struct adit_spin_poll poll = {.end_us = at_us};
    int got = 0;
    if (most_us == 0) {
        return 0;
    }
    while (got == 0 && poll.end_us - at_us < most_us) {
        sched_yield();
        uint64_t back_us = adit_clock_now_us();
        poll.yield_most_us = adit_max_u64(poll.yield_most_us, back_us - poll.end_us);
        got = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, 0);
        poll.end_us = adit_clock_now_us();
    }
    poll.is_hit = got > 0;
    poll.spent_us = poll.end_us - at_us;
    adit_spin_polled(&loop->spin, &poll);
    return got;
}

static void let_others(struct adit_loop *loop)
{
    if (loop->gives_way) {
        sched_yield();
    } else if (loop->makes_way && adit_yield_is_wise(&loop->yield, loop->end_us)) {
        sched_yield();
        adit_yield_took(&loop->yield, loop->end_us, adit_clock_now_us());
    }
    loop->gives_way = false;
    loop->makes_way = false;
}

static int wait_events(struct adit_loop *loop, struct epoll_event *events, uint64_t wait_us)
{
    let_others(loop);
    wait_us = wait_until_timer(loop, wait_us);
    int got = wait_us > 0 ? poll_awake(loop, events, wait_us) : 0;
    if (got == 0) {
        got = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, wait_ms(wait_us));
    }
    return got;
}

/* Events that one function handles are of one kind; of the last kind are those of all others. */
static uint32_t kind_of(struct adit_loop *loop, adit_loop_ready_fn *ready)
{
    uint32_t number = 0;
    while (number < ADIT_SPIN_KINDS - 1 && ADIT_AT(loop->kinds, number) &&
           ADIT_AT(loop->kinds, number) != ready) {
        number++;
    }
    ADIT_AT(loop->kinds, number) = ready;
    return number;
}

static void handle(struct adit_loop *loop, const struct epoll_event *event)
{
    const struct loop_watch *watch =
        adit_pool_get(&loop->watches, adit_handle_unpack(event->data.u64));
    if (!watch) {
        return; /* it was removed earlier in this turn */
    }
    if (loop->spin.is_on) {
        adit_spin_event(&loop->spin, kind_of(loop, watch->ready), event->data.u64);
    }
    watch->ready(watch->context, watch->key, events_for_reader(event->events, watch->interest));
}

struct adit_status adit_loop_turn(struct adit_loop *loop, uint64_t wait_us)
{
    struct epoll_event events[LOOP_EVENTS_MAX];
    int got = wait_events(loop, events, wait_us);
    if (got < 0) {
        if (errno != EINTR) {
            ADIT_FAIL_WITH(SYSTEM, "epoll_wait", errno);
        }
        got = 0;
    }
    loop->now_us = adit_clock_now_us();
    if (got > 0 && wait_us > 0) {
        adit_spin_gap(&loop->spin, loop->now_us - loop->end_us, (uint32_t)got);
    }
    loop->turns_total++;
    loop->events_total += (uint64_t)got;
    for (int i = 0; i < got; i++) {
        handle(loop, &ADIT_AT(events, i));
    }
    timers_fire(loop);
    if (loop->turn_end) {
        loop->turn_end(loop->turn_context);
    }
    loop->end_us = adit_clock_now_us();
    loop->busy_us += loop->end_us - loop->now_us;
    return adit_ok();
}

struct adit_status adit_loop_run(struct adit_loop *loop)
{
    while (!loop->is_stopping) {
        ADIT_TRY(adit_loop_turn(loop, UINT64_MAX));
    }
    loop->is_stopping = false;
    return adit_ok();
}

void adit_loop_stop(struct adit_loop *loop)
{
    loop->is_stopping = true;
}
