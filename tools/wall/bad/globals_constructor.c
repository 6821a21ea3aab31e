/* wall: globals as=src/wire/sample.c expect=.init_array
 * A function that runs before main. */
__attribute__((constructor)) void adit_sample(void);
void adit_sample(void)
{
    volatile int once = 1;
    while (once == 0) {
    }
}
