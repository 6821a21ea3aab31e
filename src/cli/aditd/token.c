#include "cli/aditd/command.h"
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

int adit_aditd_token_create(const struct adit_args *args)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    uint8_t token_memory[ADIT_TOKEN_TEXT_MAX] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_writer token = adit_writer_of(ADIT_SPAN_OF(token_memory));
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
    struct adit_status status = token_mint(&folder, &record, &token);
    if (adit_is_ok(status) && adit_args_is_given(args, ADIT_BYTES("json"))) {
        status = adit_token_json_write(&text, &record, adit_writer_bytes(&token));
    } else if (adit_is_ok(status)) {
        status = adit_write_bytes(&text, adit_writer_bytes(&token));
        if (adit_is_ok(status)) {
            status = adit_write_u8(&text, '\n');
        }
    }
    int code = adit_is_ok(status) ? adit_aditd_print(adit_writer_bytes(&text))
                                  : adit_aditd_failure(adit_bytes_of_text(folder.text), status);
    adit_span_wipe(ADIT_SPAN_OF(memory));
    adit_span_wipe(ADIT_SPAN_OF(token_memory));
    return code;
}
