/* wall: compiler as=src/wire/sample.c expect=cast-qual
 * A cast that takes const away. */
int *adit_sample(const int *number);
int *adit_sample(const int *number)
{
    return (int *)number;
}
