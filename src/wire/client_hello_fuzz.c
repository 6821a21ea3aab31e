/* A hello is judged the same however much of it was seen before, and is never asked for more than
 * it needs. */
#include "wire/client_hello.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    struct adit_client_hello hello = {0};
    enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_MORE;
    size_t seen = 0;
    /* As the door does: look, and look again when what was asked for is there. */
    while (verdict == ADIT_CLIENT_HELLO_MORE) {
        struct adit_status status =
            adit_client_hello_parse(adit_bytes_first(input, seen), &hello, &verdict);
        if (!adit_is_ok(status)) {
            ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_INVALID ||
                        adit_status_error(status) == ADIT_ERROR_LIMIT);
            /* more bytes do not make it better */
            ADIT_ASSERT(!adit_is_ok(adit_client_hello_parse(input, &hello, &verdict)));
            return 0;
        }
        if (verdict == ADIT_CLIENT_HELLO_MORE) {
            ADIT_ASSERT(hello.needed > seen && hello.needed <= ADIT_CLIENT_HELLO_BYTES_MAX);
            if (hello.needed > size) {
                return 0;
            }
            seen = hello.needed;
        }
    }
    struct adit_client_hello whole = {0};
    enum adit_client_hello_verdict again = ADIT_CLIENT_HELLO_MORE;
    ADIT_ASSERT(adit_is_ok(adit_client_hello_parse(input, &whole, &again)));
    ADIT_ASSERT(again == verdict);
    ADIT_ASSERT(adit_bytes_equal(ADIT_FIELD_BYTES(whole.server_name),
                                 ADIT_FIELD_BYTES(hello.server_name)));
    ADIT_ASSERT(whole.offers_agent == hello.offers_agent);
    ADIT_ASSERT(whole.version_max == hello.version_max);
    if (verdict == ADIT_CLIENT_HELLO_FOUND && seen > 0) { /* one byte fewer was not enough */
        ADIT_ASSERT(adit_is_ok(
            adit_client_hello_parse(adit_bytes_first(input, seen - 1), &whole, &again)));
        ADIT_ASSERT(again == ADIT_CLIENT_HELLO_MORE);
    }
    return 0;
}
