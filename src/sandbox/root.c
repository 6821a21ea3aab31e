#include "sandbox/root.h"

/* Not refused by us but by a container's rules: the caller goes on without. */
static bool is_denied(int reason)
{
    return reason == EPERM || reason == EACCES || reason == ENOSYS;
}

/* Mounts an empty file system that nobody can write to, and stands in it. */
static struct adit_status empty_mount(bool *out_is_there)
{
    static const char *const places[] = {"/tmp", "/run", "/proc", "/dev"};
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) != 0 && !is_denied(errno)) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: the mounts cannot be made private", errno);
    }
    for (size_t i = 0; i < ADIT_COUNT(places); i++) {
        const char *place = ADIT_AT(places, i);
        if (mount("tmpfs", place, "tmpfs", flags, "size=4k,nr_inodes=2,mode=0555") != 0) {
            continue;
        }
        if (chdir(place) != 0) {
            ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: the empty root cannot be entered", errno);
        }
        *out_is_there = true;
        return adit_ok();
    }
    if (is_denied(errno)) {
        return adit_ok();
    }
    ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: no empty root could be mounted", errno);
}

/* The working folder becomes the root, and the old one goes out of reach. */
static struct adit_status root_switch(void)
{
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        /* The old root now lies over the new one at "."; lazily, since the program runs from it. */
        if (umount2(".", MNT_DETACH) != 0) {
            ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: the old root does not go", errno);
        }
    } else if (chroot(".") != 0) { /* an initramfs, or a root that is no mount */
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: the root cannot be changed", errno);
    }
    if (chdir("/") != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: the new root cannot be entered", errno);
    }
    return adit_ok();
}

struct adit_status adit_root_empty(bool has_network, struct adit_root_answer *out_answer)
{
    struct adit_root_answer answer = {0};
    int kinds = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (has_network ? 0 : CLONE_NEWNET);
    if (unshare(kinds) != 0) {
        if (!is_denied(errno)) {
            ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, root: no namespaces of its own", errno);
        }
        *out_answer = answer;
        return adit_ok();
    }
    answer.is_network_empty = !has_network;
    ADIT_TRY(empty_mount(&answer.is_root_empty));
    if (answer.is_root_empty) {
        ADIT_TRY(root_switch());
    }
    *out_answer = answer;
    return adit_ok();
}

static struct adit_status user_drop(uid_t user, bool *out_is_ordinary)
{
    if (setgroups(0, 0) != 0 || setresgid(user, user, user) != 0 ||
        setresuid(user, user, user) != 0) {
        if (is_denied(errno) || errno == EINVAL) {
            *out_is_ordinary = false; /* a container with one user, or without CAP_SETUID */
            return adit_ok();
        }
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, user: root cannot be given up", errno);
    }
    ADIT_ENSURE(getuid() == user && geteuid() == user && getegid() == user, INTERNAL,
                "sandbox step 4, user: still somebody else");
    *out_is_ordinary = true;
    return adit_ok();
}

/* Gives up every capability but those of `kept`, a set of the first 32. */
static struct adit_status capabilities_drop(uint32_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
    if (kept != 0 && syscall(SYS_capget, &header, &now) == 0) {
        ADIT_AT(sets, 0).permitted = ADIT_AT(now, 0).permitted & kept; /* a container has fewer */
        ADIT_AT(sets, 0).effective = ADIT_AT(sets, 0).permitted;
    }
    if (syscall(SYS_capset, &header, &sets) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 4, user: capabilities cannot be given up", errno);
    }
    return adit_ok();
}

struct adit_status adit_root_powers_drop(void)
{
    return capabilities_drop(geteuid() == 0 ? 1u << CAP_DAC_OVERRIDE : 0);
}

struct adit_status adit_root_drop(uint32_t user_id, bool *out_is_ordinary)
{
    bool is_ordinary = true;
    if (geteuid() == 0) {
        ADIT_ENSURE(user_id != 0, INVALID, "sandbox step 4, user: root is no ordinary user");
        ADIT_TRY(user_drop(user_id, &is_ordinary));
    }
    ADIT_TRY(capabilities_drop(0));
    *out_is_ordinary = is_ordinary;
    return adit_ok();
}
