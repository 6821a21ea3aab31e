#include "sandbox/descriptors.h"

#include "child.h"
#include "unit.h"

static const int standard[] = {0, 1, 2};

/* A child that starts from exactly 0, 1, 2. */
static void clean(void)
{
    for (int fd = 3; fd < 256; fd++) {
        close(fd);
    }
}

static int exact(void *context)
{
    (void)context;
    clean();
    return adit_is_ok(adit_descriptors_check(standard, ADIT_COUNT(standard))) ? 0 : 1;
}

static int one_more(void *context)
{
    (void)context;
    clean();
    int extra = dup(0);
    struct adit_status status = adit_descriptors_check(standard, ADIT_COUNT(standard));
    return adit_status_error(status) == ADIT_ERROR_INVALID && status.detail == extra ? 0 : 1;
}

static int one_less(void *context)
{
    (void)context;
    clean();
    close(1);
    struct adit_status status = adit_descriptors_check(standard, ADIT_COUNT(standard));
    return adit_status_error(status) == ADIT_ERROR_INVALID && status.detail == 1 ? 0 : 1;
}

static int inherited(void *context)
{
    (void)context;
    if (dup2(0, 3) != 3 || dup2(0, 77) != 77 || dup2(0, 1000) != 1000) {
        return 1;
    }
    adit_descriptors_close(3);
    static const int with_none[] = {0, 1, -1, 2};
    return adit_is_ok(adit_descriptors_check(with_none, ADIT_COUNT(with_none))) ? 0 : 2;
}

static int scanned(void *context)
{
    (void)context;
    clean();
    if (unshare(CLONE_NEWNS) != 0) {
        return 77;
    }
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) != 0 ||
        mount("tmpfs", "/proc", "tmpfs", 0, 0) != 0) {
        return 77;
    }
    if (!adit_is_ok(adit_descriptors_check(standard, ADIT_COUNT(standard)))) {
        return 1;
    }
    int extra = dup(0);
    struct adit_status status = adit_descriptors_check(standard, ADIT_COUNT(standard));
    return adit_status_error(status) == ADIT_ERROR_INVALID && status.detail == extra ? 0 : 2;
}

static void the_list_is_exact(void **state)
{
    (void)state;
    assert_int_equal(child_run(exact, 0), 0);
    assert_int_equal(child_run(one_more, 0), 0);
    assert_int_equal(child_run(one_less, 0), 0);
    assert_int_equal(child_run(inherited, 0), 0);
}

static void without_proc_it_scans(void **state)
{
    (void)state;
    int how = child_run(scanned, 0);
    if (how == 77) {
        skip(); /* needs root to hide /proc */
    }
    assert_int_equal(how, 0);
}

static void one_thread_is_fine(void **state)
{
    (void)state;
    assert_ok(adit_descriptors_thread_check());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_exact),
        cmocka_unit_test(without_proc_it_scans),
        cmocka_unit_test(one_thread_is_fine),
    };
    return cmocka_run_group_tests_name("sandbox/descriptors", tests, NULL, NULL);
}
