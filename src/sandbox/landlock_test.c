#include "sandbox/landlock.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "child.h"
#include "unit.h"

#define PORT_FROM 17411
#define PORT_TO 17413

static bool restrict_with(const struct adit_landlock_options *options)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) == 0 &&
           adit_is_ok(adit_landlock_restrict(options, adit_landlock_abi()));
}

static bool is_refused(int result)
{
    return result < 0 && (errno == EACCES || errno == EPERM);
}

static int no_files(void *context)
{
    (void)context;
    if (!restrict_with(&(struct adit_landlock_options){0})) {
        return 1;
    }
    return is_refused(open("/etc/passwd", O_RDONLY)) && is_refused(open("/", O_RDONLY)) &&
                   is_refused(open("/tmp/adit-landlock", O_CREAT | O_WRONLY, 0600)) &&
                   is_refused(mkdir("/tmp/adit-landlock", 0700))
               ? 0
               : 2;
}

static int listed_files(void *context)
{
    (void)context;
    static const char *const paths[] = {"/etc/passwd", "/no/such/place", "/usr/lib"};
    if (!restrict_with(&(struct adit_landlock_options){.read_paths = paths,
                                                       .read_path_count = ADIT_COUNT(paths)})) {
        return 1;
    }
    return open("/etc/passwd", O_RDONLY) >= 0 && open("/usr/lib", O_RDONLY) >= 0 &&
                   is_refused(open("/etc/group", O_RDONLY)) &&
                   is_refused(open("/etc/passwd", O_RDWR)) && is_refused(open("/usr", O_RDONLY))
               ? 0
               : 2;
}

/* Files below one folder, and no folder there. */
static int written_files(void *context)
{
    const char *folder = context;
    const char *const paths[] = {folder};
    if (chdir(folder) != 0 ||
        !restrict_with(&(struct adit_landlock_options){.write_paths = paths,
                                                       .write_path_count = ADIT_COUNT(paths)})) {
        return 1;
    }
    int fd = open("made", O_CREAT | O_RDWR, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0 || link("made", "again") != 0 ||
        unlink("again") != 0 || unlink("made") != 0) {
        return 2;
    }
    return is_refused(mkdir("folder", 0700)) && is_refused(symlink("x", "link")) &&
                   is_refused(open("../adit-landlock", O_CREAT | O_WRONLY, 0600)) &&
                   is_refused(open("/etc/passwd", O_RDONLY))
               ? 0
               : 3;
}

static int port_bind(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = bind(fd, (const struct sockaddr *)&address, sizeof address);
    int reason = errno;
    close(fd);
    errno = reason;
    return result;
}

static int port_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (const struct sockaddr *)&address, sizeof address);
    int reason = errno;
    close(fd);
    errno = reason;
    return result;
}

static int listed_ports(void *context)
{
    (void)context;
    static const uint16_t targets[] = {9};
    if (!restrict_with(&(struct adit_landlock_options){.bind_port_from = PORT_FROM,
                                                       .bind_port_to = PORT_TO,
                                                       .connect_ports = targets,
                                                       .connect_port_count = 1})) {
        return 1;
    }
    if (port_bind(PORT_FROM) != 0 || port_bind(PORT_TO) != 0) {
        return 2;
    }
    if (!is_refused(port_bind(PORT_FROM - 1)) || !is_refused(port_bind(PORT_TO + 1)) ||
        !is_refused(port_bind(0))) {
        return 3;
    }
    return port_connect(9) == -1 && errno == ECONNREFUSED && is_refused(port_connect(10)) ? 0 : 4;
}

static int no_ports(void *context)
{
    (void)context;
    if (!restrict_with(&(struct adit_landlock_options){.is_connect_free = true})) {
        return 1;
    }
    return is_refused(port_bind(PORT_FROM)) && port_connect(10) == -1 && errno == ECONNREFUSED ? 0
                                                                                               : 2;
}

static int no_signals(void *context)
{
    (void)context;
    if (!restrict_with(&(struct adit_landlock_options){0})) {
        return 1;
    }
    return is_refused(kill(getppid(), 0)) && kill(getpid(), 0) == 0 ? 0 : 2;
}

static void need(uint32_t abi)
{
    if (adit_landlock_abi() < abi) {
        skip();
    }
}

static void files_are_refused(void **state)
{
    (void)state;
    need(1);
    assert_int_equal(child_run(no_files, 0), 0);
    assert_int_equal(child_run(listed_files, 0), 0);
    char folder[] = "/tmp/adit-landlock-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(child_run(written_files, folder), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void ports_are_refused(void **state)
{
    (void)state;
    need(4);
    assert_int_equal(child_run(listed_ports, 0), 0);
    assert_int_equal(child_run(no_ports, 0), 0);
}

static void signals_are_refused(void **state)
{
    (void)state;
    need(6);
    assert_int_equal(child_run(no_signals, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_refused),
        cmocka_unit_test(ports_are_refused),
        cmocka_unit_test(signals_are_refused),
    };
    return cmocka_run_group_tests_name("sandbox/landlock", tests, NULL, NULL);
}
