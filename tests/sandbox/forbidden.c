/* What a taken-over process would try first. */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "probe.h"

int probe_judge(long result)
{
    if (result >= 0) {
        return PROBE_WORKED;
    }
    return errno == EPERM || errno == EACCES || errno == ENOSYS ? PROBE_REFUSED : PROBE_FAILED;
}

static int file_read(const struct scene *scene)
{
    return probe_judge(open(scene->path, O_RDONLY));
}

static int file_write(const struct scene *scene)
{
    return probe_judge(open(scene->path, O_WRONLY));
}

static int file_make(const struct scene *scene)
{
    (void)scene;
    int made = probe_judge(open("/tmp/adit-sandbox-made", O_CREAT | O_WRONLY, 0600));
    if (made == PROBE_WORKED) {
        (void)unlink("/tmp/adit-sandbox-made");
    }
    return made;
}

static int file_remove(const struct scene *scene)
{
    return probe_judge(unlink(scene->path));
}

static int file_old_open(const struct scene *scene)
{
    return probe_judge(syscall(SYS_open, scene->path, O_RDONLY, 0));
}

static int folder_list(const struct scene *scene)
{
    (void)scene;
    return probe_judge(open("/", O_RDONLY | O_DIRECTORY));
}

static int folder_make(const struct scene *scene)
{
    (void)scene;
    int made = probe_judge(mkdir("/tmp/adit-sandbox-made", 0700));
    if (made == PROBE_WORKED) {
        (void)unlinkat(AT_FDCWD, "/tmp/adit-sandbox-made", AT_REMOVEDIR);
    }
    return made;
}

static int proc_read(const struct scene *scene)
{
    (void)scene;
    return probe_judge(open("/proc/self/maps", O_RDONLY));
}

static int mode_change(const struct scene *scene)
{
    return probe_judge(fchmod(scene->key, 0666));
}

static int program_run(const struct scene *scene)
{
    (void)scene;
    static char path[] = "/bin/true";
    char *const arguments[] = {path, 0};
    return probe_judge(execve(path, arguments, arguments));
}

static int process_make(const struct scene *scene)
{
    (void)scene;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    return probe_judge(child);
}

static int process_make_raw(const struct scene *scene)
{
    (void)scene;
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        _exit(0);
    }
    return probe_judge(child);
}

static int thread_make_raw(const struct scene *scene)
{
    (void)scene;
    uint64_t arguments[8] = {0}; /* struct clone_args; flags 0 and no signal: a process */
    long child = syscall(SYS_clone3, arguments, sizeof arguments);
    if (child == 0) {
        _exit(0);
    }
    return probe_judge(child);
}

static int sibling_trace(const struct scene *scene)
{
    return probe_judge(ptrace(PTRACE_SEIZE, scene->victim, 0, 0));
}

static int sibling_read(const struct scene *scene)
{
    char here[8] = {0};
    struct iovec near = {.iov_base = here, .iov_len = sizeof here};
    struct iovec far = {.iov_base = here, .iov_len = sizeof here};
    return probe_judge(process_vm_readv(scene->victim, &near, 1, &far, 1, 0));
}

static int sibling_kill(const struct scene *scene)
{
    return probe_judge(kill(scene->victim, SIGTERM));
}

static int parent_kill(const struct scene *scene)
{
    (void)scene;
    return probe_judge(kill(getppid(), 0));
}

static int sibling_descriptor(const struct scene *scene)
{
    long handle = syscall(SYS_pidfd_open, scene->victim, 0);
    return probe_judge(handle < 0 ? handle : syscall(SYS_pidfd_getfd, handle, 0, 0));
}

static int sibling_limit(const struct scene *scene)
{
    const struct rlimit none = {0};
    return probe_judge(prlimit(scene->victim, RLIMIT_NOFILE, &none, 0));
}

static int code_make(const struct scene *scene)
{
    (void)scene;
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return probe_judge(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int code_map(const struct scene *scene)
{
    (void)scene;
    const int protection = PROT_READ | PROT_WRITE | PROT_EXEC;
    void *page = mmap(0, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return probe_judge(page == MAP_FAILED ? -1 : 0);
}

static int code_file(const struct scene *scene)
{
    (void)scene;
    return probe_judge(syscall(SYS_memfd_create, "code", 0));
}

static int code_pkey(const struct scene *scene)
{
    (void)scene;
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return probe_judge(syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1));
}

static int socket_tcp(const struct scene *scene)
{
    (void)scene;
    return probe_judge(socket(AF_INET, SOCK_STREAM, 0));
}

static int socket_udp(const struct scene *scene)
{
    (void)scene;
    return probe_judge(socket(AF_INET, SOCK_DGRAM, 0));
}

static int socket_unix(const struct scene *scene)
{
    (void)scene;
    return probe_judge(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int socket_raw(const struct scene *scene)
{
    (void)scene;
    return probe_judge(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int socket_packet(const struct scene *scene)
{
    (void)scene;
    return probe_judge(socket(AF_PACKET, SOCK_RAW, 0));
}

static int socket_odd(const struct scene *scene)
{
    (void)scene;
    return probe_judge(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int address_connect(const struct scene *scene)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(scene->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void *any = &address;
    return probe_judge(connect(scene->fresh, any, sizeof address));
}

static int port_bind_other(const struct scene *scene)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(scene->port_other)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void *any = &address;
    return probe_judge(bind(scene->fresh, any, sizeof address));
}

static int port_listen(const struct scene *scene)
{
    return probe_judge(listen(scene->fresh, 1));
}

static int visitor_accept(const struct scene *scene)
{
    return probe_judge(accept4(scene->listener, 0, 0, SOCK_CLOEXEC));
}

static int user_change(const struct scene *scene)
{
    (void)scene;
    return probe_judge(setresuid(0, 0, 0));
}

static int namespace_make(const struct scene *scene)
{
    (void)scene;
    return probe_judge(unshare(CLONE_NEWUSER));
}

static int root_change(const struct scene *scene)
{
    (void)scene;
    return probe_judge(chroot("/tmp"));
}

static int folder_mount(const struct scene *scene)
{
    (void)scene;
    return probe_judge(mount("tmpfs", "/tmp", "tmpfs", 0, 0));
}

static int limit_raise(const struct scene *scene)
{
    (void)scene;
    const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
    return probe_judge(setrlimit(RLIMIT_CORE, &limit));
}

static int dumpable_set(const struct scene *scene)
{
    (void)scene;
    return probe_judge(prctl(PR_SET_DUMPABLE, 1ul, 0ul, 0ul, 0ul));
}

static int kernel_bpf(const struct scene *scene)
{
    (void)scene;
    uint64_t attributes[16] = {0};
    return probe_judge(syscall(SYS_bpf, 0, attributes, sizeof attributes));
}

static int kernel_ring(const struct scene *scene)
{
    (void)scene;
    struct io_uring_params parameters = {0};
    return probe_judge(syscall(SYS_io_uring_setup, 1, &parameters));
}

static int kernel_keys(const struct scene *scene)
{
    (void)scene;
    return probe_judge(syscall(SYS_keyctl, 0, -3, 0, 0, 0));
}

static int kernel_faults(const struct scene *scene)
{
    (void)scene;
    return probe_judge(syscall(SYS_userfaultfd, 1));
}

static int kernel_counters(const struct scene *scene)
{
    (void)scene;
    uint32_t attributes[32] = {0};
    ADIT_AT(attributes, 0) = 1;
    ADIT_AT(attributes, 1) = sizeof attributes;
    return probe_judge(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0));
}

static int terminal_type(const struct scene *scene)
{
    static const char byte = 'x';
    return probe_judge(ioctl(scene->key, TIOCSTI, &byte));
}

const struct probe probes_forbidden[PROBE_LIST_MAX] = {
    {"reads a file", PROBE_SUPERVISOR, PROBE_ALL, file_read},
    {"reads a file by open(2)", 0, PROBE_ALL | PROBE_SUPERVISOR, file_old_open},
    {"writes a file", PROBE_SUPERVISOR, PROBE_ALL, file_write},
    {"makes a file", PROBE_SUPERVISOR, PROBE_ALL, file_make},
    {"removes a file", 0, PROBE_ALL, file_remove},
    {"lists the root folder", 0, PROBE_ALL, folder_list},
    {"makes a folder", 0, PROBE_ALL | PROBE_SUPERVISOR, folder_make},
    {"reads its own memory map", 0, PROBE_ALL, proc_read},
    {"changes a file's mode by descriptor", 0, PROBE_ALL | PROBE_SUPERVISOR, mode_change},
    {"runs a program", PROBE_SUPERVISOR, PROBE_ALL, program_run},
    {"forks", PROBE_SUPERVISOR, PROBE_ALL, process_make},
    {"forks by clone(2)", PROBE_SUPERVISOR, PROBE_ALL, process_make_raw},
    {"forks by clone3(2)", 0, PROBE_ALL | PROBE_SUPERVISOR, thread_make_raw},
    {"traces a sibling", 0, PROBE_ALL | PROBE_SUPERVISOR, sibling_trace},
    {"reads a sibling's memory", 0, PROBE_ALL | PROBE_SUPERVISOR, sibling_read},
    {"kills a sibling", PROBE_SUPERVISOR, PROBE_ALL, sibling_kill},
    {"signals its parent", PROBE_SUPERVISOR, PROBE_ALL, parent_kill},
    {"takes a sibling's descriptor", 0, PROBE_ALL | PROBE_SUPERVISOR, sibling_descriptor},
    {"changes a sibling's limits", 0, PROBE_ALL, sibling_limit},
    {"makes written memory executable", 0, PROBE_ALL | PROBE_SUPERVISOR, code_make},
    {"maps memory to write and execute", 0, PROBE_ALL | PROBE_SUPERVISOR, code_map},
    {"makes a file in memory", 0, PROBE_ALL | PROBE_SUPERVISOR, code_file},
    {"makes memory executable by key", 0, PROBE_ALL | PROBE_SUPERVISOR, code_pkey},
    {"makes a TCP socket", PROBE_DOOR | PROBE_AGENT | PROBE_SUPERVISOR,
     PROBE_WORKER | PROBE_CONTROL, socket_tcp},
    {"makes a UDP socket", PROBE_AGENT,
     PROBE_DOOR | PROBE_WORKER | PROBE_CONTROL | PROBE_SUPERVISOR, socket_udp},
    {"makes a unix socket", PROBE_AGENT,
     PROBE_DOOR | PROBE_WORKER | PROBE_CONTROL | PROBE_SUPERVISOR, socket_unix},
    {"makes a raw socket", 0, PROBE_ALL | PROBE_SUPERVISOR, socket_raw},
    {"makes a packet socket", 0, PROBE_ALL | PROBE_SUPERVISOR, socket_packet},
    {"makes a socket of another family", 0, PROBE_ALL | PROBE_SUPERVISOR, socket_odd},
    {"connects", PROBE_AGENT, PROBE_DOOR | PROBE_WORKER | PROBE_CONTROL | PROBE_SUPERVISOR,
     address_connect},
    {"binds a port outside the range", 0, PROBE_ALL, port_bind_other},
    {"listens", PROBE_DOOR | PROBE_SUPERVISOR, PROBE_WORKER | PROBE_CONTROL | PROBE_AGENT,
     port_listen},
    {"accepts", PROBE_DOOR | PROBE_WORKER | PROBE_CONTROL, PROBE_AGENT, visitor_accept},
    {"becomes root", 0, PROBE_ALL, user_change},
    {"makes a user namespace", 0, PROBE_ALL, namespace_make},
    {"changes its root", 0, PROBE_ALL, root_change},
    {"mounts", 0, PROBE_ALL, folder_mount},
    {"raises a limit", 0, PROBE_ALL, limit_raise},
    {"becomes dumpable", 0, PROBE_ALL, dumpable_set},
    {"loads BPF", 0, PROBE_ALL | PROBE_SUPERVISOR, kernel_bpf},
    {"opens an io_uring", 0, PROBE_ALL | PROBE_SUPERVISOR, kernel_ring},
    {"reads the key ring", 0, PROBE_ALL | PROBE_SUPERVISOR, kernel_keys},
    {"handles page faults", 0, PROBE_ALL | PROBE_SUPERVISOR, kernel_faults},
    {"opens performance counters", 0, PROBE_ALL | PROBE_SUPERVISOR, kernel_counters},
    {"types into a terminal", 0, PROBE_ALL | PROBE_SUPERVISOR, terminal_type},
    {0},
};
