#include "sandbox/root.h"

#include <arpa/inet.h>
#include <net/if.h>

#include "child.h"
#include "unit.h"

#define DENIED 77

static int empty_root(void *context)
{
    const bool *has_network = context;
    struct adit_root_answer answer = {0};
    if (!adit_is_ok(adit_root_empty(*has_network, &answer))) {
        return 1;
    }
    if (!answer.is_root_empty) {
        return DENIED;
    }
    DIR *root = opendir("/");
    if (!root || answer.is_network_empty == *has_network) {
        return 2;
    }
    for (const struct dirent *entry = readdir(root); entry; entry = readdir(root)) {
        if (!adit_bytes_starts_with(adit_bytes_of_chars(entry->d_name, sizeof entry->d_name),
                                    ADIT_BYTES("."))) {
            return 3;
        }
    }
    if (open("/new", O_CREAT | O_WRONLY, 0600) >= 0 || mkdir("/new", 0700) == 0 ||
        open("/../etc/passwd", O_RDONLY) >= 0) {
        return 4;
    }
    return 0;
}

static int dropped(void *context)
{
    (void)context;
    bool is_ordinary = false;
    if (!adit_is_ok(adit_root_drop(65534, &is_ordinary))) {
        return 1;
    }
    if (!is_ordinary) {
        return DENIED;
    }
    if (geteuid() == 0 || setresuid(0, 0, 0) == 0 ||
        (getegid() != 0 && setresgid(0, 0, 0) == 0) ||
        (geteuid() == 65534 && getgroups(0, 0) != 0)) {
        return 2;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, &caps) != 0) {
        return 3;
    }
    return caps[0].effective == 0 && caps[0].permitted == 0 && caps[0].inheritable == 0 ? 0 : 4;
}

static int powerless(void *context)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {0};
    uid_t before = geteuid();
    (void)context;
    if (!adit_is_ok(adit_root_powers_drop()) || geteuid() != before ||
        syscall(SYS_capget, &header, &caps) != 0) {
        return 1;
    }
    uint32_t most = before == 0 ? 1u << CAP_DAC_OVERRIDE : 0;
    return (caps[0].permitted & ~most) == 0 && caps[1].permitted == 0 ? 0 : 2;
}

static int to_root(void *context)
{
    (void)context;
    bool is_ordinary = false;
    return adit_status_error(adit_root_drop(0, &is_ordinary)) == ADIT_ERROR_INVALID ? 0 : 1;
}

static void root_is_empty(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    bool has_network = true;
    int how = child_run(empty_root, &has_network);
    if (how == DENIED) {
        skip(); /* a container without the right to mount */
    }
    assert_int_equal(how, 0);
    has_network = false;
    assert_int_equal(child_run(empty_root, &has_network), 0);
}

static void nothing_is_kept(void **state)
{
    (void)state;
    int how = child_run(dropped, 0);
    if (how == DENIED) {
        skip(); /* a container with one user */
    }
    assert_int_equal(how, 0);
    if (geteuid() == 0) {
        assert_int_equal(child_run(to_root, 0), 0);
    }
}

static void root_keeps_its_name_and_little_else(void **state)
{
    (void)state;
    assert_int_equal(child_run(powerless, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_empty),
        cmocka_unit_test(nothing_is_kept),
        cmocka_unit_test(root_keeps_its_name_and_little_else),
    };
    return cmocka_run_group_tests_name("sandbox/root", tests, NULL, NULL);
}
