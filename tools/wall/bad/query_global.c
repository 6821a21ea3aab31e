/* wall: mutable-global as=src/wire/sample.c
 * A variable of the file that can be written. */
int adit_sample_state;
int adit_sample(void);
int adit_sample(void)
{
    return adit_sample_state++;
}
