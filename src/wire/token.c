#include "wire/token.h"

#include "base/checked.h"
#include "base/text.h"
#include "wire/token_layout.h"

#define TEXT_OF(bytes) (5 + (bytes) / 3 * 4) /* "adit_" and base64url of whole groups */

/* The labels part the two uses of a key from each other and from every other use of it. */
static const struct adit_bytes record_label = ADIT_BYTES_INIT("adit token record 1\n");
static const struct adit_bytes block_label = ADIT_BYTES_INIT("adit token block 1\n");

/* The decoded bytes of a token and its parts, views of `memory`. */
struct raw {
    struct adit_bytes record;
    struct adit_bytes blocks;
    struct adit_bytes tag;
    uint8_t memory[ADIT_TOKEN_BYTES_MAX];
};

/* Text to bytes, by size alone. */
static struct adit_status raw_read(struct adit_bytes text, struct raw *raw)
{
    struct adit_bytes prefix = ADIT_BYTES(ADIT_TOKEN_PREFIX);
    ADIT_ENSURE(text.len <= ADIT_TOKEN_TEXT_MAX && adit_bytes_starts_with(text, prefix), INVALID,
                "not a token");
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(raw->memory));
    ADIT_TRY(adit_parse_base64url(adit_bytes_from(text, prefix.len), &writer));
    size_t least = ADIT_TOKEN_RECORD_BYTES + ADIT_TOKEN_TAG_BYTES;
    ADIT_ENSURE(writer.len >= least && (writer.len - least) % ADIT_TOKEN_BLOCK_BYTES == 0, INVALID,
                "a token of a size that no token has");
    struct adit_reader reader = adit_reader_of(adit_writer_bytes(&writer));
    ADIT_TRY(adit_read_bytes(&reader, ADIT_TOKEN_RECORD_BYTES, &raw->record));
    ADIT_TRY(adit_read_bytes(&reader, writer.len - least, &raw->blocks));
    return adit_read_bytes(&reader, ADIT_TOKEN_TAG_BYTES, &raw->tag);
}

static struct adit_status token_of(const struct raw *raw, struct adit_token *out_token)
{
    struct adit_token token = {0};
    ADIT_TRY(adit_token_record_read(raw->record, &token.record));
    struct adit_reader blocks = adit_reader_of(raw->blocks);
    while (blocks.rest.len > 0) {
        struct adit_bytes block = {0};
        ADIT_TRY(adit_read_bytes(&blocks, ADIT_TOKEN_BLOCK_BYTES, &block));
        ADIT_TRY(adit_token_block_read(block, &ADIT_AT(token.blocks, token.block_count)));
        token.block_count++;
    }
    *out_token = token;
    return adit_ok();
}

struct adit_status adit_token_parse(struct adit_bytes text, struct adit_token *out_token)
{
    struct raw raw = {0};
    ADIT_TRY(raw_read(text, &raw));
    return token_of(&raw, out_token);
}

/* Appends the text of these bytes, or nothing. */
static struct adit_status text_write(struct adit_writer *writer, struct adit_bytes bytes)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, TEXT_OF(bytes.len), &hole));
    struct adit_writer text = adit_writer_of(hole);
    ADIT_TRY(adit_write_bytes(&text, ADIT_BYTES(ADIT_TOKEN_PREFIX)));
    return adit_write_base64url(&text, bytes);
}

/* One link of the chain of tags. */
struct link {
    struct adit_bytes key;
    struct adit_bytes label;
    struct adit_bytes part; /* the record or a block */
};

/* Appends the tag of the last link to the token's bytes, and all of it as text to `writer`. */
static struct adit_status sign_and_write(struct adit_writer *writer, struct adit_writer *bytes,
                                         const struct link *link, adit_token_mac_fn *mac)
{
    struct adit_span tag = {0};
    ADIT_TRY(adit_write_reserve(bytes, ADIT_TOKEN_TAG_BYTES, &tag));
    ADIT_TRY(mac(link->key, link->label, link->part, tag));
    return text_write(writer, adit_writer_bytes(bytes));
}

struct adit_status adit_token_mint(struct adit_writer *writer,
                                   const struct adit_token_record *record, struct adit_bytes key,
                                   adit_token_mac_fn *mac)
{
    ADIT_ENSURE(key.len >= ADIT_TOKEN_KEY_BYTES_MIN, INVALID, "a token key under 32 bytes");
    uint8_t memory[ADIT_TOKEN_BYTES_MAX] = {0};
    struct adit_writer bytes = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_token_record_write(&bytes, record));
    const struct link link = {key, record_label, adit_writer_bytes(&bytes)};
    struct adit_status status = sign_and_write(writer, &bytes, &link, mac);
    adit_span_wipe(ADIT_SPAN_OF(memory));
    return status;
}

struct adit_status adit_token_narrow(struct adit_writer *writer, struct adit_bytes token,
                                     const struct adit_token_block *block, adit_token_mac_fn *mac)
{
    struct raw raw = {0};
    struct adit_token parsed = {0};
    ADIT_TRY(raw_read(token, &raw));
    ADIT_TRY(token_of(&raw, &parsed));
    ADIT_ENSURE(parsed.block_count < ADIT_TOKEN_BLOCKS_MAX, LIMIT, "a token narrowed four times");
    uint8_t memory[ADIT_TOKEN_BYTES_MAX] = {0};
    struct adit_writer bytes = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_write_bytes(&bytes, raw.record));
    ADIT_TRY(adit_write_bytes(&bytes, raw.blocks));
    size_t start = bytes.len;
    ADIT_TRY(adit_token_block_write(&bytes, block));
    struct adit_bytes added = adit_bytes_from(adit_writer_bytes(&bytes), start);
    const struct link link = {raw.tag, block_label, added};
    struct adit_status status = sign_and_write(writer, &bytes, &link, mac);
    adit_span_wipe(ADIT_SPAN_OF(memory));
    adit_span_wipe(ADIT_SPAN_OF(raw.memory));
    return status;
}

/* The tag that record and blocks must have: the whole chain from the server's key. */
static struct adit_status chain(const struct raw *raw, const struct adit_token_check *check,
                                struct adit_span out_tag)
{
    uint8_t key[ADIT_TOKEN_TAG_BYTES] = {0};
    ADIT_TRY(check->mac(check->key, record_label, raw->record, out_tag));
    struct adit_reader blocks = adit_reader_of(raw->blocks);
    while (blocks.rest.len > 0) {
        struct adit_bytes block = {0};
        ADIT_TRY(adit_read_bytes(&blocks, ADIT_TOKEN_BLOCK_BYTES, &block));
        ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(key), adit_span_bytes(out_tag)));
        ADIT_TRY(check->mac(ADIT_BYTES_OF(key), block_label, block, out_tag));
    }
    adit_span_wipe(ADIT_SPAN_OF(key));
    return adit_ok();
}

/* The lower of two limits of which 0 is none. */
static uint32_t lower_limit(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0) {
        return a + b;
    }
    return a < b ? a : b;
}

static void rights_narrow(struct adit_token_rights *rights, const struct adit_token_block *block)
{
    rights->allows &= block->allows;
    rights->tunnels_max = (uint16_t)lower_limit(rights->tunnels_max, block->tunnels_max);
    rights->bandwidth_kib = lower_limit(rights->bandwidth_kib, block->bandwidth_kib);
    rights->not_before_s = adit_max_u64(rights->not_before_s, block->not_before_s);
    rights->expiry_s = adit_min_u64(rights->expiry_s, block->expiry_s);
    ADIT_AT(rights->names, rights->names_count) = block->names;
    rights->names_count++;
}

static struct adit_status rights_of(const struct adit_token *token,
                                    struct adit_token_rights *out_rights)
{
    const struct adit_token_record *record = &token->record;
    struct adit_token_rights rights = {
        .kind = record->kind,
        .allows = record->allows,
        .tunnels_max = record->tunnels_max,
        .bandwidth_kib = record->bandwidth_kib,
        .not_before_s = record->not_before_s,
        .expiry_s = record->expiry_s,
        .names = {record->names},
        .names_count = 1,
    };
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(rights.id), ADIT_BYTES_OF(record->id)));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(rights.parent), ADIT_BYTES_OF(record->parent)));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(rights.account), ADIT_BYTES_OF(record->account)));
    for (size_t i = 0; i < token->block_count; i++) {
        rights_narrow(&rights, &ADIT_AT(token->blocks, i));
    }
    *out_rights = rights;
    return adit_ok();
}

struct adit_status adit_token_verify(struct adit_bytes text, const struct adit_token_check *check,
                                     struct adit_token_rights *out_rights)
{
    ADIT_ENSURE(check->key.len >= ADIT_TOKEN_KEY_BYTES_MIN, INVALID, "a token key under 32 bytes");
    struct raw raw = {0};
    struct adit_token token = {0};
    if (!adit_is_ok(raw_read(text, &raw)) || !adit_is_ok(token_of(&raw, &token))) {
        ADIT_FAIL_WITH(REFUSED, "not a token", ADIT_TOKEN_REASON_INVALID);
    }
    if (token.record.key_id != check->key_id) {
        ADIT_FAIL_WITH(REFUSED, "a token of another key", ADIT_TOKEN_REASON_INVALID);
    }
    uint8_t tag[ADIT_TOKEN_TAG_BYTES] = {0};
    ADIT_TRY(chain(&raw, check, ADIT_SPAN_OF(tag)));
    bool is_authentic = adit_bytes_equal_secret(raw.tag, ADIT_BYTES_OF(tag));
    adit_span_wipe(ADIT_SPAN_OF(tag));
    adit_span_wipe(ADIT_SPAN_OF(raw.memory));
    if (!is_authentic) {
        ADIT_FAIL_WITH(REFUSED, "a token with a wrong tag", ADIT_TOKEN_REASON_INVALID);
    }
    struct adit_token_rights rights = {0};
    ADIT_TRY(rights_of(&token, &rights));
    if (check->now_s >= rights.expiry_s) {
        ADIT_FAIL_WITH(REFUSED, "an expired token", ADIT_TOKEN_REASON_EXPIRED);
    }
    if (check->now_s < rights.not_before_s) {
        ADIT_FAIL_WITH(REFUSED, "a token that is not valid yet", ADIT_TOKEN_REASON_NOT_YET);
    }
    *out_rights = rights;
    return adit_ok();
}

enum adit_token_reason adit_token_reason_of(struct adit_status refusal)
{
    switch (refusal.detail) {
    case ADIT_TOKEN_REASON_EXPIRED:
        return ADIT_TOKEN_REASON_EXPIRED;
    case ADIT_TOKEN_REASON_NOT_YET:
        return ADIT_TOKEN_REASON_NOT_YET;
    default:
        return ADIT_TOKEN_REASON_INVALID;
    }
}

struct adit_bytes adit_token_account_of(const struct adit_token_rights *rights)
{
    struct adit_bytes padded = ADIT_BYTES_OF(rights->account);
    return adit_bytes_first(padded, adit_bytes_find(padded, 0));
}

static uint8_t bit_of(enum adit_tunnel kind)
{
    switch (kind) {
    case ADIT_TUNNEL_HTTP:
        return ADIT_TOKEN_ALLOWS_HTTP;
    case ADIT_TUNNEL_TCP:
        return ADIT_TOKEN_ALLOWS_TCP;
    case ADIT_TUNNEL_TLS:
        return ADIT_TOKEN_ALLOWS_TLS;
    case ADIT_TUNNEL_NONE:
        break;
    }
    return 0;
}

bool adit_token_allows_tunnel(const struct adit_token_rights *rights, enum adit_tunnel kind)
{
    bool is_binder = rights->kind == ADIT_TOKEN_USER || rights->kind == ADIT_TOKEN_PROJECT;
    return is_binder && (rights->allows & bit_of(kind)) != 0;
}

bool adit_token_allows_name(const struct adit_token_rights *rights, struct adit_bytes name)
{
    for (size_t i = 0; i < rights->names_count; i++) {
        struct adit_bytes pattern = adit_token_names_text(&ADIT_AT(rights->names, i));
        if (!adit_name_pattern_allows(pattern, name)) {
            return false;
        }
    }
    return rights->names_count > 0;
}

bool adit_token_is_current(const struct adit_token_rights *rights, uint64_t now_s)
{
    return now_s >= rights->not_before_s && now_s < rights->expiry_s;
}
