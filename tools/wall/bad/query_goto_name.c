/* wall: goto as=src/wire/sample.c
 * A goto to another label than out. */
int adit_sample(int value);
int adit_sample(int value)
{
    if (value > 0) {
        goto end;
    }
    value = 1;
end:
    return value;
}
