/* Any text: parsing, narrowing and verification hold together. The MAC here is a weak sum, so that
 * the fuzzer can find tokens that verify; the chain itself is proved by the unit tests. */
#include "wire/token.h"

#include "fuzz.h"

static struct adit_status weak_mac(struct adit_bytes key, struct adit_bytes first,
                                   struct adit_bytes second, struct adit_span out)
{
    (void)key;
    adit_span_fill(out, (uint8_t)(first.len + second.len));
    return adit_ok();
}

/* What a narrowed token must hold, given what it was made from. */
static void check_narrowed(struct adit_bytes text, const struct adit_token_rights *before,
                           const struct adit_token_check *check)
{
    struct adit_token_rights after = {0};
    ADIT_ASSERT(adit_is_ok(adit_token_verify(text, check, &after)));
    ADIT_ASSERT((after.allows & ~before->allows) == 0);
    ADIT_ASSERT(after.expiry_s <= before->expiry_s);
    ADIT_ASSERT(after.not_before_s >= before->not_before_s);
    ADIT_ASSERT(after.names_count == before->names_count + 1);
    ADIT_ASSERT(before->tunnels_max == 0 ||
                (after.tunnels_max > 0 && after.tunnels_max <= before->tunnels_max));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes text = {.ptr = data, .len = size};
    struct adit_token token = {0};
    struct adit_status parsed = adit_token_parse(text, &token);
    static const uint8_t key[ADIT_TOKEN_KEY_BYTES_MIN] = {0};
    struct adit_token_check check = {
        .key = ADIT_BYTES_OF(key), .key_id = token.record.key_id, .now_s = 1750000000,
        .mac = weak_mac};
    struct adit_token_rights rights = {0};
    struct adit_status verified = adit_token_verify(text, &check, &rights);
    struct adit_token_block block = adit_token_block_neutral();
    uint8_t memory[ADIT_TOKEN_TEXT_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_status narrowed = adit_token_narrow(&writer, text, &block, weak_mac);
    if (!adit_is_ok(parsed)) {
        ADIT_ASSERT(adit_status_error(verified) == ADIT_ERROR_REFUSED);
        ADIT_ASSERT(!adit_is_ok(narrowed) && writer.len == 0);
        return 0;
    }
    ADIT_ASSERT(adit_is_ok(narrowed) == (token.block_count < ADIT_TOKEN_BLOCKS_MAX));
    if (adit_is_ok(narrowed)) {
        ADIT_ASSERT(writer.len == size + ADIT_TOKEN_BLOCK_BYTES / 3 * 4);
    }
    if (adit_is_ok(verified)) {
        ADIT_ASSERT(adit_token_is_current(&rights, check.now_s));
        ADIT_ASSERT(rights.names_count == token.block_count + 1);
        if (adit_is_ok(narrowed)) {
            check_narrowed(adit_writer_bytes(&writer), &rights, &check);
        }
    }
    return 0;
}
