/* wall: compiler as=src/wire/sample.c by=gcc expect=duplicated-branches
 * Two branches that do the same. */
int adit_sample(int value);
int adit_sample(int value)
{
    if (value == 1) {
        value = 7;
    } else {
        value = 7;
    }
    return value;
}
