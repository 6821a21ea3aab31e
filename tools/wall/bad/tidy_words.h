/* wall: tidy-words as=src/wire/sample.h
 * A word that says nothing: seamless. */
int adit_sample(void);
