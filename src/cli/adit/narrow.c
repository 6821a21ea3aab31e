#include "cli/adit/narrow.h"

#include "net/hmac.h"

static struct adit_status complain(struct adit_writer *complaint, struct adit_bytes sentence)
{
    ADIT_TRY(adit_write_bytes(complaint, sentence));
    ADIT_FAIL(INVALID, "a value on the command line is wrong");
}

/* "http,tcp,tls", in any order. */
static struct adit_status kinds_parse(struct adit_bytes text, uint8_t *out_allows)
{
    uint8_t allows = 0;
    while (text.len > 0) {
        size_t comma = adit_bytes_find(text, ',');
        enum adit_tunnel kind = ADIT_TUNNEL_NONE;
        ADIT_TRY(adit_tunnel_find(adit_bytes_first(text, comma), &kind));
        ADIT_ENSURE(comma + 1 != text.len, INVALID, "a comma with nothing after it");
        text = adit_bytes_from(text, comma + 1);
        switch (kind) {
        case ADIT_TUNNEL_HTTP:
            allows |= ADIT_TOKEN_ALLOWS_HTTP;
            break;
        case ADIT_TUNNEL_TCP:
            allows |= ADIT_TOKEN_ALLOWS_TCP;
            break;
        case ADIT_TUNNEL_TLS:
            allows |= ADIT_TOKEN_ALLOWS_TLS;
            break;
        case ADIT_TUNNEL_NONE:
            break;
        }
    }
    ADIT_ENSURE(allows != 0, INVALID, "no kind of tunnel");
    *out_allows = allows;
    return adit_ok();
}

struct adit_status adit_narrow_read(const struct adit_args *args, uint64_t now_s,
                                    struct adit_writer *complaint,
                                    struct adit_token_block *out_block)
{
    const char *names = adit_args_value(args, ADIT_BYTES("names"));
    const char *allow = adit_args_value(args, ADIT_BYTES("allow"));
    const char *ttl = adit_args_value(args, ADIT_BYTES("ttl"));
    struct adit_token_block block = adit_token_block_neutral();
    uint64_t seconds = 0;
    if (!names && !allow && !ttl) {
        return complain(complaint, ADIT_BYTES("nothing to take away: give --names, --allow or "
                                              "--ttl; see 'adit token narrow --help'"));
    }
    if (names && !adit_is_ok(adit_token_names_set(&block.names, adit_bytes_of_text(names)))) {
        return complain(complaint, ADIT_BYTES("--names is not a pattern: exact names or prefix*, "
                                              "separated by commas, 64 bytes at most"));
    }
    if (allow && !adit_is_ok(kinds_parse(adit_bytes_of_text(allow), &block.allows))) {
        return complain(complaint,
                        ADIT_BYTES("--allow is not a list of http, tcp, tls with commas between"));
    }
    if (ttl && (!adit_is_ok(adit_parse_duration(adit_bytes_of_text(ttl), &seconds)) ||
                seconds == 0 || seconds > UINT64_MAX - 1 - now_s)) {
        return complain(complaint,
                        ADIT_BYTES("--ttl is not a duration, such as 30s, 15m, 12h or 30d"));
    }
    if (ttl) {
        block.expiry_s = now_s + seconds;
    }
    *out_block = block;
    return adit_ok();
}

struct adit_status adit_narrow_write(struct adit_writer *out, struct adit_bytes token,
                                     const struct adit_token_block *block)
{
    struct adit_token parsed = {0};
    ADIT_ENSURE(adit_is_ok(adit_token_parse(token, &parsed)), INVALID,
                "this is not a whole adit_ token: copy all of it, without spaces");
    ADIT_ENSURE(parsed.block_count < ADIT_TOKEN_BLOCKS_MAX, LIMIT,
                "this token was narrowed four times, which is the most: narrow an earlier one");
    ADIT_TRY(adit_token_narrow(out, token, block, adit_hmac_sha256));
    return adit_write_u8(out, '\n');
}

struct adit_status adit_narrow_input(int fd, struct adit_token_text *token)
{
    struct adit_writer line = adit_writer_of(ADIT_SPAN_OF(token->memory));
    while (adit_writer_room(&line) > 0) { /* at most once for each byte */
        struct adit_span rest = adit_span_from(line.span, line.len);
        ssize_t got = read(fd, rest.ptr, rest.len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            ADIT_FAIL_WITH(SYSTEM, "the standard input cannot be read", errno);
        }
        line.len += (size_t)got;
        struct adit_bytes all = adit_writer_bytes(&line);
        if (got == 0 || adit_bytes_find(all, '\n') < all.len) {
            token->text = adit_first_line(all);
            return adit_ok();
        }
    }
    ADIT_FAIL(INVALID, "the standard input is longer than a token: one line is read");
}
