/* wall: compiler as=src/wire/sample.c expect=conversion
 * A number that may not fit. */
uint8_t adit_sample(uint32_t value);
uint8_t adit_sample(uint32_t value)
{
    return value;
}
