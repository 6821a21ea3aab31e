/* wall: tidy-unfinished as=src/wire/sample.c
 * A promise instead of work. */
/* TODO: check the length */
static const int number = 1;
