/* Landlock: the kernel's own refusal of files, TCP ports and signals, for any user.
 *
 * Everything that the running kernel's version can refuse is refused, but what is listed. Linux
 * 5.13 refuses files, 6.7 (ABI 4) TCP ports, 6.12 (ABI 6) signals to processes outside and
 * abstract unix sockets. Needs no_new_privs. Applies to the calling thread. Cannot be undone.
 * Source: landlock(7). */
#ifndef ADIT_SANDBOX_LANDLOCK_H
#define ADIT_SANDBOX_LANDLOCK_H

#include "base/bytes.h"

struct adit_landlock_options {
    const char *const *read_paths; /* may be read, with all below; those absent are skipped */
    size_t read_path_count;
    const char *const *write_paths; /* folders below which files may be made, written, removed */
    size_t write_path_count;
    uint16_t bind_port_from; /* inclusive; 0 and 0: none */
    uint16_t bind_port_to;
    const uint16_t *connect_ports;
    size_t connect_port_count;
    bool is_connect_free;
};

/* The version of the interface; 0 where the kernel has none or has it switched off. */
uint32_t adit_landlock_abi(void);

/* For an ABI of at least 1. */
struct adit_status adit_landlock_restrict(const struct adit_landlock_options *options,
                                          uint32_t abi);

#endif
