#include "wire/token_layout.h"

#define RECORD_VERSION 1
#define BLOCK_VERSION 1

/* The bytes before the first zero; INVALID where anything but zeros comes after it. */
static struct adit_status unpad(struct adit_bytes padded, struct adit_bytes *out_text)
{
    size_t len = adit_bytes_find(padded, 0);
    for (size_t i = len; i < padded.len; i++) {
        ADIT_ENSURE(adit_bytes_at(padded, i) == 0, INVALID, "a text that is not padded with zeros");
    }
    *out_text = adit_bytes_first(padded, len);
    return adit_ok();
}

static struct adit_status pad(struct adit_span out, struct adit_bytes text)
{
    ADIT_ENSURE(text.len <= out.len, INVALID, "a text too long for a token");
    adit_span_fill(out, 0);
    return adit_span_copy(out, text);
}

struct adit_status adit_token_names_set(struct adit_token_names *names, struct adit_bytes text)
{
    ADIT_ENSURE(adit_name_pattern_is_valid(text), INVALID, "not a pattern of names");
    return pad(ADIT_SPAN_OF(names->pattern), text);
}

struct adit_bytes adit_token_names_text(const struct adit_token_names *names)
{
    struct adit_bytes padded = ADIT_BYTES_OF(names->pattern);
    return adit_bytes_first(padded, adit_bytes_find(padded, 0));
}

static bool is_account_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '@' ||
           byte == '-';
}

static bool is_account(struct adit_bytes name)
{
    if (name.len == 0 || name.len > ADIT_TOKEN_ACCOUNT_BYTES) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_account_byte(adit_bytes_at(name, i))) {
            return false;
        }
    }
    return adit_bytes_at(name, 0) != '.' && adit_bytes_at(name, 0) != '-';
}

struct adit_status adit_token_account_set(struct adit_token_record *record, struct adit_bytes name)
{
    ADIT_ENSURE(is_account(name), INVALID, "not an account name");
    return pad(ADIT_SPAN_OF(record->account), name);
}

struct adit_token_block adit_token_block_neutral(void)
{
    return (struct adit_token_block){
        .allows = ADIT_TOKEN_ALLOWS_KNOWN,
        .names = {.pattern = {'*'}},
        .expiry_s = ADIT_TOKEN_EXPIRES_NEVER,
    };
}

static struct adit_status names_check(const struct adit_token_names *names)
{
    struct adit_bytes text = {0};
    ADIT_TRY(unpad(ADIT_BYTES_OF(names->pattern), &text));
    ADIT_ENSURE(adit_name_pattern_is_valid(text), INVALID, "a token without a pattern of names");
    return adit_ok();
}

static struct adit_status kind_of(uint8_t number, enum adit_token_kind *out_kind)
{
    switch (number) {
    case ADIT_TOKEN_USER:
        *out_kind = ADIT_TOKEN_USER;
        return adit_ok();
    case ADIT_TOKEN_PROJECT:
        *out_kind = ADIT_TOKEN_PROJECT;
        return adit_ok();
    case ADIT_TOKEN_MASTER:
        *out_kind = ADIT_TOKEN_MASTER;
        return adit_ok();
    case ADIT_TOKEN_DASHBOARD:
        *out_kind = ADIT_TOKEN_DASHBOARD;
        return adit_ok();
    default:
        ADIT_FAIL(INVALID, "no such kind of token");
    }
}

/* What holds for the record of every token, read or made. */
static struct adit_status record_check(const struct adit_token_record *record)
{
    static const uint8_t no_id[ADIT_TOKEN_ID_BYTES] = {0};
    struct adit_bytes account = {0};
    ADIT_ENSURE(record->kind != ADIT_TOKEN_NONE, INVALID, "a token without a kind");
    ADIT_ENSURE((record->allows & ~ADIT_TOKEN_ALLOWS_KNOWN) == 0, INVALID, "unknown rights");
    ADIT_ENSURE(!adit_bytes_equal(ADIT_BYTES_OF(record->id), ADIT_BYTES_OF(no_id)), INVALID,
                "a token without an id");
    ADIT_TRY(unpad(ADIT_BYTES_OF(record->account), &account));
    ADIT_ENSURE(is_account(account), INVALID, "a token without an account");
    return names_check(&record->names);
}

static struct adit_status block_check(const struct adit_token_block *block)
{
    ADIT_ENSURE((block->allows & ~ADIT_TOKEN_ALLOWS_KNOWN) == 0, INVALID, "unknown rights");
    return names_check(&block->names);
}

struct adit_status adit_token_record_write(struct adit_writer *writer,
                                           const struct adit_token_record *record)
{
    ADIT_TRY(record_check(record));
    ADIT_TRY(adit_write_u8(writer, RECORD_VERSION));
    ADIT_TRY(adit_write_u8(writer, (uint8_t)record->kind));
    ADIT_TRY(adit_write_u8(writer, record->allows));
    ADIT_TRY(adit_write_u8(writer, 0));
    ADIT_TRY(adit_write_u32(writer, record->key_id));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES_OF(record->id)));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES_OF(record->parent)));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES_OF(record->account)));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES_OF(record->names.pattern)));
    ADIT_TRY(adit_write_u64(writer, record->not_before_s));
    ADIT_TRY(adit_write_u64(writer, record->expiry_s));
    ADIT_TRY(adit_write_u32(writer, record->bandwidth_kib));
    ADIT_TRY(adit_write_u16(writer, record->tunnels_max));
    return adit_write_u16(writer, 0);
}

struct adit_status adit_token_record_read(struct adit_bytes bytes,
                                          struct adit_token_record *out_record)
{
    struct adit_reader reader = adit_reader_of(bytes);
    struct adit_token_record record = {0};
    uint8_t version = 0;
    uint8_t kind = 0;
    uint8_t zero_u8 = 0;
    uint16_t zero_u16 = 0;
    ADIT_TRY(adit_read_u8(&reader, &version));
    ADIT_TRY(adit_read_u8(&reader, &kind));
    ADIT_TRY(adit_read_u8(&reader, &record.allows));
    ADIT_TRY(adit_read_u8(&reader, &zero_u8));
    ADIT_TRY(adit_read_u32(&reader, &record.key_id));
    ADIT_TRY(adit_read_copy(&reader, ADIT_SPAN_OF(record.id)));
    ADIT_TRY(adit_read_copy(&reader, ADIT_SPAN_OF(record.parent)));
    ADIT_TRY(adit_read_copy(&reader, ADIT_SPAN_OF(record.account)));
    ADIT_TRY(adit_read_copy(&reader, ADIT_SPAN_OF(record.names.pattern)));
    ADIT_TRY(adit_read_u64(&reader, &record.not_before_s));
    ADIT_TRY(adit_read_u64(&reader, &record.expiry_s));
    ADIT_TRY(adit_read_u32(&reader, &record.bandwidth_kib));
    ADIT_TRY(adit_read_u16(&reader, &record.tunnels_max));
    ADIT_TRY(adit_read_u16(&reader, &zero_u16));
    ADIT_TRY(adit_read_end(&reader));
    ADIT_ENSURE(version == RECORD_VERSION, INVALID, "a token of another version");
    ADIT_ENSURE(zero_u8 == 0 && zero_u16 == 0, INVALID, "reserved bytes of a token are not zero");
    ADIT_TRY(kind_of(kind, &record.kind));
    ADIT_TRY(record_check(&record));
    *out_record = record;
    return adit_ok();
}

struct adit_status adit_token_block_write(struct adit_writer *writer,
                                          const struct adit_token_block *block)
{
    ADIT_TRY(block_check(block));
    ADIT_TRY(adit_write_u8(writer, BLOCK_VERSION));
    ADIT_TRY(adit_write_u8(writer, block->allows));
    ADIT_TRY(adit_write_u16(writer, block->tunnels_max));
    ADIT_TRY(adit_write_u32(writer, block->bandwidth_kib));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES_OF(block->names.pattern)));
    ADIT_TRY(adit_write_u64(writer, block->not_before_s));
    ADIT_TRY(adit_write_u64(writer, block->expiry_s));
    return adit_write_u16(writer, 0);
}

struct adit_status adit_token_block_read(struct adit_bytes bytes,
                                         struct adit_token_block *out_block)
{
    struct adit_reader reader = adit_reader_of(bytes);
    struct adit_token_block block = {0};
    uint8_t version = 0;
    uint16_t zero_u16 = 0;
    ADIT_TRY(adit_read_u8(&reader, &version));
    ADIT_TRY(adit_read_u8(&reader, &block.allows));
    ADIT_TRY(adit_read_u16(&reader, &block.tunnels_max));
    ADIT_TRY(adit_read_u32(&reader, &block.bandwidth_kib));
    ADIT_TRY(adit_read_copy(&reader, ADIT_SPAN_OF(block.names.pattern)));
    ADIT_TRY(adit_read_u64(&reader, &block.not_before_s));
    ADIT_TRY(adit_read_u64(&reader, &block.expiry_s));
    ADIT_TRY(adit_read_u16(&reader, &zero_u16));
    ADIT_TRY(adit_read_end(&reader));
    ADIT_ENSURE(version == BLOCK_VERSION, INVALID, "a token block of another version");
    ADIT_ENSURE(zero_u16 == 0, INVALID, "reserved bytes of a token are not zero");
    ADIT_TRY(block_check(&block));
    *out_block = block;
    return adit_ok();
}
