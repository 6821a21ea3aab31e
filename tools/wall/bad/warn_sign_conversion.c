/* wall: compiler as=src/wire/sample.c expect=sign-conversion
 * A sign that may change. */
unsigned adit_sample(int value);
unsigned adit_sample(int value)
{
    unsigned result = value;
    return result;
}
