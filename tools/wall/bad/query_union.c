/* wall: union as=src/wire/sample.c
 * A union. */
union sample {
    uint32_t number;
    uint8_t bytes[4];
};
uint32_t adit_sample(union sample sample);
uint32_t adit_sample(union sample sample)
{
    return sample.number;
}
