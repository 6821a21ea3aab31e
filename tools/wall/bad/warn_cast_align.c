/* wall: compiler as=src/wire/sample.c by=clang expect=cast-align
 * A cast to a type that needs stricter alignment. */
int adit_sample(char *bytes);
int adit_sample(char *bytes)
{
    return *(int *)bytes;
}
