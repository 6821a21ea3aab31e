/* wall: tidy-parameters as=src/wire/sample.c
 * Six parameters. */
static int sum(int a, int b, int (*c)(int, int), int d,
               int e, int f)
{
    return a + b + c(a, b) + d + e + f;
}
