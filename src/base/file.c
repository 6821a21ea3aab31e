#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

#define PATH_BYTES_MAX 4096

struct adit_status adit_file_read_fd(int fd, struct adit_writer *out)
{
    struct adit_writer attempt = *out;
    for (off_t at = 0;;) {
        struct adit_span room = adit_span_from(attempt.span, attempt.len);
        uint8_t beyond = 0; /* a full target still has to see the end of the file */
        ssize_t got = room.len > 0 ? pread(fd, room.ptr, room.len, at) : pread(fd, &beyond, 1, at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            ADIT_FAIL_WITH(SYSTEM, "the file cannot be read", errno);
        }
        if (got == 0) {
            *out = attempt;
            return adit_ok();
        }
        ADIT_ENSURE(room.len > 0, LIMIT, "the file is larger than its limit");
        attempt.len += (size_t)got;
        at += got;
    }
}

struct adit_status adit_file_read(const char *path, struct adit_writer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "the file cannot be opened", errno);
    }
    struct adit_status status = adit_file_read_fd(fd, out);
    close(fd);
    return status;
}

struct adit_status adit_file_size_get(const char *path, uint64_t *out_bytes)
{
    struct stat found = {0};
    if (stat(path, &found) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the file cannot be looked at", errno);
    }
    *out_bytes = (uint64_t)found.st_size;
    return adit_ok();
}

static struct adit_status bytes_write(int fd, struct adit_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            ADIT_FAIL_WITH(SYSTEM, "the file cannot be written", errno);
        }
        bytes = adit_bytes_from(bytes, (size_t)put);
    }
    return adit_ok();
}

static struct adit_status write_all(int fd, struct adit_bytes bytes)
{
    ADIT_TRY(bytes_write(fd, bytes));
    if (fsync(fd) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the file cannot be synced", errno);
    }
    return adit_ok();
}

/* path + ".new-" + 16 hex digits + NUL */
static struct adit_status beside_path(const char *path, struct adit_span out)
{
    uint8_t salt[8] = {0};
    struct adit_writer writer = adit_writer_of(out);
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(salt)));
    ADIT_TRY(adit_write_bytes(&writer, adit_bytes_of_text(path)));
    ADIT_TRY(adit_write_bytes(&writer, ADIT_BYTES(".new-")));
    ADIT_TRY(adit_write_hex(&writer, ADIT_BYTES_OF(salt)));
    return adit_write_u8(&writer, 0);
}

/* A new file beside `path`, whole and synced. */
static struct adit_status beside_write(const char *beside, unsigned mode, struct adit_bytes bytes)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "the file cannot be made", errno);
    }
    struct adit_status status = write_all(fd, bytes);
    close(fd);
    if (!adit_is_ok(status)) {
        unlink(beside);
    }
    return status;
}

struct adit_status adit_file_write(const char *path, unsigned mode, struct adit_bytes bytes)
{
    uint8_t memory[PATH_BYTES_MAX] = {0};
    const char *beside = (const char *)memory;
    ADIT_TRY(beside_path(path, ADIT_SPAN_OF(memory)));
    ADIT_TRY(beside_write(beside, mode, bytes));
    if (rename(beside, path) == 0) {
        return adit_ok();
    }
    int reason = errno;
    unlink(beside);
    ADIT_FAIL_WITH(SYSTEM, "the file cannot be put in place", reason);
}

struct adit_status adit_file_create(const char *path, unsigned mode, struct adit_bytes bytes)
{
    uint8_t memory[PATH_BYTES_MAX] = {0};
    const char *beside = (const char *)memory;
    ADIT_TRY(beside_path(path, ADIT_SPAN_OF(memory)));
    ADIT_TRY(beside_write(beside, mode, bytes));
    int reason = link(beside, path) == 0 ? 0 : errno; /* link(2) never replaces */
    unlink(beside);
    ADIT_ENSURE(reason != EEXIST, REFUSED, "the file is there already");
    if (reason != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the file cannot be put in place", reason);
    }
    return adit_ok();
}

struct adit_status adit_file_seal(struct adit_bytes bytes, int *out_fd)
{
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int fd = memfd_create("adit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a file without a name cannot be made", errno);
    }
    struct adit_status status = bytes_write(fd, bytes);
    int reason = adit_is_ok(status) && fcntl(fd, F_ADD_SEALS, seals) != 0 ? errno : 0;
    if (!adit_is_ok(status) || reason != 0) {
        close(fd);
        ADIT_TRY(status);
        ADIT_FAIL_WITH(SYSTEM, "a file without a name cannot be sealed", reason);
    }
    *out_fd = fd;
    return adit_ok();
}

struct adit_status adit_path_join(struct adit_span out, struct adit_bytes folder,
                                  struct adit_bytes name)
{
    struct adit_writer writer = adit_writer_of(out);
    ADIT_TRY(adit_write_bytes(&writer, folder));
    if (!adit_bytes_ends_with(folder, ADIT_BYTES("/"))) {
        ADIT_TRY(adit_write_u8(&writer, '/'));
    }
    ADIT_TRY(adit_write_bytes(&writer, name));
    return adit_write_u8(&writer, 0);
}
