#include "common.h"
#include "visitors.h"

#define GRACE_NS 2000000000ull /* for answers, after the last request of an open loop was due */

#define IDLE_ERRORS_MAX 100
#define IDLE_PATIENCE_NS 5000000000ull /* without an answer to anyone */

/* The first fifth of the time warms up. */
static void set_clock(struct visitors *visitors, uint64_t ms)
{
    visitors->start_ns = bench_now_ns();
    visitors->begin_ns = visitors->start_ns + ms * 200000;
    visitors->end_ns = visitors->start_ns + ms * 1000000;
}

void load_requests(const struct load_options *options, enum load_kind kind)
{
    static struct visitors visitors;
    visitors_init(&visitors, options, kind, VISITORS_LOOP);
    if (!visitors.is_close) {
        visitors_open_all(&visitors);
    }
    set_clock(&visitors, options->ms);
    visitors.is_running = true;
    for (size_t i = 0; i < visitors.count; i++) {
        struct visitor *visitor = &ADIT_SLOT(visitors.all, visitors.count, i);
        visitor_ask(&visitors, visitor, bench_now_ns());
    }
    while (bench_now_ns() < visitors.end_ns) {
        visitors_turn(&visitors, visitors.end_ns);
    }
    visitors_print(&visitors);
    if (kind == LOAD_WEBSOCKET) {
        printf(",\"messages\":%llu", (unsigned long long)visitors.answered);
    }
    printf("}\n");
}

/* When request `number` is due. */
static uint64_t due_ns(const struct visitors *visitors, uint64_t number)
{
    return visitors->start_ns + (uint64_t)((double)number * visitors->interval_ns);
}

/* Begins what is due, as far as connections are free. */
static void begin_due(struct visitors *visitors)
{
    while (visitors->free_count > 0 && visitors->sent < visitors->due) {
        uint64_t intended_ns = due_ns(visitors, visitors->sent);
        uint64_t now_ns = bench_now_ns();
        if (intended_ns > now_ns) {
            return;
        }
        size_t index = ADIT_SLOT(visitors->free, visitors->count, visitors->free_first);
        struct visitor *visitor = &ADIT_SLOT(visitors->all, visitors->count, index);
        visitors->free_first = (visitors->free_first + 1) % visitors->count;
        visitors->free_count--;
        visitors->sent++;
        visitors->behind_max_ns = adit_max_u64(visitors->behind_max_ns, now_ns - intended_ns);
        visitor_ask(visitors, visitor, intended_ns);
    }
}

/* Requests that were due and have no answer: each is as late as it is by now, and an error. */
static void count_unanswered(struct visitors *visitors)
{
    uint64_t now_ns = bench_now_ns();
    for (size_t i = 0; i < visitors->count; i++) {
        const struct visitor *visitor = &ADIT_SLOT(visitors->all, visitors->count, i);
        if (visitor->has_request) {
            visitors->errors++;
            histogram_add(&visitors->histogram, now_ns - visitor->since_ns);
        }
    }
    for (uint64_t number = visitors->sent; number < visitors->due; number++) {
        visitors->errors++;
        histogram_add(&visitors->histogram, now_ns - due_ns(visitors, number));
    }
}

/* Whether requests of the schedule are still to be sent or answered. */
static bool is_awaited(const struct visitors *visitors)
{
    return visitors->sent < visitors->due ||
           visitors->answered + visitors->lost < visitors->sent;
}

void load_paced(const struct load_options *options)
{
    static struct visitors visitors;
    visitors_init(&visitors, options, LOAD_HTTP, VISITORS_PACED);
    if (prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) != 0) { /* else it sleeps 50 us too long */
        bench_die("prctl");
    }
    if (visitors.is_close) {
        for (uint32_t i = 0; i < visitors.count; i++) {
            ADIT_SLOT(visitors.free, visitors.count, i) = i;
        }
        visitors.free_count = visitors.count;
    } else {
        visitors_open_all(&visitors);
    }
    set_clock(&visitors, options->ms);
    visitors.interval_ns = 1e9 / (double)options->rate;
    visitors.due = options->rate * options->ms / 1000;
    uint64_t behind = UINT64_MAX; /* until the schedule is over */
    for (uint64_t now_ns = visitors.start_ns; now_ns < visitors.end_ns + GRACE_NS;
         now_ns = bench_now_ns()) {
        if (now_ns >= visitors.end_ns && behind == UINT64_MAX) {
            behind = visitors.due - visitors.sent;
        }
        begin_due(&visitors);
        if (!is_awaited(&visitors)) {
            behind = behind == UINT64_MAX ? 0 : behind;
            break;
        }
        visitors_turn(&visitors, visitors.free_count > 0 && visitors.sent < visitors.due
                                     ? due_ns(&visitors, visitors.sent)
                                     : visitors.end_ns + GRACE_NS);
    }
    count_unanswered(&visitors);
    visitors_print(&visitors);
    printf(",\"rate\":%llu,\"behind\":%llu,\"behind_max_us\":%.1f}\n",
           (unsigned long long)options->rate, (unsigned long long)behind,
           (double)visitors.behind_max_ns / 1e3);
}

static void give_up_idle(const struct visitors *visitors)
{
    fprintf(stderr, "bench: %llu idle visitors of %zu are served\n",
            (unsigned long long)visitors->answered, visitors->count);
    exit(1);
}

/* Opens them a few at a time, each with one request. */
void load_idle(const struct load_options *options)
{
    static struct visitors visitors;
    visitors_init(&visitors, options, LOAD_HTTP, VISITORS_IDLE);
    set_clock(&visitors, UINT32_MAX);
    visitors.begin_ns = visitors.start_ns;
    uint64_t seen = 0, seen_ns = visitors.start_ns;
    for (size_t begun = 0; visitors.answered < visitors.count;) {
        while (begun < visitors.count && begun - visitors.answered < options->streams) {
            visitor_ask(&visitors, &ADIT_SLOT(visitors.all, visitors.count, begun), bench_now_ns());
            begun++;
        }
        visitors_turn(&visitors, visitors.end_ns);
        uint64_t now_ns = bench_now_ns();
        seen_ns = visitors.answered == seen ? seen_ns : now_ns;
        seen = visitors.answered;
        if (visitors.errors > IDLE_ERRORS_MAX || now_ns > seen_ns + IDLE_PATIENCE_NS) {
            give_up_idle(&visitors); /* a limit of what is measured, most likely */
        }
    }
    printf("{\"idle\":%llu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"errors\":%llu}\n",
           (unsigned long long)visitors.count,
           (double)(bench_now_ns() - visitors.start_ns) / 1e9,
           (double)histogram_at(&visitors.histogram, 500) / 1e3,
           (double)histogram_at(&visitors.histogram, 990) / 1e3,
           (unsigned long long)visitors.errors);
    fflush(stdout);
    uint8_t byte = 0;
    while (read(0, &byte, 1) > 0) {
    }
}
