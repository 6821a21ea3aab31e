#include "wire/http_name.h"

#include "unit.h"

static const struct {
    struct adit_bytes text;
    enum adit_http_name name;
} names[] = {
#define NAME_ROW(NAME, place, literal) {ADIT_BYTES_INIT(literal), ADIT_HTTP_NAME_##NAME},
    ADIT_HTTP_NAME_TABLE(NAME_ROW)
#undef NAME_ROW
};

/* The text with its first `count` letters upper case, and its last byte changed by `change`. */
static struct adit_bytes spelled(struct adit_bytes text, size_t count, uint8_t change,
                                 struct adit_span room)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        bool is_raised = i < count && byte != '-';
        ADIT_SLOT(room.ptr, room.len, i) = (uint8_t)(is_raised ? byte - 0x20 : byte);
    }
    ADIT_SLOT(room.ptr, room.len, text.len - 1) ^= change;
    return adit_bytes_first(adit_span_bytes(room), text.len);
}

static void each_is_itself_in_any_case(void **state)
{
    (void)state;
    uint8_t memory[32] = {0};
    uint64_t bits = 0;
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        struct adit_bytes text = ADIT_AT(names, i).text;
        for (size_t count = 0; count <= text.len; count++) {
            struct adit_bytes other = spelled(text, count, 0, ADIT_SPAN_OF(memory));
            assert_int_equal(adit_http_name_of(other), ADIT_AT(names, i).name);
        }
        uint64_t bit = adit_http_name_bit(ADIT_AT(names, i).name);
        assert_true((bits & bit) == 0 && bit != adit_http_name_bit(ADIT_HTTP_NAME_OTHER));
        bits |= bit;
    }
}

static void what_is_near_is_another(void **state)
{
    (void)state;
    uint8_t memory[32] = {0};
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        struct adit_bytes text = ADIT_AT(names, i).text;
        assert_int_equal(adit_http_name_of(spelled(text, 0, 0x40, ADIT_SPAN_OF(memory))),
                         ADIT_HTTP_NAME_OTHER);
        assert_int_equal(adit_http_name_of(spelled(text, 1, 0x80, ADIT_SPAN_OF(memory))),
                         ADIT_HTTP_NAME_OTHER);
        assert_int_equal(adit_http_name_of(adit_bytes_first(text, text.len - 1)),
                         ADIT_HTTP_NAME_OTHER);
        assert_int_equal(adit_http_name_of(adit_bytes_from(text, 1)), ADIT_HTTP_NAME_OTHER);
    }
    assert_int_equal(adit_http_name_of((struct adit_bytes){0}), ADIT_HTTP_NAME_OTHER);
    assert_int_equal(adit_http_name_of(ADIT_BYTES("hoot")), ADIT_HTTP_NAME_OTHER);
    assert_int_equal(adit_http_name_of(ADIT_BYTES("keep\ralive")), ADIT_HTTP_NAME_OTHER);
    assert_int_equal(adit_http_name_of(ADIT_BYTES("user-agent")), ADIT_HTTP_NAME_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_itself_in_any_case),
        cmocka_unit_test(what_is_near_is_another),
    };
    return cmocka_run_group_tests_name("wire/http_name", tests, NULL, NULL);
}
