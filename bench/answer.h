/* Answer: how far an HTTP/1 answer, or a WebSocket frame, has come. Only what the bench programs
 * need: a status of 200 or 101, a Content-Length in any case of letters, unfragmented frames. */
#ifndef ADIT_BENCH_ANSWER_H
#define ADIT_BENCH_ANSWER_H

#include "base/base.h"

enum answer_state { ANSWER_SHORT, ANSWER_HEAD, ANSWER_WRONG };

/* The value of a field of a head that ends with an empty line; empty where it is not there. */
struct adit_bytes head_field(struct adit_bytes head, struct adit_bytes name);

/* The length of the head at the front, its empty line included; 0: it is not all there. */
size_t head_length(struct adit_bytes bytes);

/* HEAD: the head is whole and as it should be; *out_length is that of head and body together. */
enum answer_state answer_http(struct adit_bytes bytes, uint64_t *out_length);

/* The same of the answer to an upgrade. */
enum answer_state answer_upgrade(struct adit_bytes bytes, uint64_t *out_length);

/* The same of a WebSocket frame without a mask. */
enum answer_state answer_frame(struct adit_bytes bytes, uint64_t *out_length);

#endif
