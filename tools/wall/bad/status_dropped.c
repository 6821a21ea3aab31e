/* wall: compiler as=src/wire/sample.c expect=unused-result
 * A status that nobody looks at. */
static struct adit_status may_fail(void)
{
    ADIT_FAIL(INVALID, "it always does");
}
void adit_sample(void);
void adit_sample(void)
{
    may_fail();
}
