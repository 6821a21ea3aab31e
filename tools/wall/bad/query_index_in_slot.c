/* wall: pointer-index as=src/wire/sample.c
 * An index inside the argument of ADIT_SLOT. The compiler does not see it: it takes the argument
 * for a part of the region that the macro opens. */
int adit_sample(const int *const *rows);
int adit_sample(const int *const *rows)
{
    return ADIT_SLOT(rows[3], 3, 1);
}
