#include "store/sqlite.h"

/* The low byte of an extended code is the code; see sqlite.org/rescode.html. */
#define CODE_MASK 0xff
#define WAL_PAUSE_MS 10

struct adit_status adit_sqlite_status(const struct adit_store *store, int code)
{
    int reason = store->database ? sqlite3_system_errno(store->database) : 0;
    switch (code & CODE_MASK) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return adit_ok();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        ADIT_FAIL_WITH(TIMEOUT, "the database is busy: another process writes to it", code);
    case SQLITE_FULL:
        ADIT_FAIL_WITH(SYSTEM, "the database cannot grow: the disk is full", reason);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        ADIT_FAIL_WITH(INVALID, "the database is damaged; put a backup in its place", code);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        ADIT_FAIL_WITH(SYSTEM, "the database cannot be written: it is read-only", reason);
    case SQLITE_CANTOPEN:
        ADIT_FAIL_WITH(SYSTEM, "the database cannot be opened", reason);
    case SQLITE_IOERR:
        ADIT_FAIL_WITH(SYSTEM, "the database cannot be read or written", reason);
    case SQLITE_NOMEM:
        ADIT_FAIL(MEMORY, "no memory for the database");
    case SQLITE_CONSTRAINT:
        ADIT_FAIL_WITH(REFUSED, "it is in the database already, or breaks a rule of it", code);
    default:
        ADIT_FAIL_WITH(INTERNAL, "the database refused a statement", code);
    }
}

/* --- Statements ------------------------------------------------------------------------------- */

static int value_bind(struct sqlite3_stmt *statement, int at, const struct adit_sqlite_value *value)
{
    if (value->is_null) {
        return sqlite3_bind_null(statement, at);
    }
    if (value->bytes.len > 0) {
        return sqlite3_bind_blob64(statement, at, value->bytes.ptr, value->bytes.len, NULL);
    }
    return sqlite3_bind_int64(statement, at, value->number);
}

struct adit_status adit_sqlite_query_open(struct adit_store *store,
                                          const struct adit_sqlite_query *query,
                                          struct sqlite3_stmt **out_statement)
{
    struct sqlite3_stmt *statement = NULL;
    ADIT_ENSURE(store->database, CLOSED, "the database is closed");
    int code = sqlite3_prepare_v2(store->database, query->text, -1, &statement, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < query->value_count; i++) {
        code = value_bind(statement, (int)i + 1,
                          &ADIT_SLOT(query->values, query->value_count, i));
    }
    struct adit_status status = adit_sqlite_status(store, code);
    if (!adit_is_ok(status)) {
        adit_sqlite_query_close(statement);
        return status;
    }
    *out_statement = statement;
    return adit_ok();
}

struct adit_status adit_sqlite_step(struct adit_store *store, struct sqlite3_stmt *statement,
                                    bool *out_is_row)
{
    int code = sqlite3_step(statement);
    ADIT_TRY(adit_sqlite_status(store, code));
    *out_is_row = code == SQLITE_ROW;
    return adit_ok();
}

void adit_sqlite_query_close(struct sqlite3_stmt *statement)
{
    sqlite3_finalize(statement); /* repeats what step said */
}

struct adit_status adit_sqlite_run(struct adit_store *store, const struct adit_sqlite_query *query)
{
    struct sqlite3_stmt *statement = NULL;
    ADIT_TRY(adit_sqlite_query_open(store, query, &statement));
    struct adit_status status = adit_ok();
    for (bool is_row = true; is_row && adit_is_ok(status);) {
        status = adit_sqlite_step(store, statement, &is_row);
    }
    adit_sqlite_query_close(statement);
    return status;
}

struct adit_status adit_sqlite_change(struct adit_store *store,
                                      const struct adit_sqlite_query *query, uint64_t *out_count)
{
    ADIT_TRY(adit_sqlite_run(store, query));
    *out_count = (uint64_t)sqlite3_changes(store->database);
    return adit_ok();
}

struct adit_status adit_sqlite_number_get(struct adit_store *store,
                                          const struct adit_sqlite_query *query,
                                          uint64_t *out_number)
{
    struct sqlite3_stmt *statement = NULL;
    bool is_row = false;
    ADIT_TRY(adit_sqlite_query_open(store, query, &statement));
    struct adit_status status = adit_sqlite_step(store, statement, &is_row);
    if (is_row) {
        *out_number = adit_sqlite_column_number(statement, 0, 0);
    }
    adit_sqlite_query_close(statement);
    ADIT_TRY(status);
    ADIT_ENSURE(is_row, REFUSED, "it is not in the database");
    return adit_ok();
}

struct adit_bytes adit_sqlite_column_bytes(struct sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int count = sqlite3_column_bytes(statement, column);
    return adit_object_bytes(bytes, bytes && count > 0 ? (size_t)count : 0);
}

uint64_t adit_sqlite_column_number(struct sqlite3_stmt *statement, int column, uint64_t otherwise)
{
    int64_t number = sqlite3_column_int64(statement, column);
    bool is_null = sqlite3_column_type(statement, column) == SQLITE_NULL;
    return is_null || number < 0 ? otherwise : (uint64_t)number;
}

/* --- Open and close --------------------------------------------------------------------------- */

/* Nothing in the file may change what our statements do, and nothing is loaded. */
static struct adit_status defences_set(struct adit_store *store)
{
    static const struct {
        int option, value;
    } rows[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        ADIT_TRY(adit_sqlite_status(store,
                                    sqlite3_db_config(store->database, ADIT_AT(rows, i).option,
                                                      ADIT_AT(rows, i).value, NULL)));
    }
    return adit_sqlite_status(store,
                              sqlite3_busy_timeout(store->database, ADIT_SQLITE_BUSY_MS));
}

/* The way into WAL does not wait for others as other statements do: so it is tried until then. */
static struct adit_status wal_enter(struct adit_store *store)
{
    uint64_t end_us = adit_clock_now_us() + (uint64_t)ADIT_SQLITE_BUSY_MS * ADIT_MS_US;
    struct adit_status status = adit_ok();
    do {
        status = adit_sqlite_run(store, ADIT_SQLITE_TEXT("PRAGMA journal_mode = WAL"));
        if (adit_status_error(status) != ADIT_ERROR_TIMEOUT) {
            return status;
        }
        sqlite3_sleep(WAL_PAUSE_MS);
    } while (adit_clock_now_us() < end_us);
    return status;
}

/* A damaged database is refused as a whole, before anybody acts by half of it. */
static struct adit_status damage_check(struct adit_store *store)
{
    struct sqlite3_stmt *statement = NULL;
    bool is_row = false;
    ADIT_TRY(adit_sqlite_query_open(store, ADIT_SQLITE_TEXT("PRAGMA integrity_check(1)"),
                                    &statement));
    struct adit_status status = adit_sqlite_step(store, statement, &is_row);
    bool is_fine = is_row && adit_bytes_equal(adit_sqlite_column_bytes(statement, 0),
                                              ADIT_BYTES("ok"));
    adit_sqlite_query_close(statement);
    ADIT_TRY(status);
    ADIT_ENSURE(is_fine, INVALID, "the database is damaged; put a backup in its place");
    return adit_ok();
}

static struct adit_status prepare(struct adit_store *store, bool is_marked)
{
    static const char *const settings[] = {
        "PRAGMA synchronous = FULL", /* a commit that was told survives the loss of power */
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cell_size_check = ON",
    };
    /* SQLite opens a file to read where it may not write it. */
    ADIT_ENSURE(sqlite3_db_readonly(store->database, "main") == 0, SYSTEM,
                "the database cannot be written: it is read-only");
    ADIT_TRY(defences_set(store));
    ADIT_TRY(wal_enter(store));
    for (size_t i = 0; i < ADIT_COUNT(settings); i++) {
        ADIT_TRY(adit_sqlite_run(store, ADIT_SQLITE_TEXT(ADIT_AT(settings, i))));
    }
    ADIT_TRY(damage_check(store));
    if (is_marked) {
        ADIT_TRY(adit_store_begun_check(store));
    }
    return adit_store_migrate(store);
}

/* An empty file, where there is none. */
static struct adit_status file_make(const char *path)
{
    struct adit_status status = adit_file_create(path, 0600, (struct adit_bytes){0});
    return adit_status_error(status) == ADIT_ERROR_REFUSED ? adit_ok() : status; /* it is there */
}

struct adit_status adit_store_open(struct adit_store *store, const char *path)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      SQLITE_OPEN_NOFOLLOW;
    struct adit_store fresh = {0};
    bool is_marked = false;
    ADIT_TRY(adit_store_mark_look(path, &is_marked));
    if (!is_marked) {
        ADIT_TRY(file_make(path));
    }
    int code = sqlite3_open_v2(path, &fresh.database, flags, NULL);
    struct adit_status status = adit_sqlite_status(&fresh, code);
    if (adit_is_ok(status)) {
        status = prepare(&fresh, is_marked);
    }
    if (adit_is_ok(status) && !is_marked) {
        status = adit_store_mark_set(path);
    }
    if (!adit_is_ok(status)) {
        adit_store_close(&fresh);
        return status;
    }
    *store = fresh;
    return adit_ok();
}

void adit_store_close(struct adit_store *store)
{
    sqlite3_close_v2(store->database); /* null is fine */
    *store = (struct adit_store){0};
}

bool adit_store_is_moved(const struct adit_store *store)
{
    int is_moved = 0;
    return store->database &&
           sqlite3_file_control(store->database, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) ==
               SQLITE_OK &&
           is_moved != 0;
}

struct adit_status adit_store_begin(struct adit_store *store)
{
    return adit_sqlite_run(store, ADIT_SQLITE_TEXT("BEGIN IMMEDIATE"));
}

struct adit_status adit_store_end(struct adit_store *store, struct adit_status status)
{
    if (adit_is_ok(status)) {
        status = adit_sqlite_run(store, ADIT_SQLITE_TEXT("COMMIT"));
    }
    if (!adit_is_ok(status) && sqlite3_get_autocommit(store->database) == 0) {
        adit_status_ignore(adit_sqlite_run(store, ADIT_SQLITE_TEXT("ROLLBACK")),
                           "the first failure is told; a rollback that fails is one by itself");
    }
    return status;
}

struct adit_status adit_store_change_get(struct adit_store *store, uint64_t *out_change)
{
    return adit_sqlite_number_get(store, ADIT_SQLITE_TEXT("PRAGMA data_version"), out_change);
}
