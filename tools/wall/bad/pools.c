/* wall: pools as=src/mux/sample.c
 * A folder of state machines, and no test with an allocator that fails. */
static const int number = 1;
