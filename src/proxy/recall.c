/* The last heads of busy connections. */
#include "proxy/proxy_private.h"

static size_t place_of(const struct web *web)
{
    return web->self.index & (RECALLS - 1);
}

static struct recall *recall_at(const struct adit_proxy *proxy, const struct web *web)
{
    return adit_memory_at(proxy->recalls, sizeof(struct recall), place_of(web));
}

struct recall *recall_of(const struct adit_proxy *proxy, const struct web *web)
{
    const struct recall_place *place = &ADIT_AT(proxy->recall_places, place_of(web));
    bool is_its_own = place->is_set && adit_handle_equal(place->web, web->self);
    return is_its_own ? recall_at(proxy, web) : NULL;
}

struct recall *recall_begin(struct adit_proxy *proxy, const struct web *web)
{
    struct recall_place *place = &ADIT_AT(proxy->recall_places, place_of(web));
    bool is_its_own = adit_handle_equal(place->web, web->self);
    if (is_its_own && !place->is_set) {
        recall_at(proxy, web)->request.rest.len = 0; /* another's, until now */
        recall_at(proxy, web)->answer.head.len = 0;
    }
    *place = (struct recall_place){.web = web->self, .is_set = is_its_own};
    return is_its_own ? recall_at(proxy, web) : NULL;
}
