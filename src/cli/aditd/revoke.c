#include "cli/aditd/revoke.h"

#include "cli/aditd/ask.h"
#include "cli/aditd/command.h"

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

struct adit_status adit_revoke_id_of(struct adit_bytes text, struct adit_revoke_id *out_id)
{
    uint8_t memory[2 * ADIT_TOKEN_ID_BYTES] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_ENSURE(text.len >= ADIT_REVOKE_DIGITS_MIN && text.len <= ADIT_COUNT(memory), INVALID,
                "an id has 8 to 32 digits");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        byte = byte >= 'A' && byte <= 'F' ? (uint8_t)(byte - 'A' + 'a') : byte;
        ADIT_ENSURE(is_hex(byte), INVALID, "an id has hex digits only");
        ADIT_TRY(adit_write_u8(&digits, byte));
    }
    return ADIT_FIELD_SET(out_id->digits, adit_writer_bytes(&digits));
}

struct search {
    const struct adit_revoke_id *id;
    struct adit_store_token found;
    size_t count;
};

static bool match(void *context, const struct adit_store_token *token)
{
    struct search *search = context;
    uint8_t memory[2 * ADIT_TOKEN_ID_BYTES] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(adit_write_hex(&digits, ADIT_BYTES_OF(token->id)), "it fits");
    if (adit_bytes_starts_with(adit_writer_bytes(&digits), ADIT_FIELD_BYTES(search->id->digits))) {
        search->found = *token;
        search->count++;
    }
    return search->count < 2;
}

struct adit_status adit_revoke_find(struct adit_store *store, const struct adit_revoke_id *id,
                                    struct adit_store_token *out_token)
{
    struct search search = {.id = id};
    ADIT_TRY(adit_store_token_each(store, match, &search));
    ADIT_ENSURE(search.count > 0, REFUSED, "no token has this id; see 'aditd token list'");
    ADIT_ENSURE(search.count == 1, LIMIT, "more than one token's id begins so; give more of it");
    *out_token = search.found;
    return adit_ok();
}

/* What the server that runs on the folder, if one does, makes of it. */
static struct adit_bytes server_tell(const char *folder)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer answer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_status status = adit_ask(folder, ADIT_BYTES("refresh"), ADIT_ASK_MS, &answer);
    if (adit_status_error(status) == ADIT_ERROR_CLOSED) {
        return ADIT_BYTES("; no server is running here\n");
    }
    bool is_applied = adit_is_ok(status) &&
                      adit_ask_is_true(adit_writer_bytes(&answer), ADIT_BYTES("applied"));
    return is_applied ? ADIT_BYTES("; the running server applies it\n")
                      : ADIT_BYTES("; the server did not confirm within 3 s\n");
}

static struct adit_status revoked_write(struct adit_writer *writer,
                                        const struct adit_store_token *token, const char *folder)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("revoked ")));
    ADIT_TRY(adit_write_hex(writer, ADIT_BYTES_OF(token->id)));
    return adit_write_bytes(writer, server_tell(folder));
}

static struct adit_status token_revoke(const struct adit_data_path *folder,
                                       const struct adit_revoke_id *id,
                                       struct adit_store_token *out_token)
{
    struct adit_store store = {0};
    bool was_revoked = false; /* told to the server all the same: it may have missed it */
    ADIT_TRY(adit_aditd_store_open(folder, &store));
    struct adit_status status = adit_revoke_find(&store, id, out_token);
    if (adit_is_ok(status)) {
        status = adit_store_token_revoke(&store, ADIT_BYTES_OF(out_token->id),
                                         adit_clock_wall_ms() / 1000, &was_revoked);
    }
    adit_store_close(&store);
    return status;
}

int adit_aditd_token_revoke(const struct adit_args *args)
{
    uint8_t memory[256] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_bytes given = adit_bytes_of_text(adit_args_operand(args, 0));
    struct adit_data_path folder = {0};
    struct adit_revoke_id id = {0};
    struct adit_store_token token = {0};
    if (!adit_is_ok(adit_revoke_id_of(given, &id))) {
        adit_status_ignore(adit_write_bytes(&text, ADIT_BYTES("an ID is 8 to 32 hex digits, as "
                                                              "'aditd token list' prints them")),
                           "it fits");
        return adit_aditd_usage(&text);
    }
    if (!adit_is_ok(adit_aditd_data_look(adit_args_value(args, ADIT_BYTES("data")), &folder))) {
        return ADIT_ADITD_FAILED;
    }
    struct adit_status status = token_revoke(&folder, &id, &token);
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(given, status);
    }
    status = revoked_write(&text, &token, folder.text);
    return adit_is_ok(status) ? adit_aditd_print(adit_writer_bytes(&text))
                              : adit_aditd_failure(given, status);
}
