/* Recall: the head of a connection's last request, and what was made of it. Nearly all requests of
 * a client are the same to the byte but for their path: what was judged of such a head, and written
 * for the program, holds for the next one.
 *
 * A head is the same where its method is, its target is a path again, and every byte from the
 * target's end to the empty line is the same. That is enough: fields are parsed without regard to
 * the line before them (wire/http_head.h), and of a target that begins with a slash the judge and
 * the writer ask no more than that (message.h, forward.h). The path is looked at as it always is.
 * What the writer was told of the visitor is part of what was made: the caller keeps one for each
 * connection. recall_fuzz.c compares both ways. Pure: no allocation, no clock. */
#ifndef ADIT_HTTP_RECALL_H
#define ADIT_HTTP_RECALL_H

#include "http/message.h"

#define ADIT_HTTP_RECALL_BYTES_MAX 1024 /* of a head without its target, before and after */
#define ADIT_HTTP_RECALL_ANSWER_BYTES_MAX 512 /* of an answer's head, before and after */

struct adit_http_recall {
    struct adit_http_request request;
    ADIT_FIELD(ADIT_HTTP_METHOD_BYTES_MAX + 2) start; /* the method, a space and a slash */
    ADIT_FIELD(ADIT_HTTP_RECALL_BYTES_MAX) rest;      /* what came behind the target; none: */
    ADIT_FIELD(ADIT_HTTP_RECALL_BYTES_MAX) made;      /* nothing is recalled */
};

/* Keeps what was made of a head, or nothing, where it begins with an odd line or is too long.
 * `made` is what adit_http_request_write wrote. */
void adit_http_recall_set(struct adit_http_recall *recall, const struct adit_http_head *head,
                          const struct adit_http_request *request, struct adit_bytes made);

/* The length of the head at the front of `bytes`, where it is that head again, and its method, the
 * space and its target: `made` goes behind them. 0 where it is another, or not whole. */
size_t adit_http_recall_find(const struct adit_http_recall *recall, struct adit_bytes bytes,
                             struct adit_bytes *out_line);

/* An answer's head in the same way, by all of its bytes. */
struct adit_http_recall_answer {
    struct adit_http_response response;
    uint16_t status;
    ADIT_FIELD(ADIT_HTTP_RECALL_ANSWER_BYTES_MAX) head; /* none: nothing is recalled */
    ADIT_FIELD(ADIT_HTTP_RECALL_ANSWER_BYTES_MAX) made;
};

/* Does what is made of an answer to this request depend on the answer alone? Not to HEAD, nor where
 * an upgrade was asked for or the connection ends with the answer. */
bool adit_http_recall_suits(const struct adit_http_request *request);

/* Keeps what was made of the final answer to such a request, or nothing, where it is a 101, or too
 * long. `made` is what adit_http_response_write wrote, for a connection that goes on. */
void adit_http_recall_answer_set(struct adit_http_recall_answer *recall,
                                 const struct adit_http_head *head,
                                 const struct adit_http_response *response,
                                 struct adit_bytes made);

/* The length of the head at the front of `bytes`, where it is that answer's again; else 0. */
size_t adit_http_recall_answer_find(const struct adit_http_recall_answer *recall,
                                    struct adit_bytes bytes);

#endif
