#include "cli/aditd/command.h"
#include "cli/output.h"
#include "net/hmac.h"

static struct adit_status token_mint(const struct adit_data_path *folder,
                                     struct adit_token_record *record,
                                     struct adit_writer *out_token)
{
    struct adit_data_path path = {0};
    uint8_t key[ADIT_TOKEN_KEY_BYTES] = {0};
    ADIT_TRY(adit_data_token_key(folder, &path));
    ADIT_TRY(adit_data_token_key_read(path.text, ADIT_SPAN_OF(key)));
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(record->id)));
    record->key_id = ADIT_TOKEN_KEY_ID;
    struct adit_status status =
        adit_token_mint(out_token, record, ADIT_BYTES_OF(key), adit_hmac_sha256);
    adit_span_wipe(ADIT_SPAN_OF(key));
    return status;
}

/* The row of a token: its id and hash, never the token. */
static struct adit_status row_make(const struct adit_token_record *record, struct adit_bytes token,
                                   struct adit_store_token *out_row)
{
    struct adit_store_token row = {.kind = record->kind,
                                   .allows = record->allows,
                                   .created_s = record->not_before_s,
                                   .expires_s = record->expiry_s};
    struct adit_bytes account = ADIT_BYTES_OF(record->account);
    account = adit_bytes_first(account, adit_bytes_find(account, 0));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(row.id), ADIT_BYTES_OF(record->id)));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(row.parent), ADIT_BYTES_OF(record->parent)));
    ADIT_TRY(adit_sha256(token, ADIT_SPAN_OF(row.hash)));
    ADIT_TRY(ADIT_FIELD_SET(row.account, account));
    ADIT_TRY(ADIT_FIELD_SET(row.names, adit_token_names_text(&record->names)));
    *out_row = row;
    return adit_ok();
}

static struct adit_status token_store(struct adit_store *store,
                                      const struct adit_token_record *record,
                                      struct adit_bytes token)
{
    struct adit_store_token row = {0};
    ADIT_TRY(row_make(record, token, &row));
    return adit_store_token_add(store, &row);
}

/* Mints the token, keeps what may be kept, and writes what is printed. The database comes first:
 * where there is a token key there was one. */
static struct adit_status token_make(const struct adit_data_path *folder,
                                     struct adit_token_record *record, bool is_json,
                                     struct adit_writer *text)
{
    uint8_t memory[ADIT_TOKEN_TEXT_MAX + 1] = {0}; /* and a newline */
    struct adit_writer token = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_store store = {0};
    ADIT_TRY(adit_aditd_store_open(folder, &store));
    struct adit_status status = token_mint(folder, record, &token);
    if (adit_is_ok(status)) {
        status = token_store(&store, record, adit_writer_bytes(&token));
    }
    adit_store_close(&store);
    if (adit_is_ok(status) && is_json) {
        status = adit_token_json_write(text, record, adit_writer_bytes(&token));
    } else if (adit_is_ok(status)) {
        status = adit_write_u8(&token, '\n');
        status = adit_is_ok(status) ? adit_write_bytes(text, adit_writer_bytes(&token)) : status;
    }
    adit_span_wipe(ADIT_SPAN_OF(memory));
    return status;
}

static bool has_key(const struct adit_data_path *folder)
{
    struct adit_data_path path = {0};
    return adit_is_ok(adit_data_path(folder, ADIT_BYTES("token.key"), &path)) &&
           access(path.text, F_OK) == 0;
}

/* Somebody who forgot --data would get tokens that their server refuses. */
static void key_hint(const struct adit_data_path *folder)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer hint = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(adit_write_bytes(&hint, ADIT_BYTES("note: a new token key was made in ")),
                       "a cut hint is still one");
    adit_status_ignore(adit_write_bytes(&hint, adit_bytes_of_text(folder->text)), "as above");
    adit_status_ignore(adit_write_bytes(&hint, ADIT_BYTES("; only a server with this --data takes "
                                                          "the token")),
                       "as above");
    adit_output_complain(adit_aditd_program.name, adit_writer_bytes(&hint));
}

int adit_aditd_token_create(const struct adit_args *args)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_record record = {0};
    struct adit_data_path folder = {0};
    if (!adit_is_ok(
            adit_token_settings_read(args, adit_clock_wall_ms() / 1000, &text, &record))) {
        return adit_aditd_usage(&text);
    }
    const char *given = adit_args_value(args, ADIT_BYTES("data"));
    if (!adit_is_ok(adit_aditd_data_open(given, &folder))) {
        return ADIT_ADITD_FAILED;
    }
    bool was_there = has_key(&folder);
    struct adit_status status =
        token_make(&folder, &record, adit_args_is_given(args, ADIT_BYTES("json")), &text);
    int code = adit_is_ok(status) ? adit_aditd_print(adit_writer_bytes(&text))
                                  : adit_aditd_failure(adit_bytes_of_text(folder.text), status);
    adit_span_wipe(ADIT_SPAN_OF(memory));
    if (code == 0 && !was_there) {
        key_hint(&folder);
    }
    return code;
}
