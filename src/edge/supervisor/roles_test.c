#include "edge/supervisor/roles.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "unit.h"

/* base/below as a NUL-terminated path; the next call overwrites it. */
static const char *path_of(const char *base, const char *below)
{
    static char path[512];
    struct adit_writer writer = adit_writer_of(ADIT_OBJECT_SPAN(path));
    assert_ok(adit_write_bytes(&writer, adit_bytes_of_text(base)));
    assert_ok(adit_write_bytes(&writer, adit_bytes_of_text(below)));
    assert_ok(adit_write_u8(&writer, 0));
    return path;
}

static void programs_are_found_in_order(void **state)
{
    (void)state;
    char base[] = "/tmp/adit-roles-test-XXXXXX";
    assert_non_null(mkdtemp(base));
    static const char *const folders[] = {"/bin", "/libexec", "/libexec/adit", "/bin/libexec",
                                          "/bin/libexec/adit"};
    for (size_t i = 0; i < ADIT_COUNT(folders); i++) {
        assert_int_equal(mkdir(path_of(base, ADIT_AT(folders, i)), 0700), 0);
    }
    /* From the last choice to the first: each new one is preferred. */
    static const struct {
        const char *made, *found;
    } steps[] = {
        {"/bin/adit-door", "/bin/adit-door"},
        {"/libexec/adit/adit-door", "/bin/../libexec/adit/adit-door"},
        {"/bin/libexec/adit/adit-door", "/bin/libexec/adit/adit-door"},
    };
    struct adit_role_path path = {0};
    char bin[512] = {0};
    assert_ok(adit_span_copy(ADIT_OBJECT_SPAN(bin), adit_bytes_of_text(path_of(base, "/bin"))));
    assert_fails(adit_role_find(ADIT_ROLE_DOOR, adit_bytes_of_text(bin), &path), REFUSED);
    for (size_t i = 0; i < ADIT_COUNT(steps); i++) {
        assert_ok(adit_file_write(path_of(base, ADIT_AT(steps, i).made), 0600, ADIT_BYTES("x")));
        struct adit_status status =
            adit_role_find(ADIT_ROLE_DOOR, adit_bytes_of_text(bin), &path);
        if (i == 0) { /* not executable: not a program */
            assert_fails(status, REFUSED);
        }
        assert_int_equal(chmod(path_of(base, ADIT_AT(steps, i).made), 0700), 0);
        assert_ok(adit_role_find(ADIT_ROLE_DOOR, adit_bytes_of_text(bin), &path));
        assert_string_equal(path.text, path_of(base, ADIT_AT(steps, i).found));
    }
    assert_fails(adit_role_find(ADIT_ROLE_WORKER, adit_bytes_of_text(bin), &path), REFUSED);
    for (size_t i = 0; i < ADIT_COUNT(steps); i++) {
        assert_int_equal(unlink(path_of(base, ADIT_AT(steps, i).made)), 0);
    }
    for (size_t i = ADIT_COUNT(folders); i > 0; i--) {
        assert_int_equal(rmdir(path_of(base, ADIT_AT(folders, i - 1))), 0);
    }
    assert_int_equal(rmdir(base), 0);
}

static void the_own_folder_is_known(void **state)
{
    (void)state;
    uint8_t memory[ADIT_SUPERVISOR_PATH_MAX] = {0};
    struct adit_bytes folder = {0};
    assert_ok(adit_role_own_folder(ADIT_SPAN_OF(memory), &folder));
    assert_true(adit_bytes_starts_with(folder, ADIT_BYTES("/")));
    assert_false(adit_bytes_ends_with(folder, ADIT_BYTES("/")));
    assert_fails(adit_role_own_folder(adit_span_first(ADIT_SPAN_OF(memory), 1), &folder), LIMIT);
}

static void every_role_has_its_row(void **state)
{
    (void)state;
    assert_bytes(adit_role_info(ADIT_ROLE_CONTROL)->program, ADIT_BYTES("adit-control"));
    assert_bytes(adit_role_info(ADIT_ROLE_DOOR)->program, ADIT_BYTES("adit-door"));
    assert_bytes(adit_role_info(ADIT_ROLE_WORKER)->name, ADIT_BYTES("worker"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_found_in_order),
        cmocka_unit_test(the_own_folder_is_known),
        cmocka_unit_test(every_role_has_its_row),
    };
    return cmocka_run_group_tests_name("supervisor/roles", tests, NULL, NULL);
}
