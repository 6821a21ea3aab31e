/* An address that parses is written, and what was written parses to the same. */
#include "net/address.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    struct adit_address address = {0};
    struct adit_address again = {0};
    struct adit_bytes host = {0};
    uint16_t port = 0;
    if (adit_is_ok(adit_address_split(input, 443, &host, &port))) {
        ADIT_ASSERT(port > 0 && host.len > 0 && host.len <= input.len);
    }
    if (!adit_is_ok(adit_address_parse(input, &address))) {
        ADIT_ASSERT(address.family == 0);
        return 0;
    }
    uint8_t room[64];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(room));
    ADIT_ASSERT(adit_is_ok(adit_address_write(&writer, &address)));
    ADIT_ASSERT(adit_is_ok(adit_address_parse(adit_writer_bytes(&writer), &again)));
    ADIT_ASSERT(again.family == address.family && again.port == address.port);
    ADIT_ASSERT(adit_bytes_equal(ADIT_BYTES_OF(again.ip), ADIT_BYTES_OF(address.ip)));
    ADIT_ASSERT(adit_address_is_loopback(&again) == adit_address_is_loopback(&address));
    return 0;
}
