/* Hosts that were asked for a moment ago, so that a request needs no lookup of its name. Each is
 * forgotten as soon as any name gets or loses its tunnel, so it says what the names say. */
#include "edge/worker/worker.h"

/* Two hosts of one place take turns; nothing else comes of it. */
static struct worker_host *place_of(struct worker *worker, struct adit_bytes host)
{
    size_t place = host.len;
    if (host.len > 2) {
        place += 3 * (size_t)adit_bytes_at(host, 0) + 5 * (size_t)adit_bytes_at(host, 2);
    }
    return &ADIT_AT(worker->hosts, place & (WORKER_HOSTS - 1));
}

struct bind *worker_host_find(struct worker *worker, struct adit_bytes host)
{
    struct worker_host *at = place_of(worker, host);
    if (host.len > 0 && adit_bytes_equal(ADIT_FIELD_BYTES(at->host), host)) {
        return worker_bind_at(worker, at->bind);
    }
    struct adit_bytes name = adit_name_of_host(host, ADIT_FIELD_BYTES(worker->domain));
    struct bind *bind = worker_name_find(worker, name);
    if (bind && adit_is_ok(ADIT_FIELD_SET(at->host, host))) {
        at->bind = bind->self;
    }
    return bind;
}

void worker_hosts_forget(struct worker *worker)
{
    for (size_t i = 0; i < WORKER_HOSTS; i++) {
        ADIT_AT(worker->hosts, i).host.len = 0;
    }
}
