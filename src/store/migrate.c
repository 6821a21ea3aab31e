#include "store/migrations.h"
#include "store/sqlite.h"

#define TEXT_BYTES_MAX 8192 /* of one migration */

/* In order; the place in the table is the number, from 1. Never change one that was released. */
static const struct adit_bytes *const migrations[] = {&adit_migration_0001};

/* The statements of one text. SQLite wants an end, which an embedded text does not have. */
static struct adit_status text_run(struct adit_store *store, struct adit_bytes text)
{
    char copy[TEXT_BYTES_MAX + 1] = {0};
    ADIT_TRY(adit_span_copy(adit_span_first(ADIT_OBJECT_SPAN(copy), TEXT_BYTES_MAX), text));
    return adit_sqlite_status(store, sqlite3_exec(store->database, copy, NULL, NULL, NULL));
}

static struct adit_status migration_apply(struct adit_store *store, size_t number)
{
    const struct adit_sqlite_value values[] = {
        adit_sqlite_number((uint32_t)number),
        adit_sqlite_time(adit_clock_wall_ms() / 1000),
    };
    ADIT_TRY(text_run(store, *ADIT_AT(migrations, number - 1)));
    return adit_sqlite_run(
        store, ADIT_SQLITE_QUERY("INSERT INTO migrations (number, applied_s) VALUES (?1, ?2)",
                                 values));
}

/* One migration, in a transaction of its own. What another process has done meanwhile is seen:
 * BEGIN IMMEDIATE lets one after the other in. */
static struct adit_status step_inside(struct adit_store *store, bool *out_is_done)
{
    uint64_t last = 0;
    ADIT_TRY(adit_sqlite_run(store,
                             ADIT_SQLITE_TEXT("CREATE TABLE IF NOT EXISTS migrations ("
                                              "number INTEGER PRIMARY KEY, "
                                              "applied_s INTEGER NOT NULL) STRICT")));
    ADIT_TRY(adit_sqlite_number_get(
        store, ADIT_SQLITE_TEXT("SELECT coalesce(max(number), 0) FROM migrations"), &last));
    ADIT_ENSURE(last <= ADIT_COUNT(migrations), REFUSED,
                "a newer version of this program has made the database; use that one");
    *out_is_done = last == ADIT_COUNT(migrations);
    return *out_is_done ? adit_ok() : migration_apply(store, (size_t)last + 1);
}

/* Is the database as this program makes it? Looked at without a lock, so that the tenth process
 * waits for none. */
static bool is_current(struct adit_store *store)
{
    uint64_t last = 0;
    return adit_is_ok(adit_sqlite_number_get(
               store, ADIT_SQLITE_TEXT("SELECT max(number) FROM migrations"), &last)) &&
           last == ADIT_COUNT(migrations);
}

struct adit_status adit_store_begun_check(struct adit_store *store)
{
    uint64_t tables = 0;
    ADIT_TRY(adit_sqlite_number_get(
        store, ADIT_SQLITE_TEXT("SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'"),
        &tables));
    ADIT_ENSURE(tables > 0, INVALID,
                "this is another database than the one that was here: it has none of its tables; "
                "put a backup in its place");
    return adit_ok();
}

struct adit_status adit_store_migrate(struct adit_store *store)
{
    for (bool is_done = is_current(store); !is_done;) {
        ADIT_TRY(adit_store_begin(store));
        ADIT_TRY(adit_store_end(store, step_inside(store, &is_done)));
    }
    return adit_ok();
}
