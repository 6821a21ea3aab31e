/* wall: tidy-fuzzer as=src/wire/sample.h
 * A decoder without a fuzzer. */
struct adit_status adit_sample_read(struct adit_bytes bytes, int *out_value);
