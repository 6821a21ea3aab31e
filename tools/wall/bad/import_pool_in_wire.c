/* wall: imports as=src/wire/sample.c expect=adit_pool
 * A codec that takes memory from a pool. */
void adit_sample(struct adit_pool *pool);
void adit_sample(struct adit_pool *pool)
{
    adit_pool_deinit(pool);
}
