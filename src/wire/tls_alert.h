/* TLS alert: the seven bytes that tell a TLS client, before any handshake, why it is turned away.
 * Source: RFC 8446 section 6. Pure. */
#ifndef ADIT_WIRE_TLS_ALERT_H
#define ADIT_WIRE_TLS_ALERT_H

#include "base/writer.h"

#define ADIT_TLS_ALERT_BYTES 7

enum adit_tls_alert {
    ADIT_TLS_ALERT_RECORD_OVERFLOW = 22,
    ADIT_TLS_ALERT_DECODE_ERROR = 50,
    ADIT_TLS_ALERT_PROTOCOL_VERSION = 70,
    ADIT_TLS_ALERT_INTERNAL_ERROR = 80,
    ADIT_TLS_ALERT_UNRECOGNIZED_NAME = 112,
    ADIT_TLS_ALERT_NO_APPLICATION_PROTOCOL = 120,
};

/* Appends the fatal alert as one plaintext record: 15 03 03 00 02 02 and the code. */
struct adit_status adit_tls_alert_write(struct adit_writer *writer, enum adit_tls_alert alert);

#endif
