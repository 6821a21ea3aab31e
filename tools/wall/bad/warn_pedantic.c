/* wall: compiler as=src/wire/sample.c by=gcc expect=pedantic
 * An extension that the standard does not have. */
struct sample {
};
int adit_sample(const struct sample *sample);
int adit_sample(const struct sample *sample)
{
    return sample ? 1 : 0;
}
