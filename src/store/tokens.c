#include "store/sqlite.h"

/* The columns that token_read expects, in its order. */
#define TOKEN_COLUMNS                                                                           \
    "SELECT t.id, t.parent, t.hash, a.name, t.names, t.kind, t.allows, t.created_s, "           \
    "t.expires_s, t.revoked_s FROM tokens AS t JOIN accounts AS a ON a.id = t.account "

/* --- Accounts --------------------------------------------------------------------------------- */

struct adit_status adit_store_account_check(struct adit_bytes name)
{
    struct adit_token_record record = {0};
    return adit_token_account_set(&record, name);
}

struct adit_status adit_store_account_ensure(struct adit_store *store, struct adit_bytes name,
                                             uint64_t now_s)
{
    const struct adit_sqlite_value values[] = {adit_sqlite_bytes(name), adit_sqlite_time(now_s)};
    ADIT_TRY(adit_store_account_check(name));
    return adit_sqlite_run(store,
                           ADIT_SQLITE_QUERY("INSERT INTO accounts (name, created_s) "
                                             "VALUES (CAST(?1 AS TEXT), ?2) "
                                             "ON CONFLICT (name) DO NOTHING",
                                             values));
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static bool is_zero(struct adit_bytes bytes)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        seen = (uint8_t)(seen | adit_bytes_at(bytes, i));
    }
    return seen == 0;
}

static struct adit_status token_insert(struct adit_store *store,
                                       const struct adit_store_token *token)
{
    struct adit_bytes parent = ADIT_BYTES_OF(token->parent);
    if (is_zero(parent)) {
        parent = (struct adit_bytes){0};
    }
    const struct adit_sqlite_value values[] = {
        adit_sqlite_bytes(ADIT_BYTES_OF(token->id)),
        adit_sqlite_bytes(parent),
        adit_sqlite_bytes(ADIT_BYTES_OF(token->hash)),
        adit_sqlite_bytes(ADIT_FIELD_BYTES(token->account)),
        adit_sqlite_number((uint32_t)token->kind),
        adit_sqlite_number(token->allows),
        adit_sqlite_bytes(ADIT_FIELD_BYTES(token->names)),
        adit_sqlite_time(token->created_s),
        adit_sqlite_time(token->expires_s),
        adit_sqlite_time(token->revoked_s == 0 ? UINT64_MAX : token->revoked_s),
    };
    ADIT_TRY(adit_store_account_ensure(store, ADIT_FIELD_BYTES(token->account),
                                       token->created_s));
    return adit_sqlite_run(
        store,
        ADIT_SQLITE_QUERY("INSERT INTO tokens (id, parent, hash, account, kind, allows, names, "
                          "created_s, expires_s, revoked_s) VALUES (?1, ?2, ?3, "
                          "(SELECT id FROM accounts WHERE name = CAST(?4 AS TEXT)), "
                          "?5, ?6, CAST(?7 AS TEXT), ?8, ?9, ?10)",
                          values));
}

struct adit_status adit_store_token_add(struct adit_store *store,
                                        const struct adit_store_token *token)
{
    ADIT_ENSURE(!is_zero(ADIT_BYTES_OF(token->id)), INVALID, "a token without an id");
    ADIT_ENSURE(adit_name_pattern_is_valid(ADIT_FIELD_BYTES(token->names)), INVALID,
                "a token without names");
    ADIT_TRY(adit_store_begin(store));
    return adit_store_end(store, token_insert(store, token));
}

/* INVALID where the database holds what no token has: somebody else has written it. */
static struct adit_status token_read(struct sqlite3_stmt *row, struct adit_store_token *out_token)
{
    struct adit_store_token token = {
        .kind = ADIT_TOKEN_USER,
        .allows = (uint8_t)adit_sqlite_column_number(row, 6, 0),
        .created_s = adit_sqlite_column_number(row, 7, 0),
        .expires_s = adit_sqlite_column_number(row, 8, ADIT_TOKEN_EXPIRES_NEVER),
        .revoked_s = adit_sqlite_column_number(row, 9, 0),
    };
    static const enum adit_token_kind kinds[] = {ADIT_TOKEN_USER, ADIT_TOKEN_PROJECT,
                                                 ADIT_TOKEN_MASTER, ADIT_TOKEN_DASHBOARD};
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        if (adit_sqlite_column_number(row, 5, 0) == (uint64_t)ADIT_AT(kinds, i)) {
            token.kind = ADIT_AT(kinds, i);
        }
    }
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(token.id), adit_sqlite_column_bytes(row, 0)));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(token.parent), adit_sqlite_column_bytes(row, 1)));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(token.hash), adit_sqlite_column_bytes(row, 2)));
    ADIT_TRY(ADIT_FIELD_SET(token.account, adit_sqlite_column_bytes(row, 3)));
    ADIT_TRY(ADIT_FIELD_SET(token.names, adit_sqlite_column_bytes(row, 4)));
    *out_token = token;
    return adit_ok();
}

struct adit_status adit_store_token_each(struct adit_store *store, adit_store_token_fn *each,
                                         void *context)
{
    struct sqlite3_stmt *row = NULL;
    struct adit_store_token token = {0};
    bool is_row = true;
    ADIT_TRY(adit_sqlite_query_open(store, ADIT_SQLITE_TEXT(TOKEN_COLUMNS "ORDER BY t.number"),
                                    &row));
    struct adit_status status = adit_sqlite_step(store, row, &is_row);
    while (adit_is_ok(status) && is_row) {
        status = token_read(row, &token);
        if (!adit_is_ok(status) || !each(context, &token)) {
            break;
        }
        status = adit_sqlite_step(store, row, &is_row);
    }
    adit_sqlite_query_close(row);
    return status;
}

struct adit_status adit_store_token_count(struct adit_store *store, uint64_t *out_count)
{
    return adit_sqlite_number_get(store, ADIT_SQLITE_TEXT("SELECT count(*) FROM tokens"),
                                  out_count);
}

/* --- Revocations ------------------------------------------------------------------------------ */

static struct adit_status revoke_inside(struct adit_store *store, struct adit_bytes id,
                                        uint64_t now_s, bool *out_was_revoked)
{
    const struct adit_sqlite_value values[] = {adit_sqlite_bytes(id), adit_sqlite_time(now_s)};
    uint64_t count = 0;
    ADIT_TRY(adit_sqlite_number_get(
        store,
        ADIT_SQLITE_TEXT("SELECT count(*) FROM tokens WHERE revoked_s IS NOT NULL "
                         "AND (expires_s IS NULL OR expires_s > unixepoch())"),
        &count));
    ADIT_ENSURE(count < ADIT_STORE_REVOCATIONS_MAX, LIMIT,
                "too many revoked tokens; begin with another token key");
    ADIT_TRY(adit_sqlite_change(
        store,
        ADIT_SQLITE_QUERY("UPDATE tokens SET revoked_s = ?2 WHERE id = ?1 AND revoked_s IS NULL",
                          values),
        &count));
    if (count > 0) {
        *out_was_revoked = false;
        return adit_ok();
    }
    const struct adit_sqlite_value key[] = {adit_sqlite_bytes(id)};
    ADIT_TRY(adit_sqlite_number_get(
        store, ADIT_SQLITE_QUERY("SELECT count(*) FROM tokens WHERE id = ?1", key), &count));
    ADIT_ENSURE(count > 0, REFUSED, "there is no token with this id");
    *out_was_revoked = true;
    return adit_ok();
}

struct adit_status adit_store_token_revoke(struct adit_store *store, struct adit_bytes id,
                                           uint64_t now_s, bool *out_was_revoked)
{
    ADIT_ENSURE(id.len == ADIT_TOKEN_ID_BYTES, INVALID, "this is no token's id");
    ADIT_TRY(adit_store_begin(store));
    return adit_store_end(store, revoke_inside(store, id, now_s, out_was_revoked));
}
