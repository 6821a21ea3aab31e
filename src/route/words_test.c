#include "route/words.h"

#include "unit.h"

static bool is_word(struct adit_bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (adit_bytes_at(word, i) < 'a' || adit_bytes_at(word, i) > 'z') {
            return false;
        }
    }
    return word.len >= 3 && word.len <= ADIT_WORD_BYTES_MAX;
}

static void lists_are_sorted_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_WORDS; i++) {
        assert_true(is_word(adit_word_first((uint8_t)i)));
        assert_true(is_word(adit_word_second((uint8_t)i)));
        if (i > 0) {
            uint8_t before = (uint8_t)(i - 1);
            assert_true(adit_bytes_compare(adit_word_first(before), adit_word_first((uint8_t)i)) <
                        0);
            assert_true(
                adit_bytes_compare(adit_word_second(before), adit_word_second((uint8_t)i)) < 0);
        }
    }
}

static void no_word_is_in_both(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_WORDS; i++) {
        for (size_t j = 0; j < ADIT_WORDS; j++) {
            assert_false(
                adit_bytes_equal(adit_word_first((uint8_t)i), adit_word_second((uint8_t)j)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_sorted_words),
        cmocka_unit_test(no_word_is_in_both),
    };
    return cmocka_run_group_tests_name("route/words", tests, NULL, NULL);
}
