#include "base/bytes.h"

#include "unit.h"

static void views_clamp(void **state)
{
    (void)state;
    struct adit_bytes abc = ADIT_BYTES("abc");
    assert_bytes(adit_bytes_first(abc, 2), ADIT_BYTES("ab"));
    assert_bytes(adit_bytes_first(abc, 9), abc);
    assert_bytes(adit_bytes_from(abc, 1), ADIT_BYTES("bc"));
    assert_int_equal(adit_bytes_from(abc, 9).len, 0);
}

static void slices_are_inside_or_fail(void **state)
{
    (void)state;
    struct adit_bytes slice = {0};
    assert_ok(adit_bytes_slice(ADIT_BYTES("abc"), 1, 2, &slice));
    assert_bytes(slice, ADIT_BYTES("bc"));
    assert_fails(adit_bytes_slice(ADIT_BYTES("abc"), 1, 3, &slice), INVALID);
    assert_fails(adit_bytes_slice(ADIT_BYTES("abc"), 4, 0, &slice), INVALID);
    assert_fails(adit_bytes_slice(ADIT_BYTES("abc"), 1, SIZE_MAX, &slice), INVALID);
    assert_bytes(slice, ADIT_BYTES("bc")); /* untouched by the failures */
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(adit_bytes_equal_nocase(ADIT_BYTES("HoSt"), ADIT_BYTES("host")));
    assert_false(adit_bytes_equal_nocase(ADIT_BYTES("@"), ADIT_BYTES("`")));
    assert_true(adit_bytes_equal_secret(ADIT_BYTES("abc"), ADIT_BYTES("abc")));
    assert_false(adit_bytes_equal_secret(ADIT_BYTES("abc"), ADIT_BYTES("abd")));
    assert_true(adit_bytes_compare(ADIT_BYTES("a"), ADIT_BYTES("ab")) < 0);
    assert_int_equal(adit_bytes_find(ADIT_BYTES("abc"), 'c'), 2);
    assert_int_equal(adit_bytes_find(ADIT_BYTES("abc"), 'x'), 3);
}

/* Each pair of bytes, at each place of a word and behind one. */
static void case_is_that_of_ascii(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        uint8_t one = (uint8_t)(pair >> 8);
        uint8_t other = (uint8_t)pair;
        bool is_letter = (one | 0x20) >= 'a' && (one | 0x20) <= 'z';
        bool is_same = one == other || (is_letter && (one ^ other) == 0x20);
        for (size_t at = 0; at < 3; at++) { /* of three and of six bytes */
            uint8_t left[6] = {one, 'a', one, 'B', 'c', one};
            uint8_t right[6] = {other, 'A', other, 'b', 'C', other};
            size_t len = at == 0 ? 3 : 4 + at;
            assert_true(adit_bytes_equal_nocase(adit_bytes_first(ADIT_BYTES_OF(left), len),
                                                adit_bytes_first(ADIT_BYTES_OF(right), len)) ==
                        is_same);
        }
        for (size_t at = 0; at < 10; at += 3) {
            uint8_t left[10] = "aBcDeFgHi";
            uint8_t right[10] = "AbCdEfGhI";
            ADIT_AT(left, at) = one;
            ADIT_AT(right, at) = other;
            assert_true(adit_bytes_equal_nocase(ADIT_BYTES_OF(left), ADIT_BYTES_OF(right)) ==
                        is_same);
        }
    }
    assert_false(adit_bytes_equal_nocase(ADIT_BYTES("host"), ADIT_BYTES("hosts")));
}

static inline bool text_has(struct adit_bytes text, struct adit_bytes part)
{
    for (; text.len >= part.len; text = adit_bytes_from(text, 1)) {
        if (adit_bytes_starts_with(text, part)) {
            return true;
        }
    }
    return false;
}

/* Not inline, so that only the literal is known when it is compiled. */
bool has_end_of_head(struct adit_bytes text);
bool has_end_of_head(struct adit_bytes text)
{
    return text_has(text, ADIT_BYTES("\r\n\r\n"));
}

bool has_half(struct adit_bytes text);
bool has_half(struct adit_bytes text)
{
    return text_has(text, ADIT_BYTES("one of two halves"));
}

static void literals_are_found_in_a_loop(void **state)
{
    (void)state;
    assert_true(has_end_of_head(ADIT_BYTES("a: b\r\n\r\n")));
    assert_false(has_end_of_head(ADIT_BYTES("a: b\r\n\r")));
    assert_false(has_end_of_head(ADIT_BYTES("\r\n")));
    assert_true(has_half(ADIT_BYTES("this is one of two halves")));
    assert_false(has_half(ADIT_BYTES("this is one of two halvez")));
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(adit_bytes_starts_with(ADIT_BYTES("abc"), ADIT_BYTES("ab")));
    assert_true(adit_bytes_starts_with(ADIT_BYTES("abc"), ADIT_BYTES("")));
    assert_false(adit_bytes_starts_with(ADIT_BYTES("ab"), ADIT_BYTES("abc")));
    assert_true(adit_bytes_ends_with(ADIT_BYTES("abc"), ADIT_BYTES("bc")));
    assert_true(adit_bytes_ends_with((struct adit_bytes){0}, ADIT_BYTES("")));
    assert_false(adit_bytes_ends_with(ADIT_BYTES("bc"), ADIT_BYTES("abc")));
}

static void order_is_that_of_memcmp(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes a, b;
        int order;
    } cases[] = {
        {ADIT_BYTES_INIT(""), ADIT_BYTES_INIT(""), 0},
        {ADIT_BYTES_INIT(""), ADIT_BYTES_INIT("a"), -1},
        {ADIT_BYTES_INIT("a"), ADIT_BYTES_INIT("b"), -1},
        {ADIT_BYTES_INIT("b"), ADIT_BYTES_INIT("ab"), 1},
        {ADIT_BYTES_INIT("a\x80"), ADIT_BYTES_INIT("a\x7f"), 1}, /* bytes are not signed */
        {ADIT_BYTES_INIT("ab"), ADIT_BYTES_INIT("ab"), 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        int order = adit_bytes_compare(ADIT_AT(cases, i).a, ADIT_AT(cases, i).b);
        int back = adit_bytes_compare(ADIT_AT(cases, i).b, ADIT_AT(cases, i).a);
        assert_int_equal((order > 0) - (order < 0), ADIT_AT(cases, i).order);
        assert_int_equal((back > 0) - (back < 0), -ADIT_AT(cases, i).order);
    }
}

static void texts_become_views(void **state)
{
    (void)state;
    const char filled[4] = {'a', 'b', 'c', 'd'}; /* no NUL: the view ends with the array */
    assert_bytes(adit_bytes_of_text("abc"), ADIT_BYTES("abc"));
    assert_int_equal(adit_bytes_of_text(NULL).len, 0);
    assert_bytes(adit_bytes_of_chars(filled, sizeof filled), ADIT_BYTES("abcd"));
    assert_bytes(adit_bytes_of_chars("ab\0d", 4), ADIT_BYTES("ab"));
}

static void copies_fit_or_fail(void **state)
{
    (void)state;
    uint8_t memory[3] = {'x', 'x', 'x'};
    assert_ok(adit_span_copy(ADIT_SPAN_OF(memory), ADIT_BYTES("ab")));
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("abx"));
    assert_fails(adit_span_copy(ADIT_SPAN_OF(memory), ADIT_BYTES("1234")), LIMIT);
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("abx"));
    assert_ok(adit_span_copy((struct adit_span){0}, (struct adit_bytes){0}));
}

static void moves_stay_inside_or_fail(void **state)
{
    (void)state;
    const struct {
        size_t to, from, count;
        bool is_good;
    } cases[] = {
        {0, 1, 5, true},        {1, 0, 5, true},        {0, 0, 6, true},
        {6, 6, 0, true},        {0, 1, 6, false},       {1, 0, 6, false},
        {7, 0, 0, false},       {0, 7, 0, false},       {0, 0, SIZE_MAX, false},
        {SIZE_MAX, 0, 1, false}, {0, SIZE_MAX, 1, false},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[6] = {'a', 'b', 'c', 'd', 'e', 'f'};
        struct adit_status status =
            adit_span_move(ADIT_SPAN_OF(memory), ADIT_AT(cases, i).to, ADIT_AT(cases, i).from,
                           ADIT_AT(cases, i).count);
        assert_int_equal(adit_status_error(status),
                         ADIT_AT(cases, i).is_good ? ADIT_ERROR_NONE : ADIT_ERROR_INVALID);
    }
    uint8_t memory[6] = {'a', 'b', 'c', 'd', 'e', 'f'};
    assert_ok(adit_span_move(ADIT_SPAN_OF(memory), 2, 0, 4)); /* the ranges overlap */
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("ababcd"));
}

static void wiped_and_filled(void **state)
{
    (void)state;
    uint8_t memory[4] = {1, 2, 3, 4};
    adit_span_wipe(adit_span_first(ADIT_SPAN_OF(memory), 3));
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("\0\0\0\x04"));
    adit_span_fill(ADIT_SPAN_OF(memory), 0xee);
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("\xee\xee\xee\xee"));
    adit_span_wipe((struct adit_span){0});
    adit_span_fill((struct adit_span){0}, 1);
    uint32_t object = 0;
    adit_span_fill(ADIT_OBJECT_SPAN(object), 0xff);
    assert_int_equal(object, UINT32_MAX);
    assert_int_equal(ADIT_OBJECT_BYTES(object).len, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_clamp),
        cmocka_unit_test(literals_are_found_in_a_loop),
        cmocka_unit_test(slices_are_inside_or_fail),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(case_is_that_of_ascii),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(order_is_that_of_memcmp),
        cmocka_unit_test(texts_become_views),
        cmocka_unit_test(copies_fit_or_fail),
        cmocka_unit_test(moves_stay_inside_or_fail),
        cmocka_unit_test(wiped_and_filled),
    };
    return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
