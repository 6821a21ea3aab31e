/* wall: escape as=src/wire/sample.c expect=attribute
 * A way round the compiler's refusals. */
__attribute__((no_sanitize("address"))) static int one(void)
{
    return 1;
}
