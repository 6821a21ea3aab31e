#include "net/dial.h"

#include "base/job.h"

#define ATTEMPT_DELAY_US (250 * ADIT_MS_US) /* RFC 8305, section 5 */
#define HOST_BYTES_MAX 253
#define LOOKUPS_MAX 256 /* names that one loop's threads look up at once */

/* What the resolver's thread is given, and gives back. */
struct lookup {
    char host[HOST_BYTES_MAX + 1]; /* NUL-terminated */
    struct adit_address addresses[ADIT_DIAL_ADDRESSES_MAX];
    size_t count;
    int error; /* of getaddrinfo; 0 */
    int code;  /* its errno, which belongs to the thread */
};

struct attempt {
    int fd; /* -1: over */
    struct adit_handle watch;
};

struct adit_dial {
    struct adit_loop *loop;
    struct adit_dial_options options;
    struct lookup lookup;
    struct adit_job *job;
    struct adit_handle job_watch, delay, deadline;
    struct attempt attempts[ADIT_DIAL_ADDRESSES_MAX];
    size_t begun, over;       /* attempts */
    struct adit_status worst; /* the failure that tells most */
    bool is_done;
};

static void attempt_next(struct adit_dial *dial);

static struct adit_status late(void)
{
    ADIT_FAIL(TIMEOUT, "the connection was not made in time");
}

static struct adit_status no_name(const struct lookup *lookup)
{
    ADIT_FAIL_WITH(SYSTEM, "the name has no address",
                   lookup->error == EAI_SYSTEM ? lookup->code : EHOSTUNREACH);
}

/* True for a failure of a family that this machine may not have at all: on a machine without IPv6,
 * "refused" by 127.0.0.1 is what its owner must hear, not that ::1 cannot be reached. */
static bool is_about_no_way(struct adit_status status)
{
    return status.detail == EADDRNOTAVAIL || status.detail == ENETUNREACH ||
           status.detail == EHOSTUNREACH || status.detail == EAFNOSUPPORT;
}

static void attempt_end(struct adit_dial *dial, struct attempt *attempt)
{
    adit_loop_unwatch(dial->loop, &attempt->watch);
    adit_socket_close(&attempt->fd);
}

/* Stops everything that is under way; the dial itself stays until it is closed. */
static void stop(struct adit_dial *dial)
{
    for (size_t i = 0; i < dial->begun; i++) {
        attempt_end(dial, &ADIT_AT(dial->attempts, i));
    }
    adit_loop_unwatch(dial->loop, &dial->job_watch);
    adit_job_close(&dial->job);
    adit_loop_timer_cancel(dial->loop, &dial->delay);
    adit_loop_timer_cancel(dial->loop, &dial->deadline);
}

/* The one end. The callback may close the dial: nothing of it is touched afterwards. */
static void finish(struct adit_dial *dial, int fd, struct adit_status status)
{
    if (dial->is_done) {
        adit_socket_close(&fd);
        return;
    }
    dial->is_done = true;
    stop(dial);
    dial->options.done(dial->options.context, dial->options.key, fd, status);
}

static void attempt_failed(struct adit_dial *dial, struct attempt *attempt,
                           struct adit_status status)
{
    attempt_end(dial, attempt);
    dial->over++;
    if (adit_is_ok(dial->worst) || is_about_no_way(dial->worst) || !is_about_no_way(status)) {
        dial->worst = status;
    }
    if (dial->begun < dial->lookup.count) {
        attempt_next(dial);
    } else if (dial->over == dial->lookup.count) {
        finish(dial, -1, dial->worst);
    }
}

/* Key: the index of the attempt. */
static void attempt_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_dial *dial = context;
    struct attempt *attempt = &ADIT_AT(dial->attempts, key);
    (void)events;
    struct adit_status status = adit_socket_connect_result(attempt->fd);
    if (!adit_is_ok(status)) {
        attempt_failed(dial, attempt, status);
        return;
    }
    int fd = attempt->fd;
    adit_loop_unwatch(dial->loop, &attempt->watch);
    attempt->fd = -1;
    finish(dial, fd, adit_ok());
}

static void delay_over(void *context, uint64_t key)
{
    struct adit_dial *dial = context;
    (void)key;
    dial->delay = (struct adit_handle){0};
    if (dial->begun < dial->lookup.count) {
        attempt_next(dial);
    }
}

static struct adit_status attempt_begin(struct adit_dial *dial, struct attempt *attempt)
{
    size_t index = dial->begun - 1;
    ADIT_TRY(adit_socket_connect(&ADIT_AT(dial->lookup.addresses, index), &attempt->fd));
    ADIT_TRY(adit_loop_watch(dial->loop, attempt->fd, ADIT_LOOP_WRITE, attempt_ready, dial, index,
                             &attempt->watch));
    if (dial->begun == dial->lookup.count) {
        return adit_ok();
    }
    return adit_loop_timer_set(dial->loop, &dial->delay, dial->loop->now_us + ATTEMPT_DELAY_US,
                               delay_over, dial, 0);
}

static void attempt_next(struct adit_dial *dial)
{
    struct attempt *attempt = &ADIT_AT(dial->attempts, dial->begun);
    dial->begun++;
    attempt->fd = -1;
    struct adit_status status = attempt_begin(dial, attempt);
    if (!adit_is_ok(status)) {
        attempt_failed(dial, attempt, status); /* at most as deep as there are addresses */
    }
}

static void deadline_over(void *context, uint64_t key)
{
    struct adit_dial *dial = context;
    (void)key;
    dial->deadline = (struct adit_handle){0};
    finish(dial, -1, late());
}

static struct adit_status address_of(const struct addrinfo *info, struct adit_address *out_address)
{
    struct adit_bytes raw = adit_span_bytes(adit_object_span(info->ai_addr, info->ai_addrlen));
    struct adit_address made = {0};
    struct sockaddr_in in = {0};
    struct sockaddr_in6 in6 = {0};
    if (info->ai_family == AF_INET && raw.len >= sizeof(in)) {
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(in), adit_bytes_first(raw, sizeof(in))));
        ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(made.ip), ADIT_OBJECT_BYTES(in.sin_addr)));
        made.family = 4;
    } else if (info->ai_family == AF_INET6 && raw.len >= sizeof(in6)) {
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(in6), adit_bytes_first(raw, sizeof(in6))));
        ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(made.ip), ADIT_OBJECT_BYTES(in6.sin6_addr)));
        made.family = 6;
    }
    ADIT_ENSURE(made.family != 0, INVALID, "not an address of IP");
    *out_address = made;
    return adit_ok();
}

struct by_family {
    struct adit_address addresses[ADIT_DIAL_ADDRESSES_MAX];
    size_t count;
};

static void family_add(struct by_family *family, const struct adit_address *address)
{
    if (family->count < ADIT_DIAL_ADDRESSES_MAX) {
        ADIT_AT(family->addresses, family->count) = *address;
        family->count++;
    }
}

static void lookup_add(struct lookup *lookup, const struct by_family *family, size_t index)
{
    if (index < family->count && lookup->count < ADIT_DIAL_ADDRESSES_MAX) {
        ADIT_AT(lookup->addresses, lookup->count) = ADIT_AT(family->addresses, index);
        lookup->count++;
    }
}

/* In the resolver's thread. Families alternate, beginning with the one the system prefers. */
static void resolve(void *block)
{
    struct lookup *lookup = block;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    struct by_family four = {0};
    struct by_family six = {0};
    bool is_six_first = false;
    lookup->error = getaddrinfo(lookup->host, NULL, &hints, &found);
    for (const struct addrinfo *at = lookup->error == 0 ? found : NULL; at; at = at->ai_next) {
        struct adit_address address = {0};
        if (adit_is_ok(address_of(at, &address))) {
            is_six_first = is_six_first || (address.family == 6 && four.count == 0);
            family_add(address.family == 6 ? &six : &four, &address);
        }
    }
    lookup->code = lookup->error == EAI_SYSTEM ? errno : 0;
    if (lookup->error == 0) {
        freeaddrinfo(found);
    }
    for (size_t i = 0; i < ADIT_DIAL_ADDRESSES_MAX; i++) {
        lookup_add(lookup, is_six_first ? &six : &four, i);
        lookup_add(lookup, is_six_first ? &four : &six, i);
    }
}

/* The addresses are known: the attempts begin. */
static void begin(struct adit_dial *dial)
{
    if (dial->lookup.count == 0) {
        finish(dial, -1, no_name(&dial->lookup));
        return;
    }
    for (size_t i = 0; i < dial->lookup.count; i++) {
        ADIT_AT(dial->lookup.addresses, i).port = dial->options.port;
    }
    attempt_next(dial);
}

static void resolved(void *context, uint64_t key, uint32_t events)
{
    struct adit_dial *dial = context;
    (void)key;
    (void)events;
    const struct lookup *found = adit_job_result(dial->job);
    if (found) {
        dial->lookup = *found;
        adit_loop_unwatch(dial->loop, &dial->job_watch);
        adit_job_close(&dial->job);
        begin(dial);
    }
}

/* Nothing to look up; the loop's next turn begins, so that `done` never comes from inside open. */
static void known(void *context, uint64_t key)
{
    struct adit_dial *dial = context;
    (void)key;
    dial->delay = (struct adit_handle){0};
    begin(dial);
}

static bool is_localhost(struct adit_bytes host)
{
    static const struct adit_bytes name = ADIT_BYTES_INIT("localhost");
    if (adit_bytes_ends_with(host, ADIT_BYTES("."))) {
        host = adit_bytes_first(host, host.len - 1);
    }
    struct adit_bytes end = adit_bytes_from(host, host.len - adit_min_size(host.len, name.len));
    struct adit_bytes before = adit_bytes_first(host, host.len - end.len);
    return adit_bytes_equal_nocase(end, name) &&
           (before.len == 0 || adit_bytes_ends_with(before, ADIT_BYTES(".")));
}

bool adit_dial_is_loopback(struct adit_bytes host)
{
    struct adit_address address = {0};
    return is_localhost(host) || (adit_is_ok(adit_address_of_ip(host, 0, &address)) &&
                                  adit_address_is_loopback(&address));
}

/* True where the addresses are known without asking anybody. */
static bool find_without_asking(struct adit_bytes host, struct lookup *lookup)
{
    if (adit_is_ok(adit_address_of_ip(host, 0, &ADIT_AT(lookup->addresses, 0)))) {
        lookup->count = 1;
        return true;
    }
    if (!is_localhost(host)) {
        return false;
    }
    ADIT_AT(lookup->addresses, 0) = (struct adit_address){.family = 4, .ip = {127, 0, 0, 1}};
    ADIT_AT(lookup->addresses, 1) = (struct adit_address){.family = 6, .ip = {[15] = 1}};
    lookup->count = 2;
    return true;
}

bool adit_dial_at_once(const struct adit_dial_options *options, int *out_fd)
{
    struct adit_address address = {.family = 4, .ip = {127, 0, 0, 1}};
    int fd = -1;
    bool is_known = is_localhost(options->host) ||
                    adit_is_ok(adit_address_of_ip(options->host, 0, &address));
    if (!is_known || options->port == 0 || !adit_address_is_loopback(&address)) {
        return false;
    }
    address.port = options->port;
    struct adit_status status = options->is_to_speak ? adit_socket_connect_to_speak(&address, &fd)
                                                     : adit_socket_connect(&address, &fd);
    if (!adit_is_ok(status)) {
        return false;
    }
    if (!adit_socket_is_connected(fd)) {
        adit_socket_close(&fd);
        return false;
    }
    *out_fd = fd;
    return true;
}

static struct adit_status prepare(struct adit_dial *dial)
{
    struct adit_loop *loop = dial->loop;
    struct adit_bytes host = dial->options.host;
    ADIT_ENSURE(host.len > 0 && host.len <= HOST_BYTES_MAX && dial->options.port > 0, INVALID,
                "a host of 1 to 253 bytes and a port");
    ADIT_ENSURE(adit_bytes_find(host, 0) == host.len, INVALID, "a host with a NUL");
    ADIT_TRY(adit_loop_timer_set(loop, &dial->deadline, loop->now_us + dial->options.timeout_us,
                                 deadline_over, dial, 0));
    if (find_without_asking(host, &dial->lookup)) {
        return adit_loop_timer_set(loop, &dial->delay, loop->now_us, known, dial, 0);
    }
    ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(dial->lookup.host), host));
    if (!loop->lookups) {
        ADIT_TRY(adit_jobs_open(LOOKUPS_MAX, &loop->lookups));
    }
    ADIT_TRY(
        adit_job_open(loop->lookups, resolve, ADIT_OBJECT_BYTES(dial->lookup), &dial->job));
    return adit_loop_watch(loop, adit_job_fd(dial->job), ADIT_LOOP_READ, resolved, dial, 0,
                           &dial->job_watch);
}

static void give_back(struct adit_dial *dial)
{
    struct adit_span memory = adit_object_span(dial, sizeof(*dial));
    stop(dial);
    adit_memory_close(&memory);
}

struct adit_status adit_dial_open(struct adit_loop *loop, const struct adit_dial_options *options,
                                  struct adit_dial **out_dial)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_dial), &memory));
    struct adit_dial *dial = adit_memory_at(memory, sizeof(struct adit_dial), 0);
    dial->loop = loop;
    dial->options = *options;
    struct adit_status status = prepare(dial);
    if (!adit_is_ok(status)) {
        give_back(dial);
        return status;
    }
    *out_dial = dial;
    return adit_ok();
}

void adit_dial_close(struct adit_dial **dial)
{
    if (*dial) {
        give_back(*dial);
        *dial = NULL;
    }
}
