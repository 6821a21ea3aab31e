/* Roles: what each role asks of the sandbox, in one place, so that `tests/sandbox` tries the same
 * sandbox that the role runs in. A main adds its descriptors, `is_off` and, for the door, the
 * tunnel ports.
 *
 * Functions in the header, so that a program carries no policy but its own. */
#ifndef ADIT_SANDBOX_ROLES_H
#define ADIT_SANDBOX_ROLES_H

#include "sandbox/policies.h"
#include "sandbox/sandbox.h"

/* Both hold a descriptor per connection. */
#define ADIT_SANDBOX_EDGE_FILES_MAX 262144
#define ADIT_SANDBOX_CONTROL_FILES_MAX 256
#define ADIT_SANDBOX_AGENT_FILES_MAX 65536

/* Binds tunnel ports of its range: stays in the network. */
static inline struct adit_sandbox_options adit_sandbox_door(uint16_t port_from, uint16_t port_to)
{
    return (struct adit_sandbox_options){
        .policy = adit_policy_door,
        .files_max = ADIT_SANDBOX_EDGE_FILES_MAX,
        .bind_port_from = port_from,
        .bind_port_to = port_to,
        .has_network = true,
    };
}

/* Uses only what it is handed: no files, no ports, no network of its own. */
static inline struct adit_sandbox_options adit_sandbox_worker(void)
{
    return (struct adit_sandbox_options){
        .policy = adit_policy_worker,
        .files_max = ADIT_SANDBOX_EDGE_FILES_MAX,
    };
}

/* Works in the database's folder, where it stands; there and nowhere else it may read or write: the
 * keys lie outside. Its files belong to whoever started the server, so root stays root; see
 * adit_root_powers_drop. */
static inline struct adit_sandbox_options adit_sandbox_control(void)
{
    static const char *const folder[] = {"."};
    static const char *const seeds[] = {"/dev/urandom"}; /* SQLite's own random generator */
    return (struct adit_sandbox_options){
        .policy = adit_policy_control,
        .files_max = ADIT_SANDBOX_CONTROL_FILES_MAX,
        .file_bytes_max = ADIT_SANDBOX_KEEP,
        .read_paths = seeds,
        .read_path_count = ADIT_COUNT(seeds),
        .write_paths = folder,
        .write_path_count = ADIT_COUNT(folder),
        .is_root_kept = true,
        .is_user_kept = true,
    };
}

/* Runs on a person's machine: resolves names in a thread and connects where it is told to. Its
 * messages may go to a file, so the file size stays. Folders, not files: resolv.conf is replaced by
 * another file when the machine changes its network. */
static inline struct adit_sandbox_options adit_sandbox_agent(void)
{
    static const char *const paths[] = {
        "/etc", "/usr/lib", "/lib", "/lib64", "/usr/lib64", "/run/systemd/resolve",
        "/run/resolvconf", "/run/NetworkManager", "/run/connman", "/run/nscd", "/var/run/nscd",
        "/dev/urandom", "/dev/null",
    };
    return (struct adit_sandbox_options){
        .policy = adit_policy_agent,
        .files_max = ADIT_SANDBOX_AGENT_FILES_MAX,
        .file_bytes_max = ADIT_SANDBOX_KEEP,
        .read_paths = paths,
        .read_path_count = ADIT_COUNT(paths),
        .is_root_kept = true,
        .is_connect_free = true,
        .has_network = true,
        .has_threads = true,
    };
}

#endif
