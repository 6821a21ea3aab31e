#include "net/crypto.h"

#include "unit.h"

static void the_library_is_named(void **state)
{
    (void)state;
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_crypto_version_write(&writer, ADIT_BYTES("adit 1.2.3")));
    struct adit_bytes text = adit_writer_bytes(&writer);
    assert_true(adit_bytes_starts_with(text, ADIT_BYTES("adit 1.2.3 (OpenSSL 3.")));
    assert_true(adit_bytes_ends_with(text, ADIT_BYTES(")\n")));
}

static void no_room_is_told(void **state)
{
    (void)state;
    uint8_t memory[12] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_fails(adit_crypto_version_write(&writer, ADIT_BYTES("adit 1.2.3")), LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_is_named),
        cmocka_unit_test(no_room_is_told),
    };
    return cmocka_run_group_tests_name("net/crypto", tests, NULL, NULL);
}
