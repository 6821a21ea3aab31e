#include "cli/aditd/token_list.h"

#include "unit.h"

#define NOW 1000000u

static struct adit_store_token token_of(const char *account, uint8_t allows)
{
    struct adit_store_token token = {.allows = allows, .created_s = NOW, .expires_s = NOW + 1};
    assert_ok(ADIT_FIELD_SET(token.account, adit_bytes_of_text(account)));
    assert_ok(ADIT_FIELD_SET(token.names, ADIT_BYTES("shop-*,blog")));
    adit_span_fill(ADIT_SPAN_OF(token.id), 0xab);
    return token;
}

static void a_table_is_aligned(void **state)
{
    (void)state;
    uint8_t memory[4 * ADIT_TOKEN_ROW_MAX] = {0};
    struct adit_writer table = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_columns columns = {0};
    const struct adit_store_token none = {0};
    struct adit_store_token ann = token_of("ann@example", ADIT_TOKEN_ALLOWS_TCP);
    struct adit_store_token bob = token_of("bob", ADIT_TOKEN_ALLOWS_HTTP | ADIT_TOKEN_ALLOWS_TLS);
    struct adit_store_token eve = token_of("eve", 0);
    bob.expires_s = NOW;
    eve.revoked_s = NOW;
    eve.expires_s = ADIT_TOKEN_EXPIRES_NEVER;
    adit_token_columns_fit(&columns, &none);
    adit_token_columns_fit(&columns, &ann);
    adit_token_columns_fit(&columns, &bob);
    adit_token_columns_fit(&columns, &eve);
    assert_ok(adit_token_head_write(&table, &columns));
    assert_ok(adit_token_row_write(&table, &columns, &ann, NOW));
    assert_ok(adit_token_row_write(&table, &columns, &bob, NOW));
    assert_ok(adit_token_row_write(&table, &columns, &eve, NOW));
#define AB "abababababababababababababababab"
    assert_bytes(
        adit_writer_bytes(&table),
        ADIT_BYTES("ID                                ACCOUNT      ALLOWS    NAMES        "
                   "CREATED               EXPIRES               STATE\n" AB
                   "  ann@example  tcp       shop-*,blog  1970-01-12T13:46:40Z  "
                   "1970-01-12T13:46:41Z  active\n" AB
                   "  bob          http,tls  shop-*,blog  1970-01-12T13:46:40Z  "
                   "1970-01-12T13:46:40Z  expired\n" AB
                   "  eve                    shop-*,blog  1970-01-12T13:46:40Z  "
                   "never                 revoked\n"));
}

static void objects_are_json(void **state)
{
    (void)state;
    uint8_t memory[ADIT_TOKEN_ROW_MAX] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_store_token token = token_of("ann", ADIT_TOKEN_ALLOWS_HTTP | ADIT_TOKEN_ALLOWS_TCP);
    assert_ok(adit_token_object_write(&text, &token, NOW));
    assert_bytes(adit_writer_bytes(&text),
                 ADIT_BYTES("{\"id\":\"" AB "\",\"account\":\"ann\",\"allows\":[\"http\",\"tcp\"],"
                            "\"names\":\"shop-*,blog\",\"created_at\":\"1970-01-12T13:46:40.000Z\","
                            "\"expires_at\":\"1970-01-12T13:46:41.000Z\",\"state\":\"active\"}"));
    text.len = 0;
    token = token_of("ann", 0);
    token.expires_s = ADIT_TOKEN_EXPIRES_NEVER;
    assert_ok(adit_token_object_write(&text, &token, NOW));
    assert_true(adit_bytes_ends_with(adit_writer_bytes(&text),
                                     ADIT_BYTES("\"expires_at\":null,\"state\":\"active\"}")));
}

/* The longest of everything, as one row, in either form. */
static void the_largest_row_fits(void **state)
{
    (void)state;
    uint8_t memory[ADIT_TOKEN_ROW_MAX] = {0};
    uint8_t quotes[ADIT_NAME_PATTERN_BYTES_MAX] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_columns columns = {0};
    struct adit_store_token token = token_of("ann", ADIT_TOKEN_ALLOWS_KNOWN);
    adit_span_fill(ADIT_SPAN_OF(quotes), 0xff); /* the worst to escape */
    assert_ok(ADIT_FIELD_SET(token.names, ADIT_BYTES_OF(quotes)));
    assert_ok(ADIT_FIELD_SET(token.account,
                             adit_bytes_first(ADIT_BYTES_OF(quotes), ADIT_TOKEN_ACCOUNT_BYTES)));
    adit_token_columns_fit(&columns, &token);
    assert_ok(adit_token_row_write(&text, &columns, &token, NOW));
    text.len = 0;
    assert_ok(adit_token_object_write(&text, &token, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_aligned),
        cmocka_unit_test(objects_are_json),
        cmocka_unit_test(the_largest_row_fits),
    };
    return cmocka_run_group_tests_name("aditd/token_list", tests, NULL, NULL);
}
