/* wall: compiler as=src/wire/sample.c expect=poisoned|implicit
 * A poisoned name that is pasted together. */
#define ADIT_SAMPLE_JOIN(a, b) a##b
void adit_sample(void *to, const void *from);
void adit_sample(void *to, const void *from)
{
    ADIT_SAMPLE_JOIN(mem, cpy)(to, from, 4);
}
