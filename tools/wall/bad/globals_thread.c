/* wall: globals as=src/wire/sample.c expect=.tbss
 * State of a thread is state. */
int adit_sample(void);
int adit_sample(void)
{
    static _Thread_local int calls;
    calls++;
    return calls;
}
