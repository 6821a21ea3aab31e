#include "net/crypto.h"

struct adit_status adit_crypto_version_write(struct adit_writer *writer,
                                             struct adit_bytes program_and_version)
{
    ADIT_TRY(adit_write_bytes(writer, program_and_version));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" (OpenSSL ")));
    ADIT_TRY(adit_write_bytes(writer, adit_bytes_of_text(OpenSSL_version(OPENSSL_VERSION_STRING))));
    return adit_write_bytes(writer, ADIT_BYTES(")\n"));
}
