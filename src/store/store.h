/* Store: what must survive: accounts, tokens (ids and hashes, never a token), revocations, and
 * which names are held for whom. One interface; the engine is SQLite (docs/decisions/0016).
 *
 * A store may be opened by several processes at once: `adit-control` beside a running `aditd token
 * revoke`. What a function has changed is on the disk when it returns. Failures:
 *
 *     REFUSED   what is asked for is not there, or is there already; the function says which
 *     TIMEOUT   the database is busy: another process wrote for longer than 5 s
 *     INVALID   the database is damaged, or what is asked breaks a rule
 *     SYSTEM    the disk is full, the file cannot be written ...; detail is errno, or 0
 *     LIMIT     a limit below
 *
 * Blocks: for control and the command line only. One thread. Times are Unix seconds. */
#ifndef ADIT_STORE_STORE_H
#define ADIT_STORE_STORE_H

#include "base/base.h"
#include "wire/snapshot.h"

/* In the data folder, mode 0700: a folder of the database's own, so that control, which may reach
 * no other, sees no key. */
#define ADIT_STORE_FOLDER "store"
#define ADIT_STORE_FILE "adit.db" /* in it, mode 0600 */
/* Beside the database from the moment when it is whole. It says that there is one: a database that
 * is missing or empty then was lost, and is not made anew. */
#define ADIT_STORE_MARK ADIT_STORE_FILE ".mark"
#define ADIT_STORE_HASH_BYTES 32         /* SHA-256 */
#define ADIT_STORE_LEASES_MAX 65536      /* names held at once */
#define ADIT_STORE_REVOCATIONS_MAX 500000 /* revoked tokens whose time is not over */
#define ADIT_STORE_IN_USE UINT64_MAX     /* a lease that has no end yet, as in a snapshot */

struct adit_store {
    struct sqlite3 *database; /* null: closed */
};

/* Opens the database file, making it where there was never one, checks it and brings it up to date.
 * REFUSED for one that a newer program made, and where the mark beside it (its path and ".mark")
 * says that there was one and it is missing or empty. On failure nothing is open. */
struct adit_status adit_store_open(struct adit_store *store, const char *path);
void adit_store_close(struct adit_store *store); /* closed, or all zero, is fine */

/* Has the file been moved or removed since it was opened? Then what is written goes nowhere. */
bool adit_store_is_moved(const struct adit_store *store);

/* What is done between belongs together: all or nothing. `end` commits where `status` is a success,
 * takes all back where it is not, and returns what is to be told. */
struct adit_status adit_store_begin(struct adit_store *store);
struct adit_status adit_store_end(struct adit_store *store, struct adit_status status);

/* Changes whenever another process has changed the database; not by what this one does. */
struct adit_status adit_store_change_get(struct adit_store *store, uint64_t *out_change);

/* --- Accounts and tokens --------------------------------------------------------------------- */

/* Makes the account where there is none. INVALID for what is no account's name. */
struct adit_status adit_store_account_ensure(struct adit_store *store, struct adit_bytes name,
                                             uint64_t now_s);

struct adit_store_token {
    uint8_t id[ADIT_TOKEN_ID_BYTES];
    uint8_t parent[ADIT_TOKEN_ID_BYTES]; /* of the master that made it, or zeros */
    uint8_t hash[ADIT_STORE_HASH_BYTES]; /* of the token's text */
    ADIT_FIELD(ADIT_TOKEN_ACCOUNT_BYTES) account;
    ADIT_FIELD(ADIT_NAME_PATTERN_BYTES_MAX) names;
    enum adit_token_kind kind;
    uint8_t allows; /* ADIT_TOKEN_ALLOWS_ */
    uint64_t created_s;
    uint64_t expires_s; /* or ADIT_TOKEN_EXPIRES_NEVER */
    uint64_t revoked_s; /* 0: not */
};

/* Adds a token, and its account where there is none. REFUSED where its id is there already. */
struct adit_status adit_store_token_add(struct adit_store *store,
                                        const struct adit_store_token *token);

/* Calls `each` for every token, the oldest first, until it returns false. `each` may not use the
 * store. */
typedef bool adit_store_token_fn(void *context, const struct adit_store_token *token);
struct adit_status adit_store_token_each(struct adit_store *store, adit_store_token_fn *each,
                                         void *context);

struct adit_status adit_store_token_count(struct adit_store *store, uint64_t *out_count);

/* The children of a master die with it: not here, but wherever tokens are checked. REFUSED for an
 * id that is not there. *out_was_revoked: it was already, and stays as it was. */
struct adit_status adit_store_token_revoke(struct adit_store *store, struct adit_bytes id,
                                           uint64_t now_s, bool *out_was_revoked);

/* --- Leases: which names are whose ----------------------------------------------------------- */

/* The account uses the name now. REFUSED where another account does, or where it is held for
 * another account still. INVALID for what is no name or account. */
struct adit_status adit_store_lease_use(struct adit_store *store, struct adit_bytes name,
                                        struct adit_bytes account, uint64_t now_s);

/* The account has stopped to use the name, which is held for it until `until_s`. REFUSED where the
 * account does not use it. */
struct adit_status adit_store_lease_end(struct adit_store *store, struct adit_bytes name,
                                        struct adit_bytes account, uint64_t until_s);

/* Every name in use is held until `until_s`: at a start, before the door has told which are. */
struct adit_status adit_store_leases_settle(struct adit_store *store, uint64_t until_s);

/* Gives up what was held until `now_s` or before. */
struct adit_status adit_store_leases_expire(struct adit_store *store, uint64_t now_s,
                                            uint64_t *out_count);

struct adit_status adit_store_lease_count(struct adit_store *store, uint64_t *out_count);

/* --- Snapshot -------------------------------------------------------------------------------- */

/* A version that no snapshot had before, across all restarts. */
struct adit_status adit_store_version_next(struct adit_store *store, uint64_t *out_version);

/* Appends a whole snapshot (wire/snapshot.h): all leases, and the tokens that are revoked and would
 * still be good at `now_s`. */
struct adit_status adit_store_snapshot_write(struct adit_store *store, uint64_t version,
                                             uint64_t now_s, struct adit_writer *writer);

#endif
