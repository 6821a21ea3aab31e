#include "cli/aditd/token_list.h"

#include "cli/aditd/command.h"

#define GAP 2          /* between columns */
#define ID_WIDTH 32    /* hex digits */
#define TIME_WIDTH 20  /* 2026-11-22T10:20:30Z */
#define PAGE_BYTES 8192

static struct adit_bytes state_of(const struct adit_store_token *token, uint64_t now_s)
{
    if (token->revoked_s != 0) {
        return ADIT_BYTES("revoked");
    }
    return token->expires_s <= now_s ? ADIT_BYTES("expired") : ADIT_BYTES("active");
}

/* "http,tcp" or "http","tcp" by what stands between. */
static struct adit_status allows_write(struct adit_writer *writer, uint8_t allows,
                                       struct adit_bytes between)
{
    static const struct {
        struct adit_bytes word;
        uint8_t bit;
    } kinds[] = {
        {ADIT_BYTES_INIT("http"), ADIT_TOKEN_ALLOWS_HTTP},
        {ADIT_BYTES_INIT("tcp"), ADIT_TOKEN_ALLOWS_TCP},
        {ADIT_BYTES_INIT("tls"), ADIT_TOKEN_ALLOWS_TLS},
        {ADIT_BYTES_INIT("udp"), ADIT_TOKEN_ALLOWS_UDP},
    };
    bool is_first = true;
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        if ((allows & ADIT_AT(kinds, i).bit) != 0) {
            ADIT_TRY(adit_write_bytes(writer, is_first ? ADIT_BYTES("") : between));
            ADIT_TRY(adit_write_bytes(writer, ADIT_AT(kinds, i).word));
            is_first = false;
        }
    }
    return adit_ok();
}

static struct adit_status time_write(struct adit_writer *writer, uint64_t time_s)
{
    if (time_s == ADIT_TOKEN_EXPIRES_NEVER) {
        return adit_write_bytes(writer, ADIT_BYTES("never"));
    }
    uint8_t memory[40] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_ENSURE(time_s <= UINT64_MAX / 1000, LIMIT, "the time is out of range");
    ADIT_TRY(adit_write_time(&text, time_s * 1000));
    struct adit_bytes whole = adit_writer_bytes(&text); /* whole seconds, without ".000" */
    ADIT_TRY(adit_write_bytes(writer, adit_bytes_first(whole, adit_bytes_find(whole, '.'))));
    return adit_write_u8(writer, 'Z');
}

/* Fills the column that began at `start` with blanks. */
static struct adit_status column_end(struct adit_writer *writer, size_t start, size_t width)
{
    while (writer->len - start < width + GAP) {
        ADIT_TRY(adit_write_u8(writer, ' '));
    }
    return adit_ok();
}

static struct adit_status column_write(struct adit_writer *writer, struct adit_bytes text,
                                       size_t width)
{
    size_t start = writer->len;
    ADIT_TRY(adit_write_bytes(writer, text));
    return column_end(writer, start, width);
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

void adit_token_columns_fit(struct adit_token_columns *columns,
                            const struct adit_store_token *token)
{
    uint8_t memory[64] = {0};
    struct adit_writer allows = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(allows_write(&allows, token->allows, ADIT_BYTES(",")), "it fits");
    columns->account = max_size(columns->account, max_size(token->account.len, 7));
    columns->allows = max_size(columns->allows, max_size(allows.len, 6));
    columns->names = max_size(columns->names, max_size(token->names.len, 5));
}

struct adit_status adit_token_head_write(struct adit_writer *writer,
                                         const struct adit_token_columns *columns)
{
    ADIT_TRY(column_write(writer, ADIT_BYTES("ID"), ID_WIDTH));
    ADIT_TRY(column_write(writer, ADIT_BYTES("ACCOUNT"), columns->account));
    ADIT_TRY(column_write(writer, ADIT_BYTES("ALLOWS"), columns->allows));
    ADIT_TRY(column_write(writer, ADIT_BYTES("NAMES"), columns->names));
    ADIT_TRY(column_write(writer, ADIT_BYTES("CREATED"), TIME_WIDTH));
    ADIT_TRY(column_write(writer, ADIT_BYTES("EXPIRES"), TIME_WIDTH));
    return adit_write_bytes(writer, ADIT_BYTES("STATE\n"));
}

struct adit_status adit_token_row_write(struct adit_writer *writer,
                                        const struct adit_token_columns *columns,
                                        const struct adit_store_token *token, uint64_t now_s)
{
    size_t start = writer->len;
    ADIT_TRY(adit_write_hex(writer, ADIT_BYTES_OF(token->id)));
    ADIT_TRY(column_end(writer, start, ID_WIDTH));
    ADIT_TRY(column_write(writer, ADIT_FIELD_BYTES(token->account), columns->account));
    start = writer->len;
    ADIT_TRY(allows_write(writer, token->allows, ADIT_BYTES(",")));
    ADIT_TRY(column_end(writer, start, columns->allows));
    ADIT_TRY(column_write(writer, ADIT_FIELD_BYTES(token->names), columns->names));
    start = writer->len;
    ADIT_TRY(time_write(writer, token->created_s));
    ADIT_TRY(column_end(writer, start, TIME_WIDTH));
    start = writer->len;
    ADIT_TRY(time_write(writer, token->expires_s));
    ADIT_TRY(column_end(writer, start, TIME_WIDTH));
    ADIT_TRY(adit_write_bytes(writer, state_of(token, now_s)));
    return adit_write_u8(writer, '\n');
}

static struct adit_status json_time_write(struct adit_writer *writer, uint64_t time_s)
{
    if (time_s == ADIT_TOKEN_EXPIRES_NEVER) {
        return adit_write_bytes(writer, ADIT_BYTES("null"));
    }
    ADIT_ENSURE(time_s <= UINT64_MAX / 1000, LIMIT, "the time is out of range");
    ADIT_TRY(adit_write_u8(writer, '"'));
    ADIT_TRY(adit_write_time(writer, time_s * 1000));
    return adit_write_u8(writer, '"');
}

struct adit_status adit_token_object_write(struct adit_writer *writer,
                                           const struct adit_store_token *token, uint64_t now_s)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("{\"id\":\"")));
    ADIT_TRY(adit_write_hex(writer, ADIT_BYTES_OF(token->id)));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\",\"account\":\"")));
    ADIT_TRY(adit_write_escaped(writer, ADIT_FIELD_BYTES(token->account), SIZE_MAX));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\",\"allows\":[")));
    ADIT_TRY(adit_write_bytes(writer,
                              token->allows == 0 ? ADIT_BYTES("") : ADIT_BYTES("\"")));
    ADIT_TRY(allows_write(writer, token->allows, ADIT_BYTES("\",\"")));
    ADIT_TRY(adit_write_bytes(writer,
                              token->allows == 0 ? ADIT_BYTES("") : ADIT_BYTES("\"")));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("],\"names\":\"")));
    ADIT_TRY(adit_write_escaped(writer, ADIT_FIELD_BYTES(token->names), SIZE_MAX));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\",\"created_at\":")));
    ADIT_TRY(json_time_write(writer, token->created_s));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(",\"expires_at\":")));
    ADIT_TRY(json_time_write(writer, token->expires_s));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(",\"state\":\"")));
    ADIT_TRY(adit_write_bytes(writer, state_of(token, now_s)));
    return adit_write_bytes(writer, ADIT_BYTES("\"}"));
}

/* A list that is being printed, page by page. */
struct listing {
    struct adit_writer page;
    struct adit_token_columns columns;
    uint64_t now_s, count;
    int code; /* of the print; what is not printed has told so */
    bool is_json;
    struct adit_status status; /* of the writing */
};

static bool measure(void *context, const struct adit_store_token *token)
{
    adit_token_columns_fit(context, token);
    return true;
}

static struct adit_status token_write(struct listing *listing,
                                      const struct adit_store_token *token)
{
    if (!listing->is_json) {
        return adit_token_row_write(&listing->page, &listing->columns, token, listing->now_s);
    }
    ADIT_TRY(adit_write_bytes(&listing->page,
                              listing->count > 0 ? ADIT_BYTES(",\n") : ADIT_BYTES("")));
    return adit_token_object_write(&listing->page, token, listing->now_s);
}

static bool show(void *context, const struct adit_store_token *token)
{
    struct listing *listing = context;
    if (adit_writer_room(&listing->page) < ADIT_TOKEN_ROW_MAX) {
        listing->code = adit_aditd_print(adit_writer_bytes(&listing->page));
        listing->page.len = 0;
    }
    listing->status = token_write(listing, token);
    listing->count++;
    return listing->code == 0 && adit_is_ok(listing->status);
}

static struct adit_status list_write(struct adit_store *store, struct listing *listing)
{
    const struct adit_store_token none = {0};
    adit_token_columns_fit(&listing->columns, &none);
    if (listing->is_json) {
        ADIT_TRY(adit_write_u8(&listing->page, '['));
    } else {
        ADIT_TRY(adit_store_token_each(store, measure, &listing->columns));
        ADIT_TRY(adit_token_head_write(&listing->page, &listing->columns));
    }
    ADIT_TRY(adit_store_token_each(store, show, listing));
    ADIT_TRY(listing->status);
    return adit_write_bytes(&listing->page, listing->is_json ? ADIT_BYTES("]\n") : ADIT_BYTES(""));
}

int adit_aditd_token_list(const struct adit_args *args)
{
    uint8_t memory[PAGE_BYTES] = {0};
    struct listing listing = {.page = adit_writer_of(ADIT_SPAN_OF(memory)),
                              .now_s = adit_clock_wall_ms() / 1000,
                              .is_json = adit_args_is_given(args, ADIT_BYTES("json"))};
    struct adit_data_path folder = {0};
    struct adit_store store = {0};
    if (!adit_is_ok(adit_aditd_data_look(adit_args_value(args, ADIT_BYTES("data")), &folder))) {
        return ADIT_ADITD_FAILED;
    }
    struct adit_status status = adit_aditd_store_open(&folder, &store);
    if (adit_is_ok(status)) {
        status = list_write(&store, &listing);
        adit_store_close(&store);
    }
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(adit_bytes_of_text(folder.text), status);
    }
    return listing.code == 0 ? adit_aditd_print(adit_writer_bytes(&listing.page)) : listing.code;
}
