/* wall: compiler as=src/wire/sample.c expect=vla
 * An array whose size is known only at run time. */
int adit_sample(size_t count);
int adit_sample(size_t count)
{
    int numbers[count];
    return (int)sizeof(numbers);
}
