/* wall: compiler as=src/wire/sample.c by=clang expect=null-dereference
 * A null pointer that is followed. (gcc has the warning only where it may delete null checks,
 * which -fno-delete-null-pointer-checks forbids it.) */
int adit_sample(void);
int adit_sample(void)
{
    return *(const int *)0;
}
