/* wall: goto as=src/wire/sample.c
 * A goto that leads back. */
int adit_sample(int value);
int adit_sample(int value)
{
out:
    value--;
    if (value > 0) {
        goto out;
    }
    return value;
}
