/* wall: compiler as=src/wire/sample.c by=clang expect=missing-variable-declarations
 * A variable that no header declares. */
const int adit_sample = 1;
