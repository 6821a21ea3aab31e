#include "sandbox/descriptors.h"

#define DESCRIPTORS_SCAN_MAX 1048576

static bool is_listed(const int *fds, size_t count, int fd)
{
    for (size_t i = 0; i < count; i++) {
        if (ADIT_SLOT(fds, count, i) == fd) {
            return true;
        }
    }
    return false;
}

static struct adit_status one_check(const int *fds, size_t count, int fd)
{
    if (!is_listed(fds, count, fd)) {
        ADIT_FAIL_WITH(INVALID, "sandbox step 1, descriptors: one is open that should not be", fd);
    }
    return adit_ok();
}

static struct adit_status folder_check(DIR *folder, const int *fds, size_t count)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            break;
        }
        uint64_t number = 0;
        struct adit_bytes name = adit_bytes_of_chars(entry->d_name, sizeof entry->d_name);
        if (!adit_is_ok(adit_parse_decimal(name, INT32_MAX, &number))) {
            continue; /* . and .. */
        }
        if ((int)number != dirfd(folder)) {
            ADIT_TRY(one_check(fds, count, (int)number));
        }
    }
    if (errno != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 1, descriptors: the list cannot be read", errno);
    }
    return adit_ok();
}

/* Where to end a search for descriptors by number. */
static int scan_end(void)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > DESCRIPTORS_SCAN_MAX) {
        return DESCRIPTORS_SCAN_MAX;
    }
    return (int)limit.rlim_cur;
}

static struct adit_status scan_check(const int *fds, size_t count)
{
    for (int fd = 0, end = scan_end(); fd < end; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            ADIT_TRY(one_check(fds, count, fd));
        }
    }
    return adit_ok();
}

void adit_descriptors_close(int first)
{
    if (close_range((unsigned)first, UINT32_MAX, 0) == 0) {
        return;
    }
    for (int fd = first, end = scan_end(); fd < end; fd++) { /* before Linux 5.9 */
        close(fd);
    }
}

struct adit_status adit_descriptors_check(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int fd = ADIT_SLOT(fds, count, i);
        if (fd >= 0 && fcntl(fd, F_GETFD) < 0) {
            ADIT_FAIL_WITH(INVALID, "sandbox step 1, descriptors: a listed one is not open", fd);
        }
    }
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) {
        return scan_check(fds, count);
    }
    struct adit_status status = folder_check(folder, fds, count);
    closedir(folder);
    return status;
}

struct adit_status adit_descriptors_thread_check(void)
{
    struct stat task = {0};
    if (stat("/proc/self/task", &task) != 0) {
        return adit_ok();
    }
    /* A folder has a link for itself, one in its parent, and one for each folder in it. */
    ADIT_ENSURE(task.st_nlink <= 3, REFUSED,
                "sandbox step 1, descriptors: a second thread runs, which would stay outside");
    return adit_ok();
}
