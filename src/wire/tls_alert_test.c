#include "wire/tls_alert.h"

#include "unit.h"

static void alerts_are_fatal_records(void **state)
{
    (void)state;
    const struct {
        enum adit_tls_alert alert;
        struct adit_bytes bytes;
    } rows[] = {
        {ADIT_TLS_ALERT_RECORD_OVERFLOW, ADIT_BYTES("\x15\x03\x03\x00\x02\x02\x16")},
        {ADIT_TLS_ALERT_DECODE_ERROR, ADIT_BYTES("\x15\x03\x03\x00\x02\x02\x32")},
        {ADIT_TLS_ALERT_PROTOCOL_VERSION, ADIT_BYTES("\x15\x03\x03\x00\x02\x02\x46")},
        {ADIT_TLS_ALERT_INTERNAL_ERROR, ADIT_BYTES("\x15\x03\x03\x00\x02\x02\x50")},
        {ADIT_TLS_ALERT_UNRECOGNIZED_NAME, ADIT_BYTES("\x15\x03\x03\x00\x02\x02\x70")},
        {ADIT_TLS_ALERT_NO_APPLICATION_PROTOCOL, ADIT_BYTES("\x15\x03\x03\x00\x02\x02\x78")},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[ADIT_TLS_ALERT_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_tls_alert_write(&writer, ADIT_AT(rows, i).alert));
        assert_bytes(adit_writer_bytes(&writer), ADIT_AT(rows, i).bytes);
        assert_fails(adit_tls_alert_write(&writer, ADIT_AT(rows, i).alert), LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_are_fatal_records),
    };
    return cmocka_run_group_tests_name("wire/tls_alert", tests, NULL, NULL);
}
