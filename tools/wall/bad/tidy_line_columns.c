/* wall: tidy-line-columns as=src/wire/sample.c
 * A line of more than 100 columns. */
static const int number = 1; /* very very very very very very very very very very very very very very long */
