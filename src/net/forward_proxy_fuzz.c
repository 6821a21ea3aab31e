#include "net/forward_proxy.h"

#include "fuzz.h"

/* The first byte splits the rest into a list of exceptions and a host. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes text = {.ptr = data, .len = size};
    struct adit_forward_proxy proxy = {0};
    if (adit_is_ok(adit_forward_proxy_parse(text, &proxy))) {
        ADIT_ASSERT(proxy.host.len > 0 && proxy.port > 0 && proxy.basic.len % 4 == 0);
    } else {
        ADIT_ASSERT(proxy.host.len == 0 && proxy.basic.len == 0);
    }
    if (size > 0) {
        struct adit_bytes rest = adit_bytes_from(text, 1);
        size_t at = adit_bytes_at(text, 0);
        (void)adit_forward_proxy_is_bypassed(adit_bytes_first(rest, at), adit_bytes_from(rest, at));
    }
    return 0;
}
