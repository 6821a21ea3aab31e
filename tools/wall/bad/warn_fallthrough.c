/* wall: compiler as=src/wire/sample.c expect=implicit-fallthrough
 * A case that falls into the next. */
int adit_sample(int value);
int adit_sample(int value)
{
    int result = 0;
    switch (value) {
    case 1:
        result = 1;
    case 2:
        result += 2;
        break;
    default:
        break;
    }
    return result;
}
