#include "cli/aditd/data.h"

#include "unit.h"

static void the_folder_is_found(void **state)
{
    (void)state;
    static const struct {
        struct adit_data_place place;
        const char *folder; /* null: refused */
    } cases[] = {
        {{.given = "here", .is_root = true}, "here"},
        {{.given = "", .home = "/home/ann"}, NULL},
        {{.is_root = true, .xdg_data_home = "/x", .home = "/root"}, "/var/lib/adit"},
        {{.xdg_data_home = "/x", .home = "/home/ann"}, "/x/adit"},
        {{.xdg_data_home = "relative", .home = "/home/ann"}, "/home/ann/.local/share/adit"},
        {{.xdg_data_home = "", .home = "/home/ann"}, "/home/ann/.local/share/adit"},
        {{.home = "/home/ann"}, "/home/ann/.local/share/adit"},
        {{.home = "relative"}, NULL},
        {{0}, NULL},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_data_path folder = {0};
        struct adit_status status = adit_data_find(&ADIT_AT(cases, i).place, &folder);
        if (ADIT_AT(cases, i).folder) {
            assert_ok(status);
            assert_string_equal(folder.text, ADIT_AT(cases, i).folder);
        } else {
            assert_fails(status, INVALID);
        }
    }
    static char endless[ADIT_DATA_PATH_MAX + 1];
    adit_span_fill(adit_span_first(ADIT_OBJECT_SPAN(endless), ADIT_DATA_PATH_MAX), '/');
    const struct adit_data_place place = {.given = endless};
    struct adit_data_path folder = {0};
    assert_fails(adit_data_find(&place, &folder), LIMIT);
}

static void expect_mode(const char *path, mode_t mode)
{
    struct stat found = {0};
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, mode);
}

static void it_makes_the_folder_and_one_key(void **state)
{
    (void)state;
    char base[] = "/tmp/adit-data-test-XXXXXX";
    struct adit_data_path above = {0};
    struct adit_data_path top = {0};
    struct adit_data_path folder = {0};
    struct adit_data_path key = {0};
    struct adit_data_path again = {0};
    uint8_t first[ADIT_TOKEN_KEY_BYTES] = {0};
    uint8_t second[ADIT_TOKEN_KEY_BYTES] = {0};
    assert_non_null(mkdtemp(base));
    const struct adit_data_place place = {.given = base};
    assert_ok(adit_data_find(&place, &top));
    assert_ok(adit_data_path(&top, ADIT_BYTES("a"), &above));
    assert_ok(adit_data_path(&above, ADIT_BYTES("b"), &folder));
    assert_ok(adit_data_make(&folder));
    assert_ok(adit_data_make(&folder)); /* it is there */
    expect_mode(folder.text, 0700);
    assert_fails(adit_data_require(&folder), REFUSED);
    assert_fails(adit_data_require(&key), REFUSED); /* no such folder */
    assert_ok(adit_data_token_key(&folder, &key));
    expect_mode(key.text, 0600);
    assert_ok(adit_data_token_key_read(key.text, ADIT_SPAN_OF(first)));
    assert_ok(adit_data_token_key(&folder, &again));
    assert_ok(adit_data_token_key_read(again.text, ADIT_SPAN_OF(second)));
    assert_bytes(ADIT_BYTES_OF(first), ADIT_BYTES_OF(second));
    struct adit_data_path under = {0};
    assert_ok(adit_data_path(&key, ADIT_BYTES("x"), &under));
    struct adit_status status = adit_data_make(&under); /* below a file */
    assert_false(adit_is_ok(status));
    assert_fails(adit_data_make(&key), REFUSED);
    assert_ok(adit_file_write(key.text, 0600, ADIT_BYTES("not a key\n")));
    assert_fails(adit_data_token_key_read(key.text, ADIT_SPAN_OF(second)), INVALID);
    assert_int_equal(unlink(key.text), 0);
    assert_fails(adit_data_token_key_read(key.text, ADIT_SPAN_OF(second)), SYSTEM);
    assert_int_equal(rmdir(folder.text), 0);
    assert_int_equal(rmdir(above.text), 0);
    assert_int_equal(rmdir(base), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_found),
        cmocka_unit_test(it_makes_the_folder_and_one_key),
    };
    return cmocka_run_group_tests_name("aditd/data", tests, NULL, NULL);
}
