#include "wire/tls_alert.h"

struct adit_status adit_tls_alert_write(struct adit_writer *writer, enum adit_tls_alert alert)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, ADIT_TLS_ALERT_BYTES, &hole));
    struct adit_writer record = adit_writer_of(hole);
    ADIT_TRY(adit_write_bytes(&record, ADIT_BYTES("\x15\x03\x03\x00\x02\x02")));
    return adit_write_u8(&record, (uint8_t)alert);
}
