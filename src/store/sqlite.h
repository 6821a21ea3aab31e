/* SQLite: the few ways in which this folder uses it. Every statement is prepared; values are bound,
 * never written into a text. Bytes are bound as blobs; a statement that wants a TEXT says CAST. */
#ifndef ADIT_STORE_SQLITE_H
#define ADIT_STORE_SQLITE_H

#include "store/store.h"

#define ADIT_SQLITE_BUSY_MS 5000

/* What is bound to ?1, ?2 ...: bytes, or a number that SQLite can hold, or nothing (NULL). */
struct adit_sqlite_value {
    struct adit_bytes bytes; /* of no bytes: see number */
    int64_t number;
    bool is_null;
};

static inline struct adit_sqlite_value adit_sqlite_bytes(struct adit_bytes bytes)
{
    return (struct adit_sqlite_value){.bytes = bytes, .is_null = bytes.len == 0};
}

/* A time; one that SQLite cannot hold is "never", which is NULL. */
static inline struct adit_sqlite_value adit_sqlite_time(uint64_t time_s)
{
    bool is_never = time_s > INT64_MAX;
    return (struct adit_sqlite_value){.number = is_never ? 0 : (int64_t)time_s,
                                      .is_null = is_never};
}

static inline struct adit_sqlite_value adit_sqlite_number(uint32_t number)
{
    return (struct adit_sqlite_value){.number = (int64_t)number};
}

struct adit_sqlite_query {
    const char *text;
    const struct adit_sqlite_value *values;
    size_t value_count;
};

#define ADIT_SQLITE_QUERY(query_text, array)                                                    \
    (&(const struct adit_sqlite_query){                                                         \
        .text = (query_text), .values = (array), .value_count = ADIT_COUNT(array)})
#define ADIT_SQLITE_TEXT(query_text) (&(const struct adit_sqlite_query){.text = (query_text)})

/* What a result code of SQLite means; SQLITE_OK, ROW and DONE are success. */
struct adit_status adit_sqlite_status(const struct adit_store *store, int code);

/* The statement, prepared and bound; what `query` points to must live until it is closed. */
struct adit_status adit_sqlite_query_open(struct adit_store *store,
                                          const struct adit_sqlite_query *query,
                                          struct sqlite3_stmt **out_statement);
struct adit_status adit_sqlite_step(struct adit_store *store, struct sqlite3_stmt *statement,
                                    bool *out_is_row);
void adit_sqlite_query_close(struct sqlite3_stmt *statement);

/* Runs a statement to its end; its rows are dropped. */
struct adit_status adit_sqlite_run(struct adit_store *store, const struct adit_sqlite_query *query);

/* The same, and how many rows it has changed. */
struct adit_status adit_sqlite_change(struct adit_store *store,
                                      const struct adit_sqlite_query *query, uint64_t *out_count);

/* The first column of the only row, a number. REFUSED where there is no row. */
struct adit_status adit_sqlite_number_get(struct adit_store *store,
                                          const struct adit_sqlite_query *query,
                                          uint64_t *out_number);

/* A column of the row: bytes live until the next step; NULL and what is negative become
 * `otherwise`. */
struct adit_bytes adit_sqlite_column_bytes(struct sqlite3_stmt *statement, int column);
uint64_t adit_sqlite_column_number(struct sqlite3_stmt *statement, int column, uint64_t otherwise);

/* migrate.c: brings the database up to date. */
struct adit_status adit_store_migrate(struct adit_store *store);
/* Has it any table of ours? */
struct adit_status adit_store_begun_check(struct adit_store *store);

/* mark.c. REFUSED where there is a mark and the database is missing or empty. */
struct adit_status adit_store_mark_look(const char *path, bool *out_is_marked);
struct adit_status adit_store_mark_set(const char *path);

/* tokens.c: INVALID for what is no account's name. */
struct adit_status adit_store_account_check(struct adit_bytes name);

#endif
