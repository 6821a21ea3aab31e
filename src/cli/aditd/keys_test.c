#include "cli/aditd/keys.h"

#include "unit.h"

static bool is_inside(struct adit_bytes text, struct adit_bytes part)
{
    for (size_t at = 0; at + part.len <= text.len; at++) {
        if (adit_bytes_starts_with(adit_bytes_from(text, at), part)) {
            return true;
        }
    }
    return false;
}

static void every_key_is_found(void **state)
{
    (void)state;
    enum adit_key key = ADIT_KEY_DATA;
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        assert_true(adit_key_find(adit_key_row((enum adit_key)i)->key, &key));
        assert_int_equal(key, i);
    }
    assert_false(adit_key_find(ADIT_BYTES(""), &key));
    assert_false(adit_key_find(ADIT_BYTES("Domain"), &key));
    assert_false(adit_key_find(ADIT_BYTES("domai"), &key));
}

/* Help and fallback are two texts: they say the same. */
static void help_tells_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        const struct adit_key_row *row = adit_key_row((enum adit_key)i);
        uint8_t memory[128] = {0};
        struct adit_writer end = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_write_bytes(&end, ADIT_BYTES("; default: ")));
        assert_ok(adit_write_bytes(&end, row->fallback));
        assert_true(row->fallback.len == 0 ||
                    adit_bytes_ends_with(row->help, adit_writer_bytes(&end)));
    }
}

/* | `key` | form | `default` | ... */
static struct adit_status row_begin(struct adit_writer *writer, const struct adit_key_row *row)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\n| `")));
    ADIT_TRY(adit_write_bytes(writer, row->key));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("` | ")));
    for (size_t i = 0; i < row->form.len; i++) { /* a bar ends a cell */
        bool is_bar = adit_bytes_at(row->form, i) == '|';
        ADIT_TRY(adit_write_bytes(writer, is_bar ? ADIT_BYTES("\\") : ADIT_BYTES("")));
        ADIT_TRY(adit_write_u8(writer, adit_bytes_at(row->form, i)));
    }
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" | ")));
    if (row->fallback.len == 0) {
        return adit_ok();
    }
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("`")));
    ADIT_TRY(adit_write_bytes(writer, row->fallback));
    return adit_write_bytes(writer, ADIT_BYTES("` |"));
}

static size_t rows_count(struct adit_bytes text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; at++) {
        count += adit_bytes_starts_with(adit_bytes_from(text, at), ADIT_BYTES("\n| `")) ? 1 : 0;
    }
    return count;
}

static void the_documents_have_every_key(void **state)
{
    (void)state;
    static uint8_t memory[65536];
    static uint8_t manual_memory[65536];
    struct adit_writer page = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_writer manual = adit_writer_of(ADIT_SPAN_OF(manual_memory));
    assert_ok(adit_file_read(ADIT_SOURCE_ROOT "docs/configuration.md", &page));
    assert_ok(adit_file_read(ADIT_SOURCE_ROOT "docs/man/aditd.8", &manual));
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        const struct adit_key_row *row = adit_key_row((enum adit_key)i);
        uint8_t line_memory[256] = {0};
        uint8_t item_memory[64] = {0};
        struct adit_writer line = adit_writer_of(ADIT_SPAN_OF(line_memory));
        struct adit_writer item = adit_writer_of(ADIT_SPAN_OF(item_memory));
        assert_ok(row_begin(&line, row));
        if (!is_inside(adit_writer_bytes(&page), adit_writer_bytes(&line))) {
            fail_msg("docs/configuration.md has no row for key %zu, or another one", i);
        }
        assert_ok(adit_write_bytes(&item, ADIT_BYTES("\n.It Ic ")));
        assert_ok(adit_write_bytes(&item, row->key));
        assert_ok(adit_write_u8(&item, '\n'));
        if (!is_inside(adit_writer_bytes(&manual), adit_writer_bytes(&item))) {
            fail_msg("docs/man/aditd.8 has no item for key %zu", i);
        }
    }
    assert_int_equal(rows_count(adit_writer_bytes(&page)), ADIT_KEY_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_found),
        cmocka_unit_test(help_tells_the_default),
        cmocka_unit_test(the_documents_have_every_key),
    };
    return cmocka_run_group_tests_name("aditd/keys", tests, NULL, NULL);
}
