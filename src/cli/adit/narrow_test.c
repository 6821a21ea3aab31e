#include "cli/adit/narrow.h"

#include <string.h>

#include "net/hmac.h"

#include "unit.h"

#define NOW_S 1800000000

static const uint8_t key[ADIT_TOKEN_KEY_BYTES_MIN] = {9};

static struct adit_bytes token_make(struct adit_span memory)
{
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER,
                                       .allows = ADIT_TOKEN_ALLOWS_KNOWN,
                                       .key_id = 1,
                                       .id = {1},
                                       .expiry_s = ADIT_TOKEN_EXPIRES_NEVER};
    struct adit_writer writer = adit_writer_of(memory);
    assert_ok(adit_token_account_set(&record, ADIT_BYTES("test")));
    assert_ok(adit_token_names_set(&record.names, ADIT_BYTES("*")));
    assert_ok(adit_token_mint(&writer, &record, ADIT_BYTES_OF(key), adit_hmac_sha256));
    return adit_writer_bytes(&writer);
}

/* Reads "adit token narrow WORD WORD". */
static struct adit_status read_words(const char *const *words, size_t count,
                                     struct adit_writer *complaint, struct adit_token_block *block)
{
    char *argv[8] = {(char *)(uintptr_t)"adit", (char *)(uintptr_t)"token",
                     (char *)(uintptr_t)"narrow"};
    struct adit_args args = {0};
    for (size_t i = 0; i < count; i++) {
        ADIT_AT(argv, i + 3) = (char *)(uintptr_t)ADIT_SLOT(words, count, i);
    }
    assert_ok(adit_args_parse(&adit_program, count + 3, argv, complaint, &args));
    return adit_narrow_read(&args, NOW_S, complaint, block);
}

static void it_takes_away_what_is_asked(void **state)
{
    (void)state;
    static const char *const words[] = {"--names=shop,shop-*", "--allow=tls,http", "--ttl=2h"};
    uint8_t memory[512] = {0};
    uint8_t token[ADIT_TOKEN_TEXT_MAX] = {0};
    uint8_t narrowed[ADIT_TOKEN_TEXT_MAX + 1] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(narrowed));
    struct adit_token_block block = {0};
    assert_ok(read_words(words, ADIT_COUNT(words), &complaint, &block));
    assert_ok(adit_narrow_write(&out, token_make(ADIT_SPAN_OF(token)), &block));
    struct adit_bytes line = adit_writer_bytes(&out);
    assert_true(adit_bytes_ends_with(line, ADIT_BYTES("\n")));
    struct adit_token_rights rights = {0};
    const struct adit_token_check check = {
        .key = ADIT_BYTES_OF(key), .key_id = 1, .now_s = NOW_S, .mac = adit_hmac_sha256};
    assert_ok(adit_token_verify(adit_bytes_first(line, line.len - 1), &check, &rights));
    assert_int_equal(rights.allows, ADIT_TOKEN_ALLOWS_HTTP | ADIT_TOKEN_ALLOWS_TLS);
    assert_true(rights.expiry_s == NOW_S + 7200);
    assert_true(adit_token_allows_name(&rights, ADIT_BYTES("shop-1")));
    assert_false(adit_token_allows_name(&rights, ADIT_BYTES("shops")));
}

static void one_wish_leaves_the_rest(void **state)
{
    (void)state;
    static const char *const words[] = {"--allow=tcp"};
    uint8_t memory[512] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_block block = {0};
    assert_ok(read_words(words, ADIT_COUNT(words), &complaint, &block));
    assert_int_equal(block.allows, ADIT_TOKEN_ALLOWS_TCP);
    assert_true(block.expiry_s == ADIT_TOKEN_EXPIRES_NEVER);
    assert_bytes(adit_token_names_text(&block.names), ADIT_BYTES("*"));
}

static void wrong_wishes_are_usage_errors(void **state)
{
    (void)state;
    static const struct {
        const char *word, *about;
    } rows[] = {
        {"--names=", "--names"},        {"--names=a b", "--names"},  {"--names=*x", "--names"},
        {"--allow=", "--allow"},        {"--allow=udp", "--allow"},  {"--allow=http,", "--allow"},
        {"--allow=,http", "--allow"},   {"--allow=HTTP", "--allow"}, {"--ttl=0s", "--ttl"},
        {"--ttl=5", "--ttl"},           {"--ttl=5w", "--ttl"},       {"--ttl=-1h", "--ttl"},
        {"--token=x", "nothing to take"},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[512] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_token_block block = {0};
        struct adit_status status = read_words(&ADIT_AT(rows, i).word, 1, &complaint, &block);
        assert_int_equal(adit_status_error(status), ADIT_ERROR_INVALID);
        assert_non_null(memmem(memory, complaint.len, ADIT_AT(rows, i).about,
                               strlen(ADIT_AT(rows, i).about)));
        assert_int_equal(block.allows, 0); /* untouched */
    }
}

static void four_blocks_are_the_most(void **state)
{
    (void)state;
    uint8_t token[ADIT_TOKEN_TEXT_MAX] = {0};
    uint8_t next[ADIT_TOKEN_TEXT_MAX + 1] = {0};
    struct adit_bytes text = token_make(ADIT_SPAN_OF(token));
    const struct adit_token_block block = adit_token_block_neutral();
    for (int i = 0; i < ADIT_TOKEN_BLOCKS_MAX; i++) {
        struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(next));
        assert_ok(adit_narrow_write(&out, text, &block));
        assert_ok(adit_span_copy(ADIT_SPAN_OF(token), adit_bytes_first(adit_writer_bytes(&out),
                                                                      out.len - 1)));
        text = adit_bytes_first(ADIT_BYTES_OF(token), out.len - 1);
    }
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(next));
    struct adit_status status = adit_narrow_write(&out, text, &block);
    assert_int_equal(adit_status_error(status), ADIT_ERROR_LIMIT);
    assert_non_null(strstr(adit_status_what(status), "four times"));
    status = adit_narrow_write(&out, ADIT_BYTES("adit_short"), &block);
    assert_int_equal(adit_status_error(status), ADIT_ERROR_INVALID);
    assert_int_equal(out.len, 0);
}

static void one_line_of_the_input_is_read(void **state)
{
    (void)state;
    int fds[2] = {-1, -1};
    struct adit_token_text token = {0};
    static char flood[ADIT_TOKEN_TEXT_MAX + 100];
    memset(flood, 'x', sizeof flood);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(ADIT_AT(fds, 1), "adit_x\r\nmore", 12), 12);
    assert_ok(adit_narrow_input(fds[0], &token));
    assert_bytes(token.text, ADIT_BYTES("adit_x"));
    assert_int_equal(write(ADIT_AT(fds, 1), "adit_y", 6), 6);
    close(ADIT_AT(fds, 1));
    assert_ok(adit_narrow_input(fds[0], &token)); /* the end of the input ends the line too */
    assert_bytes(token.text, ADIT_BYTES("adit_y"));
    close(fds[0]);
    assert_int_equal(pipe(fds), 0);
    assert_true(write(ADIT_AT(fds, 1), flood, sizeof flood) > 0);
    assert_int_equal(adit_status_error(adit_narrow_input(fds[0], &token)), ADIT_ERROR_INVALID);
    close(fds[0]);
    close(ADIT_AT(fds, 1));
    assert_int_equal(adit_status_error(adit_narrow_input(-1, &token)), ADIT_ERROR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_away_what_is_asked),
        cmocka_unit_test(one_wish_leaves_the_rest),
        cmocka_unit_test(wrong_wishes_are_usage_errors),
        cmocka_unit_test(four_blocks_are_the_most),
        cmocka_unit_test(one_line_of_the_input_is_read),
    };
    return cmocka_run_group_tests_name("cli/adit/narrow", tests, NULL, NULL);
}
