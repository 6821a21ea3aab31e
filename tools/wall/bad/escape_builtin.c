/* wall: escape as=src/wire/sample.c expect=builtin
 * A way round the compiler's refusals. */
static void copy(void *to, const void *from)
{
    __builtin_memcpy(to, from, 4);
}
