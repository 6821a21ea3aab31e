/* wall: tidy-folder-readme as=src/wire/sample.c
 * A folder without README.md. */
static const int number = 1;
