/* Unit: cmocka and the few checks that every unit test uses. */
#ifndef ADIT_TESTS_UNIT_H
#define ADIT_TESTS_UNIT_H

/* cmocka.h wants these first, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* then */
#include <cmocka.h>

#include "base/base.h"

#define assert_ok(expression) assert_int_equal(adit_status_error(expression), ADIT_ERROR_NONE)

#define assert_fails(expression, CATEGORY)                                                      \
    assert_int_equal(adit_status_error(expression), ADIT_ERROR_##CATEGORY)

#define assert_bytes(actual, expected)                                                          \
    do {                                                                                        \
        struct adit_bytes adit_actual = (actual);                                               \
        struct adit_bytes adit_expected = (expected);                                           \
        assert_int_equal(adit_actual.len, adit_expected.len);                                   \
        assert_true(adit_bytes_equal(adit_actual, adit_expected));                              \
    } while (0)

#endif
