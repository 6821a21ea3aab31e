/* wall: memory as=src/wire/sample.c expect=calloc
 * Memory taken by a name that poison cannot see. */
void *take(size_t count, size_t size) __asm__("calloc");
void *adit_sample(void);
void *adit_sample(void)
{
    return take(1, 16);
}
