/* wall: compiler as=src/wire/sample.c expect=unused-result
 * Checked arithmetic whose verdict is dropped. */
size_t adit_sample(size_t a);
size_t adit_sample(size_t a)
{
    size_t sum = 0;
    adit_add_size(a, 1, &sum);
    return sum;
}
