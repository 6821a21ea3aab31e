/* wall: compiler as=src/wire/sample.c by=clang expect=comma
 * A comma where a semicolon was meant. */
int adit_sample(int value);
int adit_sample(int value)
{
    int result = 0;
    value++, result = value;
    return result;
}
