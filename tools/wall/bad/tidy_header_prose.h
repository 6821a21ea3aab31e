/* wall: tidy-header-prose as=src/wire/sample.h */
int adit_sample(void);
