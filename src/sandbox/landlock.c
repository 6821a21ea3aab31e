#include "sandbox/landlock.h"

/* The kernel's numbers, since distributions' headers are older than their kernels. */
#define FILES_ABI_1 0x1fffu /* execute, write, read, list, and ten ways to make and remove */
#define FILES_ABI_2 0x2000u /* link or rename across folders */
#define FILES_ABI_3 0x4000u /* truncate */
#define FILES_ABI_5 0x8000u /* ioctl on devices */
#define FILE_WRITE 0x2u
#define FILE_READ 0x4u
#define FOLDER_READ 0x8u
#define FILE_REMOVE 0x20u
#define FILE_MAKE 0x100u
#define NET_BIND_TCP 0x1u
#define NET_CONNECT_TCP 0x2u
#define SCOPE_ABSTRACT_UNIX 0x1u
#define SCOPE_SIGNAL 0x2u
#define RULE_PATH 1
#define RULE_PORT 2

struct ruleset_attributes {
    uint64_t handled_files;
    uint64_t handled_net;
    uint64_t scoped;
};

struct port_attributes {
    uint64_t allowed;
    uint64_t port;
};

uint32_t adit_landlock_abi(void)
{
    long version = syscall(SYS_landlock_create_ruleset, 0, (size_t)0,
                           LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (uint32_t)version : 0;
}

static struct ruleset_attributes attributes_of(const struct adit_landlock_options *options,
                                               uint32_t abi)
{
    struct ruleset_attributes attributes = {.handled_files = FILES_ABI_1};
    attributes.handled_files |= abi >= 2 ? FILES_ABI_2 : 0;
    attributes.handled_files |= abi >= 3 ? FILES_ABI_3 : 0;
    attributes.handled_files |= abi >= 5 ? FILES_ABI_5 : 0;
    if (abi >= 4) {
        attributes.handled_net = NET_BIND_TCP | (options->is_connect_free ? 0 : NET_CONNECT_TCP);
    }
    if (abi >= 6) {
        attributes.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    }
    return attributes;
}

/* `also`: beyond reading. */
static struct adit_status path_add(int ruleset, const char *path, uint64_t also)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == EACCES || errno == ENOTDIR)) {
        return adit_ok(); /* not there, or not for us anyway */
    }
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 6, landlock: a listed path cannot be opened", errno);
    }
    struct stat about = {0};
    bool is_folder = fstat(fd, &about) == 0 && S_ISDIR(about.st_mode);
    const struct landlock_path_beneath_attr rule = {
        .allowed_access = FILE_READ | (is_folder ? FOLDER_READ | also : 0),
        .parent_fd = fd,
    };
    long result = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0u);
    int reason = errno;
    close(fd);
    if (result != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 6, landlock: a listed path is refused", reason);
    }
    return adit_ok();
}

static struct adit_status port_add(int ruleset, uint64_t allowed, uint64_t port)
{
    const struct port_attributes rule = {.allowed = allowed, .port = port};
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0u) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 6, landlock: a port is refused", errno);
    }
    return adit_ok();
}

static struct adit_status ports_add(int ruleset, const struct adit_landlock_options *options)
{
    for (uint32_t port = options->bind_port_from; port != 0 && port <= options->bind_port_to;
         port++) {
        ADIT_TRY(port_add(ruleset, NET_BIND_TCP, port));
    }
    for (size_t i = 0; !options->is_connect_free && i < options->connect_port_count; i++) {
        uint16_t port = ADIT_SLOT(options->connect_ports, options->connect_port_count, i);
        ADIT_TRY(port_add(ruleset, NET_CONNECT_TCP, port));
    }
    return adit_ok();
}

static struct adit_status ruleset_apply(int ruleset, const struct adit_landlock_options *options,
                                        uint32_t abi)
{
    for (size_t i = 0; i < options->read_path_count; i++) {
        ADIT_TRY(path_add(ruleset, ADIT_SLOT(options->read_paths, options->read_path_count, i), 0));
    }
    for (size_t i = 0; i < options->write_path_count; i++) {
        ADIT_TRY(path_add(ruleset, ADIT_SLOT(options->write_paths, options->write_path_count, i),
                          FILE_WRITE | FILE_REMOVE | FILE_MAKE | (abi >= 3 ? FILES_ABI_3 : 0)));
    }
    if (abi >= 4) {
        ADIT_TRY(ports_add(ruleset, options));
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0u) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 6, landlock: the kernel refuses the ruleset", errno);
    }
    return adit_ok();
}

struct adit_status adit_landlock_restrict(const struct adit_landlock_options *options, uint32_t abi)
{
    const struct ruleset_attributes attributes = attributes_of(options, abi);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0u);
    if (ruleset < 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 6, landlock: no ruleset could be made", errno);
    }
    struct adit_status status = ruleset_apply(ruleset, options, abi);
    close(ruleset);
    return status;
}
