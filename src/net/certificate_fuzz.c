/* Certificates and keys of any bytes, split at the first '|': no failure leaves an object or an
 * error behind, and nobody is asked for a password. */
#include "net/certificate.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    size_t at = adit_bytes_find(input, '|');
    struct adit_certificate certificate = {0};
    struct adit_status status = adit_certificate_read(
        NULL, adit_bytes_first(input, at), adit_bytes_from(input, at + 1), &certificate);
    ADIT_ASSERT(ERR_peek_error() == 0);
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(!certificate.x509 && !certificate.key);
        return 0;
    }
    adit_certificate_drop(&certificate);
    return 0;
}
