/* wall: compiler as=src/wire/sample.c by=clang expect=assign-enum
 * A number that is no value of the enum. */
enum adit_log_level adit_sample(void);
enum adit_log_level adit_sample(void)
{
    return (enum adit_log_level){77};
}
