/* wall: bit-field as=src/wire/sample.c
 * A bit-field. */
struct sample {
    unsigned low : 4;
    unsigned high : 4;
};
unsigned adit_sample(struct sample sample);
unsigned adit_sample(struct sample sample)
{
    return sample.low;
}
