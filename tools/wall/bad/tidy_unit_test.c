/* wall: tidy-unit-test as=src/wire/sample.c
 * A module without a test. */
static const int number = 1;
