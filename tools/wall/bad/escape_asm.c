/* wall: escape as=src/wire/sample.c expect=assembly
 * A way round the compiler's refusals. */
static void pause(void)
{
    __asm__ volatile("pause");
}
