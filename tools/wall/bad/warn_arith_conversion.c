/* wall: compiler as=src/wire/sample.c by=gcc expect=conversion
 * An operand that is widened and narrowed again. */
uint8_t adit_sample(uint8_t value);
uint8_t adit_sample(uint8_t value)
{
    uint8_t result = value;
    result += value;
    return result;
}
