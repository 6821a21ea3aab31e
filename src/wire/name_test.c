#include "wire/name.h"

#include "unit.h"

#define LETTERS_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void names(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes name;
        bool is_valid;
    } rows[] = {
        {ADIT_BYTES("a"), true},
        {ADIT_BYTES("calm-river-7"), true},
        {ADIT_BYTES("a1"), true},
        {ADIT_BYTES("a-b--c"), true}, /* not at the third and fourth place */
        {ADIT_BYTES("a--b"), true},
        {ADIT_BYTES(LETTERS_63), true},
        {ADIT_BYTES(LETTERS_63 "a"), false},
        {ADIT_BYTES(""), false},
        {ADIT_BYTES("1a"), false},
        {ADIT_BYTES("123"), false},
        {ADIT_BYTES("-a"), false},
        {ADIT_BYTES("a-"), false},
        {ADIT_BYTES("A"), false},
        {ADIT_BYTES("aB"), false},
        {ADIT_BYTES("a.b"), false},
        {ADIT_BYTES("a_b"), false},
        {ADIT_BYTES("a b"), false},
        {ADIT_BYTES("a*"), false},
        {ADIT_BYTES("a\0b"), false},
        {ADIT_BYTES("xn--pypal-4ve"), false},
        {ADIT_BYTES("ab--"), false},
        {ADIT_BYTES("ab--c"), false},
        {ADIT_BYTES("r\xd0\xb0ul"), false},
        {ADIT_BYTES("a\xe2\x80\x8d"), false},
        {ADIT_BYTES("paypa1-login"), true}, /* look-alikes are for people to review */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_int_equal(adit_name_is_valid(ADIT_AT(rows, i).name), ADIT_AT(rows, i).is_valid);
    }
}

static void patterns(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes pattern;
        bool is_valid;
    } rows[] = {
        {ADIT_BYTES("*"), true},
        {ADIT_BYTES("a"), true},
        {ADIT_BYTES("ab-*"), true},
        {ADIT_BYTES("a,b,c-*"), true},
        {ADIT_BYTES("a,*"), true},
        {ADIT_BYTES(LETTERS_63), true},
        {ADIT_BYTES(LETTERS_63 "*"), true},
        {ADIT_BYTES(LETTERS_63 ",a"), false}, /* 65 bytes */
        {ADIT_BYTES(""), false},
        {ADIT_BYTES(","), false},
        {ADIT_BYTES("a,"), false},
        {ADIT_BYTES(",a"), false},
        {ADIT_BYTES("a,,b"), false},
        {ADIT_BYTES("a, b"), false},
        {ADIT_BYTES("**"), false},
        {ADIT_BYTES("*a"), false},
        {ADIT_BYTES("a*b"), false},
        {ADIT_BYTES("-*"), false},
        {ADIT_BYTES("A*"), false},
        {ADIT_BYTES("xn--*"), false},
        {ADIT_BYTES("a\0"), false},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_int_equal(adit_name_pattern_is_valid(ADIT_AT(rows, i).pattern),
                         ADIT_AT(rows, i).is_valid);
    }
}

static void matching(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes pattern;
        struct adit_bytes name;
        bool is_allowed;
    } rows[] = {
        {ADIT_BYTES("*"), ADIT_BYTES("anything"), true},
        {ADIT_BYTES("*"), ADIT_BYTES("Not A Name"), false},
        {ADIT_BYTES("*"), ADIT_BYTES(""), false},
        {ADIT_BYTES("ab-*"), ADIT_BYTES("ab-c"), true},
        {ADIT_BYTES("ab-*"), ADIT_BYTES("abc"), false},
        {ADIT_BYTES("ab-*"), ADIT_BYTES("ab-"), false}, /* no name */
        {ADIT_BYTES("ab*"), ADIT_BYTES("ab"), true},
        {ADIT_BYTES("ab"), ADIT_BYTES("ab"), true},
        {ADIT_BYTES("ab"), ADIT_BYTES("abc"), false},
        {ADIT_BYTES("ab"), ADIT_BYTES("a"), false},
        {ADIT_BYTES("x,ab,c-*"), ADIT_BYTES("ab"), true},
        {ADIT_BYTES("x,ab,c-*"), ADIT_BYTES("c-1"), true},
        {ADIT_BYTES("x,ab,c-*"), ADIT_BYTES("y"), false},
        {ADIT_BYTES("x,ab"), ADIT_BYTES("x,ab"), false},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_int_equal(
            adit_name_pattern_allows(ADIT_AT(rows, i).pattern, ADIT_AT(rows, i).name),
            ADIT_AT(rows, i).is_allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(patterns),
        cmocka_unit_test(matching),
    };
    return cmocka_run_group_tests_name("wire/name", tests, NULL, NULL);
}
