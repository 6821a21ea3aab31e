#include "cli/adit/options.h"

#include "fuzz.h"

/* Targets and servers as a person may mistype them: what is accepted is whole and in range. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes text = {.ptr = data, .len = size};
    struct adit_agent_tunnel tunnel = {0};
    struct adit_bytes host = {0};
    uint16_t port = 0;
    if (adit_is_ok(adit_target_parse(text, &tunnel))) {
        ADIT_ASSERT(tunnel.port > 0 && tunnel.host.len > 0);
    }
    if (adit_is_ok(adit_host_port_parse(text, 443, &host, &port))) {
        ADIT_ASSERT(port > 0 && host.len > 0 && host.len <= text.len);
    }
    return 0;
}
