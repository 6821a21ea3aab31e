/* wall: goto as=src/wire/sample.c expect=AddrLabelExpr
 * The address of a label. */
int adit_sample(void);
int adit_sample(void)
{
    const void *place = &&out;
out:
    return place != 0;
}
