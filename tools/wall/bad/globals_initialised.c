/* wall: globals as=src/wire/sample.c expect=.data
 * A table of pointers that is not const: its rows can be changed. */
const char *adit_sample(int index);
const char *adit_sample(int index)
{
    static const char *names[] = {"a", "b"};
    const char *name = ADIT_AT(names, index);
    ADIT_AT(names, index) = "c";
    return name;
}
