/* Revoke: which token an id, or the beginning of one, means. */
#ifndef ADIT_CLI_ADITD_REVOKE_H
#define ADIT_CLI_ADITD_REVOKE_H

#include "store/store.h"

#define ADIT_REVOKE_DIGITS_MIN 8u

/* What a person gave: hex digits in lower case. */
struct adit_revoke_id {
    ADIT_FIELD(2 * ADIT_TOKEN_ID_BYTES) digits;
};

/* 8 to 32 hex digits; INVALID otherwise. */
struct adit_status adit_revoke_id_of(struct adit_bytes text, struct adit_revoke_id *out_id);

/* The one token whose id begins so. REFUSED where there is none, LIMIT where there are several. */
struct adit_status adit_revoke_find(struct adit_store *store, const struct adit_revoke_id *id,
                                    struct adit_store_token *out_token);

#endif
