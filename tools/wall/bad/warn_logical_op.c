/* wall: compiler as=src/wire/sample.c by=gcc expect=logical-op
 * The same condition twice. */
bool adit_sample(int value);
bool adit_sample(int value)
{
    return value > 3 && value > 3;
}
