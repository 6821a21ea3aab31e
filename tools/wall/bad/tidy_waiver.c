/* wall: tidy-waiver-unused as=src/wire/sample.c
 * A waiver of nothing. */
static const int number = 1; /* ADIT_ALLOW(line-columns, "it is not long at all") */
