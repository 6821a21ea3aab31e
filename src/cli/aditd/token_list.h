/* Token list: how the tokens of the store are shown: a table for people, JSON for programs. Ids
 * and rights only: the secret is nowhere. */
#ifndef ADIT_CLI_ADITD_TOKEN_LIST_H
#define ADIT_CLI_ADITD_TOKEN_LIST_H

#include "store/store.h"

#define ADIT_TOKEN_ROW_MAX 1024u /* bytes of one row in either form, at most */

/* Widths of the columns whose width is not fixed. */
struct adit_token_columns {
    size_t account, allows, names;
};

/* Widens the columns to hold this token. Zeros to begin with, and the head's first. */
void adit_token_columns_fit(struct adit_token_columns *columns,
                            const struct adit_store_token *token);

struct adit_status adit_token_head_write(struct adit_writer *writer,
                                         const struct adit_token_columns *columns);
struct adit_status adit_token_row_write(struct adit_writer *writer,
                                        const struct adit_token_columns *columns,
                                        const struct adit_store_token *token, uint64_t now_s);

/* {"id","account","allows":[],"names","created_at","expires_at" (null: never),"state"}. State is
 * "active", "expired" or "revoked"; one that is both expired and revoked is revoked. */
struct adit_status adit_token_object_write(struct adit_writer *writer,
                                           const struct adit_store_token *token, uint64_t now_s);

#endif
