/* wall: variadic as=src/wire/sample.c
 * Arguments that nobody counts. */
int adit_sample(int count, ...);
int adit_sample(int count, ...)
{
    return count;
}
