/* wall: mutable-global as=src/wire/sample.c
 * A static of a function that can be written. */
int adit_sample(void);
int adit_sample(void)
{
    static int calls;
    return calls++;
}
