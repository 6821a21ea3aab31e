#include "cli/aditd/data.h"

#include "store/store.h"

#define KEY_TEXT_BYTES (2 * ADIT_TOKEN_KEY_BYTES)

static struct adit_status text_write(struct adit_data_path *path, struct adit_bytes first,
                                     struct adit_bytes second)
{
    struct adit_data_path made = {0};
    struct adit_writer writer =
        adit_writer_of(adit_span_first(ADIT_OBJECT_SPAN(made.text), ADIT_DATA_PATH_MAX));
    ADIT_ENSURE(adit_bytes_find(first, 0) == first.len, INVALID, "a path with a NUL");
    ADIT_TRY(adit_write_bytes(&writer, first));
    ADIT_TRY(adit_write_bytes(&writer, second));
    ADIT_TRY(adit_write_u8(&writer, 0));
    *path = made;
    return adit_ok();
}

static bool is_absolute(const char *path)
{
    return path && adit_bytes_starts_with(adit_bytes_of_text(path), ADIT_BYTES("/"));
}

struct adit_status adit_data_find(const struct adit_data_place *place,
                                  struct adit_data_path *out_folder)
{
    if (place->given) {
        ADIT_ENSURE(*place->given != 0, INVALID, "the data folder has an empty name");
        return text_write(out_folder, adit_bytes_of_text(place->given), ADIT_BYTES(""));
    }
    if (place->is_root) {
        return text_write(out_folder, ADIT_BYTES("/var/lib/adit"), ADIT_BYTES(""));
    }
    if (is_absolute(place->xdg_data_home)) { /* relative ones are to be ignored, says its rule */
        return text_write(out_folder, adit_bytes_of_text(place->xdg_data_home),
                          ADIT_BYTES("/adit"));
    }
    ADIT_ENSURE(is_absolute(place->home), INVALID,
                "no data folder: give --data DIR, or set HOME");
    return text_write(out_folder, adit_bytes_of_text(place->home),
                      ADIT_BYTES("/.local/share/adit"));
}

static struct adit_status folder_make(const char *path, mode_t mode)
{
    struct stat found = {0};
    if (mkdir(path, mode) == 0) {
        return adit_ok();
    }
    if (errno != EEXIST) {
        ADIT_FAIL_WITH(SYSTEM, "the data folder cannot be made", errno);
    }
    if (stat(path, &found) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the data folder cannot be looked at", errno);
    }
    ADIT_ENSURE(S_ISDIR(found.st_mode), REFUSED, "the data folder is not a folder");
    return adit_ok();
}

struct adit_status adit_data_make(const struct adit_data_path *folder)
{
    struct adit_bytes whole = adit_bytes_of_text(folder->text);
    for (size_t at = 1; at < whole.len; at++) {
        if (adit_bytes_at(whole, at) == '/') {
            struct adit_data_path above = {0};
            ADIT_TRY(text_write(&above, adit_bytes_first(whole, at), ADIT_BYTES("")));
            ADIT_TRY(folder_make(above.text, 0755));
        }
    }
    return folder_make(folder->text, 0700);
}

struct adit_status adit_data_path(const struct adit_data_path *folder, struct adit_bytes name,
                                  struct adit_data_path *out_path)
{
    struct adit_data_path made = {0};
    ADIT_TRY(adit_path_join(ADIT_OBJECT_SPAN(made.text), adit_bytes_of_text(folder->text), name));
    *out_path = made;
    return adit_ok();
}

static struct adit_status is_there(const struct adit_data_path *folder, struct adit_bytes name,
                                   bool *out_is_there)
{
    struct adit_data_path path = {0};
    ADIT_TRY(adit_data_path(folder, name, &path));
    *out_is_there = access(path.text, F_OK) == 0;
    if (!*out_is_there && errno != ENOENT && errno != ENOTDIR) {
        ADIT_FAIL_WITH(SYSTEM, "the database cannot be looked at", errno);
    }
    return adit_ok();
}

struct adit_status adit_data_store_make(const struct adit_data_path *folder,
                                        struct adit_data_path *out_store)
{
    struct adit_data_path store = {0};
    bool is_old = false;
    ADIT_TRY(is_there(folder, ADIT_BYTES(ADIT_STORE_FILE), &is_old));
    ADIT_ENSURE(!is_old, REFUSED,
                ADIT_STORE_FILE " has a folder of its own now: while no server runs, make "
                ADIT_STORE_FOLDER "/ (mode 700) here and move " ADIT_STORE_FILE "* into it");
    ADIT_TRY(adit_data_path(folder, ADIT_BYTES(ADIT_STORE_FOLDER), &store));
    ADIT_TRY(folder_make(store.text, 0700));
    *out_store = store;
    return adit_ok();
}

struct adit_status adit_data_require(const struct adit_data_path *folder)
{
    static const struct adit_bytes names[] = {
        ADIT_BYTES_INIT(ADIT_STORE_FOLDER "/" ADIT_STORE_FILE),
        ADIT_BYTES_INIT(ADIT_STORE_FOLDER "/" ADIT_STORE_MARK), /* what is lost is told later */
        ADIT_BYTES_INIT(ADIT_STORE_FILE),                       /* as an older version had it */
    };
    bool is_one = false;
    for (size_t i = 0; i < ADIT_COUNT(names) && !is_one; i++) {
        ADIT_TRY(is_there(folder, ADIT_AT(names, i), &is_one));
    }
    ADIT_ENSURE(is_one, REFUSED,
                "there is no " ADIT_STORE_FILE " in it; give the server's --data DIR");
    return adit_ok();
}

static struct adit_status key_make(const char *path)
{
    uint8_t key[ADIT_TOKEN_KEY_BYTES] = {0};
    uint8_t text[KEY_TEXT_BYTES + 1] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(text));
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(key)));
    ADIT_TRY(adit_write_hex(&writer, ADIT_BYTES_OF(key)));
    ADIT_TRY(adit_write_u8(&writer, '\n'));
    struct adit_status status = adit_file_create(path, 0600, adit_writer_bytes(&writer));
    adit_span_wipe(ADIT_SPAN_OF(key));
    adit_span_wipe(ADIT_SPAN_OF(text));
    if (adit_status_error(status) == ADIT_ERROR_REFUSED) {
        return adit_ok(); /* another process was quicker: its key is the one */
    }
    return status;
}

struct adit_status adit_data_token_key(const struct adit_data_path *folder,
                                       struct adit_data_path *out_path)
{
    struct adit_data_path path = {0};
    ADIT_TRY(adit_data_path(folder, ADIT_BYTES("token.key"), &path));
    if (access(path.text, F_OK) != 0) {
        ADIT_TRY(key_make(path.text));
    }
    *out_path = path;
    return adit_ok();
}

struct adit_status adit_data_token_key_read(const char *path, struct adit_span out_key)
{
    uint8_t text[KEY_TEXT_BYTES + 1] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(text));
    struct adit_status status = adit_file_read(path, &writer);
    if (adit_is_ok(status)) {
        struct adit_bytes hex = adit_bytes_first(adit_writer_bytes(&writer), KEY_TEXT_BYTES);
        bool is_key =
            adit_is_ok(adit_parse_hex(hex, adit_span_first(out_key, ADIT_TOKEN_KEY_BYTES)));
        adit_span_wipe(ADIT_SPAN_OF(text));
        ADIT_ENSURE(is_key, INVALID, "token.key is damaged: it does not hold 64 hex digits");
    }
    adit_span_wipe(ADIT_SPAN_OF(text));
    return status;
}
