/* Filter: a policy becomes the kernel's system-call filter of this process.
 *
 * What the policy does not name kills the whole process (SIGSYS), as does a call of another
 * architecture. Needs no_new_privs. Calls that this processor does not have are skipped; a name
 * that no processor has is INVALID, with the line as detail. Cannot be undone. */
#ifndef ADIT_SANDBOX_FILTER_H
#define ADIT_SANDBOX_FILTER_H

#include "sandbox/policy.h"

struct adit_status adit_filter_load(const struct adit_policy *policy);

#endif
