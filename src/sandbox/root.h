/* Root: an empty, read-only root folder and, where wanted, an empty network; then an ordinary user
 * without capabilities.
 *
 * Namespaces and the root need CAP_SYS_ADMIN. In a container root may lack it: that is a value in
 * the answer, not a failure, because landlock can stand in for it. Cannot be undone. */
#ifndef ADIT_SANDBOX_ROOT_H
#define ADIT_SANDBOX_ROOT_H

#include "base/bytes.h"

struct adit_root_answer {
    bool is_root_empty;
    bool is_network_empty;
};

/* For root. The working folder becomes the new root. With `has_network` the network stays. */
struct adit_status adit_root_empty(bool has_network, struct adit_root_answer *out_answer);

/* Where this is root: no supplementary groups, then group and user `user_id` for good; false where
 * a container gives root no right to do so, or no such user. For everybody: no capabilities in
 * any set that counts. */
struct adit_status adit_root_drop(uint32_t user_id, bool *out_is_ordinary);

/* The user stays. Every capability is given up, but for root the one to pass by the modes of files
 * (CAP_DAC_OVERRIDE): which files, Landlock says. */
struct adit_status adit_root_powers_drop(void);

#endif
