/* wall: mutable-global as=src/wire/sample.c
 * A table whose strings are const and whose pointers are not. */
static const char *names[] = {"a", "b"};
const char *adit_sample(int index);
const char *adit_sample(int index)
{
    return ADIT_AT(names, index);
}
