/* wall: tidy-white-space as=src/wire/sample.c
 * A tab. */
static const int number =	1;
