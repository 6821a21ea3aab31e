/* wall: escape as=src/wire/sample.c expect=builtin
 * A way round the compiler's refusals. */
static int add(int *number)
{
    return __atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
}
