/* Check: enters each role's real sandbox in a child and tries what must not and what must work.
 *
 *     check [USER]    runs as that numeric user from the start, to try the way without root
 *
 * Prints "ok NAME" or "not ok NAME: why" lines; ends with 1 where one is not ok. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "child.h"
#include "probe.h"
#include "sandbox/roles.h"

#define ENTER_FAILED 99

struct role {
    const char *name;
    unsigned bit;
    bool is_under; /* in the supervisor's filter first, as a child of it is */
};

/* What lasts for all scenes. */
struct fixture {
    const char *path;
    const char *folder;
    struct tls_pair *tls;
};

struct attempt {
    const struct role *role;
    const struct probe *probe; /* null: say what is in force */
    const struct scene *scene;
    const char *user;
    bool is_dying; /* of probes_dying */
};

static struct adit_sandbox_options options_of(const struct role *role)
{
    if (role->bit == PROBE_DOOR) {
        return adit_sandbox_door(SCENE_PORT_FROM, SCENE_PORT_TO);
    }
    if (role->bit == PROBE_CONTROL) {
        return adit_sandbox_control();
    }
    return role->bit == PROBE_WORKER ? adit_sandbox_worker() : adit_sandbox_agent();
}

static void report_print(const struct attempt *attempt, const struct adit_sandbox_report *report)
{
    printf("# %s%s: landlock %u, root empty %d, network empty %d, user ordinary %d, files refused "
           "%d, ports refused %d, signals refused %d, calls refused %d\n",
           attempt->role->name, attempt->user, report->landlock_abi, report->is_root_empty,
           report->is_network_empty, report->is_user_ordinary, report->is_file_refused,
           report->is_port_refused, report->is_signal_refused, report->is_call_refused);
    (void)fflush(stdout);
}

static struct adit_status supervise(const struct attempt *attempt)
{
    struct adit_sandbox_report report = {0};
    ADIT_TRY(adit_sandbox_supervise(adit_policy_supervisor, false, &report));
    ADIT_ENSURE(report.is_call_refused, INTERNAL, "the supervisor has no filter");
    if (!attempt->probe) {
        report_print(attempt, &report);
    }
    return adit_ok();
}

static struct adit_status enter(const struct attempt *attempt)
{
    const struct scene *scene = attempt->scene;
    const int fds[] = {0, 1, 2, scene->listener, scene->pending, scene->fresh, scene->pair_near,
                       scene->pair_far, scene->epoll, scene->key};
    struct adit_sandbox_options options = options_of(attempt->role);
    struct adit_sandbox_report report = {0};
    options.fds = fds;
    options.fd_count = ADIT_COUNT(fds);
    if (!attempt->probe) { /* printing needs calls and a file size that the roles do not have */
        options.policy = (struct adit_bytes){0};
        options.file_bytes_max = ADIT_SANDBOX_KEEP;
    }
    if (attempt->role->is_under) {
        ADIT_TRY(supervise(attempt));
    }
    if (attempt->role->bit == PROBE_CONTROL && chdir(scene->folder) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "control's folder cannot be entered", errno);
    }
    ADIT_TRY(adit_sandbox_enter(&options, &report));
    if (!attempt->probe) {
        report_print(attempt, &report);
    }
    return adit_ok();
}

static int attempt_run(void *context)
{
    const struct attempt *attempt = context;
    if (attempt->is_dying && dup2(attempt->scene->pair_far, STDERR_FILENO) < 0) {
        return ENTER_FAILED;
    }
    struct adit_status status =
        attempt->role->bit == PROBE_SUPERVISOR ? supervise(attempt) : enter(attempt);
    if (!adit_is_ok(status)) {
        printf("# %s (%d)\n", adit_status_what(status), (int)status.detail);
        (void)fflush(stdout);
        return ENTER_FAILED;
    }
    return attempt->probe ? attempt->probe->body(attempt->scene) : 0;
}

/* What the child wrote to its log, which was the far end of the pair. */
static bool is_heard(const struct attempt *attempt)
{
    char log[512] = {0};
    ssize_t got = recv(attempt->scene->pair_near, log, sizeof log - 1, MSG_DONTWAIT);
    return got > 0 && strstr(log, PROBE_LAST_WORDS);
}

static bool say(const struct attempt *attempt, int how)
{
    const struct probe *probe = attempt->probe;
    bool is_needed = (probe->works_for & attempt->role->bit) != 0;
    bool is_refused = how == PROBE_REFUSED || how == CHILD_SIGNAL + SIGSYS;
    bool is_fine = is_needed ? how == PROBE_WORKED : is_refused;
    const char *way = how == CHILD_SIGNAL + SIGSYS ? "killed" : "refused";
    if (attempt->is_dying) {
        is_fine = how > CHILD_SIGNAL && is_heard(attempt);
        way = "was heard";
    }
    if (is_fine) {
        printf("ok %s%s: %s: %s\n", attempt->role->name, attempt->user, probe->name,
               is_needed ? "works" : way);
    } else {
        printf("not ok %s%s: %s: %s, but ended with %d\n", attempt->role->name, attempt->user,
               probe->name, is_needed ? "must work" : "must be refused", how);
    }
    (void)fflush(stdout);
    return is_fine;
}

static int scene_listen(uint16_t *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    void *any = &address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, any, size) != 0 || listen(fd, 4) != 0 || getsockname(fd, any, &size) != 0) {
        return -1;
    }
    *out_port = ntohs(address.sin_port);
    return fd;
}

static int scene_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void *any = &address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, any, sizeof address) == 0 && send(fd, "hello", 5, 0) == 5 ? fd : -1;
}

static bool scene_open(struct scene *scene, const struct fixture *fixture)
{
    int pair[2] = {-1, -1};
    *scene = (struct scene){
        .path = fixture->path, .folder = fixture->folder, .tls = fixture->tls};
    scene->listener = scene_listen(&scene->port);
    scene->pending = scene_connect(scene->port);
    scene->fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scene->epoll = epoll_create1(EPOLL_CLOEXEC);
    scene->key = open(fixture->path, O_RDONLY | O_CLOEXEC);
    int other = scene_listen(&scene->port_other);
    close(other);
    bool is_fine = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;
    scene->pair_near = ADIT_AT(pair, 0);
    scene->pair_far = ADIT_AT(pair, 1);
    return is_fine && scene->listener >= 0 && scene->pending >= 0 && scene->fresh >= 0 &&
           scene->epoll >= 0 && scene->key >= 0;
}

static void scene_close(const struct scene *scene)
{
    const int fds[] = {scene->listener, scene->pending,  scene->fresh, scene->pair_near,
                       scene->pair_far, scene->epoll, scene->key};
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        close(ADIT_AT(fds, i));
    }
}

/* Somebody of the user that the roles become, with nothing to defend itself. */
static pid_t victim_start(void)
{
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setresgid(65534, 65534, 65534) != 0 ||
                               setresuid(65534, 65534, 65534) != 0)) {
            _exit(1);
        }
        (void)prctl(PR_SET_DUMPABLE, 1ul, 0ul, 0ul, 0ul);
        (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0ul, 0ul, 0ul);
        for (;;) {
            pause();
        }
    }
    return child;
}

static size_t list_try(struct attempt *attempt, const struct probe *list,
                       const struct fixture *fixture)
{
    size_t wrong = 0;
    for (size_t i = 0; i < PROBE_LIST_MAX && ADIT_SLOT(list, PROBE_LIST_MAX, i).body; i++) {
        const struct probe *probe = &ADIT_SLOT(list, PROBE_LIST_MAX, i);
        if (((probe->works_for | probe->refused_for) & attempt->role->bit) == 0) {
            continue;
        }
        struct scene scene = {0};
        pid_t victim = victim_start();
        if (victim < 0 || !scene_open(&scene, fixture)) {
            printf("not ok %s: the scene could not be set: %s\n", probe->name, strerror(errno));
            return wrong + 1;
        }
        scene.victim = victim;
        attempt->probe = probe;
        attempt->scene = &scene;
        wrong += say(attempt, child_run(attempt_run, attempt)) ? 0 : 1;
        scene_close(&scene);
        kill(victim, SIGKILL);
        waitpid(victim, 0, 0);
    }
    return wrong;
}

static size_t role_try(const struct role *role, const char *user, const struct fixture *fixture)
{
    struct scene scene = {0};
    struct attempt attempt = {.role = role, .scene = &scene, .user = user};
    if (!scene_open(&scene, fixture) || child_run(attempt_run, &attempt) != 0) {
        printf("not ok %s%s: enters its sandbox\n", role->name, user);
        (void)fflush(stdout);
        return 1;
    }
    scene_close(&scene);
    size_t wrong = list_try(&attempt, probes_forbidden, fixture) +
                   list_try(&attempt, probes_needed, fixture);
    attempt.is_dying = true;
    return wrong + list_try(&attempt, probes_dying, fixture);
}

/* A file that everybody may read and write, so that only a sandbox refuses it. */
static bool path_make(char *path)
{
    int fd = mkstemp(path);
    bool is_fine = fd >= 0 && write(fd, "secret", 6) == 6 && fchmod(fd, 0666) == 0;
    close(fd);
    return is_fine;
}

int main(int count, char **arguments)
{
    static const struct role roles[] = {
        {"supervisor", PROBE_SUPERVISOR, false},
        {"door", PROBE_DOOR, false},
        {"worker", PROBE_WORKER, false},
        {"control", PROBE_CONTROL, false},
        {"agent", PROBE_AGENT, false},
        {"supervisor's door", PROBE_DOOR, true},
        {"supervisor's worker", PROBE_WORKER, true},
        {"supervisor's control", PROBE_CONTROL, true},
    };
    static char path[] = "/tmp/adit-sandbox-XXXXXX";
    static char folder[] = "/tmp/adit-sandbox-folder-XXXXXX";
    size_t wrong = 0;
    if (count > 1) {
        uid_t user = (uid_t)strtoul(ADIT_SLOT(arguments, (size_t)count, 1), 0, 10);
        if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) {
            printf("not ok cannot become another user: %s\n", strerror(errno));
            return 1;
        }
    }
    for (int fd = 3; fd < 256; fd++) {
        close(fd);
    }
    if (!path_make(path) || !mkdtemp(folder)) {
        printf("not ok a file in /tmp: %s\n", strerror(errno));
        return 1;
    }
    const struct fixture fixture = {.path = path, .folder = folder, .tls = tls_pair_open()};
    if (!fixture.tls) {
        printf("not ok a pair of TLS ends\n");
        return 1;
    }
    for (size_t i = 0; i < ADIT_COUNT(roles); i++) {
        wrong += role_try(&ADIT_AT(roles, i), geteuid() == 0 ? " (from root)" : " (from a user)",
                          &fixture);
    }
    if (unlink(path) != 0 || rmdir(folder) != 0) {
        printf("not ok the file is gone\n");
        wrong++;
    }
    return wrong == 0 ? 0 : 1;
}
