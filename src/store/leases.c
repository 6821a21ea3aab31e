#include "store/sqlite.h"

#define MAX(number) MAX_TEXT(number)
#define MAX_TEXT(number) #number

/* In use first, then those that are held longest. */
#define LEASES                                                                                  \
    "SELECT l.name, a.name, l.until_s FROM leases AS l JOIN accounts AS a ON a.id = l.account " \
    "ORDER BY l.until_s IS NOT NULL, l.until_s DESC LIMIT " MAX(ADIT_STORE_LEASES_MAX)
#define REVOKED                                                                                 \
    "FROM tokens WHERE revoked_s IS NOT NULL AND (expires_s IS NULL OR expires_s > ?1) "

/* --- Leases ----------------------------------------------------------------------------------- */

static struct adit_status lease_check(struct adit_bytes name, struct adit_bytes account)
{
    ADIT_ENSURE(adit_name_is_valid(name), INVALID, "a lease of what is no name");
    return adit_store_account_check(account);
}

struct adit_status adit_store_lease_count(struct adit_store *store, uint64_t *out_count)
{
    return adit_sqlite_number_get(store, ADIT_SQLITE_TEXT("SELECT count(*) FROM leases"),
                                  out_count);
}

struct adit_status adit_store_lease_use(struct adit_store *store, struct adit_bytes name,
                                        struct adit_bytes account, uint64_t now_s)
{
    const struct adit_sqlite_value values[] = {
        adit_sqlite_bytes(name), adit_sqlite_bytes(account), adit_sqlite_time(now_s)};
    uint64_t count = 0;
    ADIT_TRY(lease_check(name, account));
    ADIT_TRY(adit_store_account_ensure(store, account, now_s));
    ADIT_TRY(adit_sqlite_change(
        store,
        ADIT_SQLITE_QUERY(
            "INSERT INTO leases (name, account, first_s, until_s) SELECT CAST(?1 AS TEXT), id, "
            "?3, NULL FROM accounts WHERE name = CAST(?2 AS TEXT) "
            "ON CONFLICT (name) DO UPDATE SET "
            "first_s = iif(account = excluded.account, first_s, excluded.first_s), "
            "account = excluded.account, until_s = NULL "
            "WHERE account = excluded.account OR until_s <= ?3",
            values),
        &count));
    ADIT_ENSURE(count > 0, REFUSED, "the name is held for another account");
    return adit_ok();
}

struct adit_status adit_store_lease_end(struct adit_store *store, struct adit_bytes name,
                                        struct adit_bytes account, uint64_t until_s)
{
    const struct adit_sqlite_value values[] = {
        adit_sqlite_bytes(name), adit_sqlite_bytes(account), adit_sqlite_time(until_s)};
    uint64_t count = 0;
    ADIT_TRY(lease_check(name, account));
    ADIT_TRY(adit_sqlite_change(
        store,
        ADIT_SQLITE_QUERY("UPDATE leases SET until_s = ?3 WHERE name = CAST(?1 AS TEXT) "
                          "AND until_s IS NULL AND account = "
                          "(SELECT id FROM accounts WHERE name = CAST(?2 AS TEXT))",
                          values),
        &count));
    ADIT_ENSURE(count > 0, REFUSED, "the account does not use the name");
    return adit_ok();
}

struct adit_status adit_store_leases_settle(struct adit_store *store, uint64_t until_s)
{
    const struct adit_sqlite_value values[] = {adit_sqlite_time(until_s)};
    return adit_sqlite_run(
        store,
        ADIT_SQLITE_QUERY("UPDATE leases SET until_s = ?1 WHERE until_s IS NULL", values));
}

struct adit_status adit_store_leases_expire(struct adit_store *store, uint64_t now_s,
                                            uint64_t *out_count)
{
    const struct adit_sqlite_value values[] = {adit_sqlite_time(now_s)};
    return adit_sqlite_change(
        store, ADIT_SQLITE_QUERY("DELETE FROM leases WHERE until_s <= ?1", values), out_count);
}

/* --- Snapshot --------------------------------------------------------------------------------- */

static struct adit_status version_inside(struct adit_store *store, uint64_t *out_version)
{
    ADIT_TRY(adit_sqlite_run(
        store,
        ADIT_SQLITE_TEXT("UPDATE versions SET value = value + 1 WHERE name = 'snapshot'")));
    return adit_sqlite_number_get(
        store, ADIT_SQLITE_TEXT("SELECT value FROM versions WHERE name = 'snapshot'"),
        out_version);
}

struct adit_status adit_store_version_next(struct adit_store *store, uint64_t *out_version)
{
    uint64_t version = 0;
    ADIT_TRY(adit_store_begin(store));
    ADIT_TRY(adit_store_end(store, version_inside(store, &version)));
    *out_version = version;
    return adit_ok();
}

static struct adit_status lease_write(struct sqlite3_stmt *row, struct adit_writer *writer)
{
    const struct adit_snapshot_lease lease = {
        .name = adit_sqlite_column_bytes(row, 0),
        .account = adit_sqlite_column_bytes(row, 1),
        .until_s = adit_sqlite_column_number(row, 2, ADIT_STORE_IN_USE),
    };
    return adit_snapshot_lease_write(writer, &lease);
}

static struct adit_status revocation_write(struct sqlite3_stmt *row, struct adit_writer *writer)
{
    return adit_snapshot_revocation_write(writer, adit_sqlite_column_bytes(row, 0));
}

typedef struct adit_status row_write_fn(struct sqlite3_stmt *row, struct adit_writer *writer);

static struct adit_status rows_write(struct adit_store *store,
                                     const struct adit_sqlite_query *query, row_write_fn *write,
                                     struct adit_writer *writer)
{
    struct sqlite3_stmt *row = NULL;
    bool is_row = true;
    ADIT_TRY(adit_sqlite_query_open(store, query, &row));
    struct adit_status status = adit_sqlite_step(store, row, &is_row);
    while (adit_is_ok(status) && is_row) {
        status = write(row, writer);
        if (adit_is_ok(status)) {
            status = adit_sqlite_step(store, row, &is_row);
        }
    }
    adit_sqlite_query_close(row);
    return status;
}

/* Reads of one transaction see one moment, so the counts are those of the rows. What would be too
 * many is left out, the least important first: a snapshot without it is better than none. */
static struct adit_status snapshot_inside(struct adit_store *store, uint64_t version,
                                          const struct adit_sqlite_value *now,
                                          struct adit_writer *writer)
{
    const struct adit_sqlite_query revoked_count = {"SELECT count(*) " REVOKED, now, 1};
    const struct adit_sqlite_query revoked = {
        "SELECT id " REVOKED "ORDER BY revoked_s DESC LIMIT " MAX(ADIT_STORE_REVOCATIONS_MAX),
        now, 1};
    uint64_t leases = 0;
    uint64_t revocations = 0;
    ADIT_TRY(adit_store_lease_count(store, &leases));
    ADIT_TRY(adit_sqlite_number_get(store, &revoked_count, &revocations));
    leases = leases < ADIT_STORE_LEASES_MAX ? leases : ADIT_STORE_LEASES_MAX;
    revocations =
        revocations < ADIT_STORE_REVOCATIONS_MAX ? revocations : ADIT_STORE_REVOCATIONS_MAX;
    ADIT_TRY(adit_snapshot_header_write(writer, version, (uint32_t)leases, (uint32_t)revocations));
    ADIT_TRY(rows_write(store, ADIT_SQLITE_TEXT(LEASES), lease_write, writer));
    return rows_write(store, &revoked, revocation_write, writer);
}

struct adit_status adit_store_snapshot_write(struct adit_store *store, uint64_t version,
                                             uint64_t now_s, struct adit_writer *writer)
{
    const struct adit_sqlite_value now = adit_sqlite_time(now_s);
    struct adit_writer attempt = *writer;
    ADIT_TRY(adit_sqlite_run(store, ADIT_SQLITE_TEXT("BEGIN")));
    ADIT_TRY(adit_store_end(store, snapshot_inside(store, version, &now, &attempt)));
    *writer = attempt;
    return adit_ok();
}
