#include "net/local.h"

#define BACKLOG 16

/* An open folder, and the address of a socket in it that holds as long as the folder is open. */
struct place {
    int folder;
    char name[64]; /* in the folder */
    struct sockaddr_un address;
};

static struct adit_status address_fill(struct place *place, struct adit_bytes name)
{
    struct adit_writer own = adit_writer_of(ADIT_OBJECT_SPAN(place->name));
    struct adit_writer path = adit_writer_of(ADIT_OBJECT_SPAN(place->address.sun_path));
    place->address.sun_family = AF_UNIX;
    ADIT_TRY(adit_write_bytes(&own, name));
    ADIT_TRY(adit_write_u8(&own, 0));
    ADIT_TRY(adit_write_bytes(&path, ADIT_BYTES("/proc/self/fd/")));
    ADIT_TRY(adit_write_decimal(&path, (uint64_t)place->folder));
    ADIT_TRY(adit_write_bytes(&path, ADIT_BYTES("/")));
    ADIT_TRY(adit_write_bytes(&path, name));
    return adit_write_u8(&path, 0);
}

static struct adit_status place_open(const char *folder, struct adit_bytes name,
                                     struct place *out_place)
{
    struct place place = {.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (place.folder < 0) {
        ADIT_FAIL_WITH(SYSTEM, "the folder of a local socket cannot be opened", errno);
    }
    struct adit_status status = address_fill(&place, name);
    if (!adit_is_ok(status)) {
        adit_socket_close(&place.folder);
        return status;
    }
    *out_place = place;
    return adit_ok();
}

static struct adit_status socket_make(int *out_fd)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a local socket cannot be made", errno);
    }
    *out_fd = fd;
    return adit_ok();
}

static struct adit_status place_connect(const struct place *place, int *out_fd)
{
    int fd = -1;
    ADIT_TRY(socket_make(&fd));
    const void *address = &place->address;
    if (connect(fd, address, sizeof place->address) == 0) {
        *out_fd = fd;
        return adit_ok();
    }
    int reason = errno;
    adit_socket_close(&fd);
    ADIT_ENSURE(reason != ENOENT && reason != ECONNREFUSED, CLOSED, "no server listens here");
    ADIT_ENSURE(reason != EAGAIN, FULL, "the server here is busy");
    ADIT_FAIL_WITH(SYSTEM, "the server here cannot be reached", reason);
}

/* --- Listen ----------------------------------------------------------------------------------- */

/* Takes an old file away, unless somebody answers there. */
static struct adit_status place_clear(const struct place *place)
{
    int fd = -1;
    struct adit_status status = place_connect(place, &fd);
    if (adit_status_error(status) != ADIT_ERROR_CLOSED) {
        adit_socket_close(&fd);
        ADIT_ENSURE(!adit_is_ok(status) && adit_status_error(status) != ADIT_ERROR_FULL, REFUSED,
                    "another server runs on this data folder");
        return status;
    }
    if (unlinkat(place->folder, place->name, 0) != 0 && errno != ENOENT) {
        ADIT_FAIL_WITH(SYSTEM, "an old local socket cannot be removed", errno);
    }
    return adit_ok();
}

/* The mode goes with the socket to its file: nobody else can connect, not for a moment. */
static struct adit_status place_listen(const struct place *place, int fd)
{
    const void *address = &place->address;
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 || bind(fd, address, sizeof place->address) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the local socket cannot be put in its folder", errno);
    }
    if (listen(fd, BACKLOG) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the local socket cannot be listened at", errno);
    }
    return adit_ok();
}

/* Of two servers that start at once the lock lets one look and bind before the other. */
static struct adit_status listen_locked(const struct place *place, int *out_fd)
{
    int fd = -1;
    ADIT_ENSURE(flock(place->folder, LOCK_EX | LOCK_NB) == 0, REFUSED,
                "another server is starting on this data folder");
    ADIT_TRY(place_clear(place));
    ADIT_TRY(socket_make(&fd));
    struct adit_status status = place_listen(place, fd);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    *out_fd = fd;
    return adit_ok();
}

struct adit_status adit_local_listen(const char *folder, struct adit_bytes name, int *out_fd)
{
    struct place place = {0};
    ADIT_TRY(place_open(folder, name, &place));
    struct adit_status status = listen_locked(&place, out_fd);
    adit_socket_close(&place.folder);
    return status;
}

/* --- Connect ---------------------------------------------------------------------------------- */

struct adit_status adit_local_connect(const char *folder, struct adit_bytes name, int *out_fd,
                                      uint64_t *out_pid)
{
    struct place place = {0};
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    int fd = -1;
    ADIT_TRY(place_open(folder, name, &place));
    struct adit_status status = place_connect(&place, &fd);
    adit_socket_close(&place.folder);
    ADIT_TRY(status);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.pid <= 0) {
        adit_socket_close(&fd);
        ADIT_FAIL_WITH(SYSTEM, "the process of the server here is unknown", errno);
    }
    *out_fd = fd;
    *out_pid = (uint64_t)peer.pid;
    return adit_ok();
}
