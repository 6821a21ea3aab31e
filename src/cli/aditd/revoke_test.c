#include "cli/aditd/revoke.h"

#include "unit.h"

static void ids_are_hex(void **state)
{
    (void)state;
    static const char *const good[] = {"0123abcd", "0123ABCD",
                                       "0123456789abcdef0123456789abcdef"};
    static const char *const bad[] = {"",
                                      "0123abc",
                                      "0123abcg",
                                      "0123456789abcdef0123456789abcdef0",
                                      "adit_AAAAAAAA",
                                      "0123 abcd"};
    struct adit_revoke_id id = {0};
    for (size_t i = 0; i < ADIT_COUNT(good); i++) {
        struct adit_bytes text = adit_bytes_of_text(ADIT_AT(good, i));
        assert_ok(adit_revoke_id_of(text, &id));
        assert_true(adit_bytes_equal_nocase(ADIT_FIELD_BYTES(id.digits), text));
        assert_true(adit_bytes_starts_with(ADIT_FIELD_BYTES(id.digits), ADIT_BYTES("0123")));
    }
    assert_ok(adit_revoke_id_of(ADIT_BYTES("0123ABCD"), &id));
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_fails(adit_revoke_id_of(adit_bytes_of_text(ADIT_AT(bad, i)), &id), INVALID);
        assert_bytes(ADIT_FIELD_BYTES(id.digits), ADIT_BYTES("0123abcd"));
    }
}

static void a_token_is_found_by_its_beginning(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum adit_error error;
    } cases[] = {
        {"aaaaaaaa0000", ADIT_ERROR_NONE},  {"bbbbbbbb", ADIT_ERROR_NONE},
        {"aaaaaaaa", ADIT_ERROR_LIMIT},     {"aaaaaaab", ADIT_ERROR_REFUSED},
        {"aaaaaaaa0000000000000000000000aa", ADIT_ERROR_REFUSED},
    };
    static const struct adit_bytes ids[] = {
        ADIT_BYTES_INIT("aaaaaaaa000000000000000000000001"),
        ADIT_BYTES_INIT("aaaaaaaa100000000000000000000001"),
        ADIT_BYTES_INIT("bbbbbbbb000000000000000000000001"),
    };
    char folder[] = "/tmp/adit-revoke-test-XXXXXX";
    char path[128] = {0};
    struct adit_store store = {0};
    assert_non_null(mkdtemp(folder));
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(folder),
                             ADIT_BYTES(ADIT_STORE_FILE)));
    assert_ok(adit_store_open(&store, path));
    for (size_t i = 0; i < ADIT_COUNT(ids); i++) {
        struct adit_store_token token = {.kind = ADIT_TOKEN_USER, .allows = 1, .created_s = 1,
                                         .expires_s = 2};
        assert_ok(ADIT_FIELD_SET(token.account, ADIT_BYTES("ann")));
        assert_ok(ADIT_FIELD_SET(token.names, ADIT_BYTES("*")));
        assert_ok(adit_parse_hex(ADIT_AT(ids, i), ADIT_SPAN_OF(token.id)));
        assert_ok(adit_store_token_add(&store, &token));
    }
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_revoke_id id = {0};
        struct adit_store_token found = {0};
        assert_ok(adit_revoke_id_of(adit_bytes_of_text(ADIT_AT(cases, i).id), &id));
        assert_int_equal(adit_status_error(adit_revoke_find(&store, &id, &found)),
                         ADIT_AT(cases, i).error);
    }
    adit_store_close(&store);
    assert_int_equal(unlink(path), 0);
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(folder),
                             ADIT_BYTES(ADIT_STORE_MARK)));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_hex),
        cmocka_unit_test(a_token_is_found_by_its_beginning),
    };
    return cmocka_run_group_tests_name("aditd/revoke", tests, NULL, NULL);
}
