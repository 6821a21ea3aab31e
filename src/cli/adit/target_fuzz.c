#include "cli/adit/target.h"

#include "fuzz.h"

/* Targets as a person may mistype them: what is accepted is whole and in range. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes text = {.ptr = data, .len = size};
    static const enum adit_tunnel kinds[] = {ADIT_TUNNEL_TCP, ADIT_TUNNEL_HTTP, ADIT_TUNNEL_TLS};
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct adit_agent_tunnel tunnel = {.kind = ADIT_AT(kinds, i)};
        if (adit_is_ok(adit_target_parse(text, &tunnel))) {
            struct adit_bytes name = ADIT_FIELD_BYTES(tunnel.host);
            ADIT_ASSERT(tunnel.port > 0 && name.len > 0);
            ADIT_ASSERT(adit_bytes_find(name, '/') == name.len);
        }
    }
    return 0;
}
