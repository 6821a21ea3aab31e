#include "store/sqlite.h"

#define PATH_BYTES_MAX 4096
#define TEXT                                                                                    \
    ADIT_BYTES(ADIT_STORE_FILE " was made here. If it is gone, it was lost: see "               \
               "docs/operations.md.\n")

static struct adit_status mark_path(const char *path, struct adit_span out)
{
    struct adit_writer writer = adit_writer_of(out);
    ADIT_TRY(adit_write_bytes(&writer, adit_bytes_of_text(path)));
    ADIT_TRY(adit_write_bytes(&writer, ADIT_BYTES(".mark")));
    return adit_write_u8(&writer, 0);
}

static struct adit_status size_get(const char *path, bool *out_is_there, uint64_t *out_bytes)
{
    struct adit_status status = adit_file_size_get(path, out_bytes);
    *out_is_there = adit_is_ok(status);
    if (adit_status_error(status) == ADIT_ERROR_SYSTEM &&
        (status.detail == ENOENT || status.detail == ENOTDIR)) {
        return adit_ok();
    }
    return status;
}

/* The mark first: a process that makes the database sets it last. */
struct adit_status adit_store_mark_look(const char *path, bool *out_is_marked)
{
    char mark[PATH_BYTES_MAX] = {0};
    uint64_t bytes = 0;
    bool is_marked = false;
    bool is_there = false;
    ADIT_TRY(mark_path(path, ADIT_OBJECT_SPAN(mark)));
    ADIT_TRY(size_get(mark, &is_marked, &bytes));
    ADIT_TRY(size_get(path, &is_there, &bytes));
    ADIT_ENSURE(!is_marked || is_there, REFUSED,
                "the database is missing, and it was there: put a backup in its place, or remove "
                "store/" ADIT_STORE_MARK " to begin without tokens and names");
    ADIT_ENSURE(!is_marked || bytes > 0, REFUSED,
                "the database is empty, and it was not: put a backup in its place, or remove it "
                "and store/" ADIT_STORE_MARK " to begin without tokens and names");
    *out_is_marked = is_marked;
    return adit_ok();
}

struct adit_status adit_store_mark_set(const char *path)
{
    char mark[PATH_BYTES_MAX] = {0};
    ADIT_TRY(mark_path(path, ADIT_OBJECT_SPAN(mark)));
    struct adit_status status = adit_file_create(mark, 0600, TEXT);
    return adit_status_error(status) == ADIT_ERROR_REFUSED ? adit_ok() : status; /* it is there */
}
