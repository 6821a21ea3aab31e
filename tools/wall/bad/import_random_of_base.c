/* wall: imports as=src/mux/sample.c expect=adit_random_fill
 * The pure state machine takes randomness from the system. */
struct adit_status adit_sample(struct adit_span span);
struct adit_status adit_sample(struct adit_span span)
{
    return adit_random_fill(span);
}
