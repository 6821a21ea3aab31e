/* wall: compiler as=src/wire/sample.c by=gcc expect=duplicated-cond
 * A second branch that is never taken. */
int adit_sample(int value);
int adit_sample(int value)
{
    if (value == 1) {
        return 1;
    } else if (value == 1) {
        return 2;
    }
    return 3;
}
