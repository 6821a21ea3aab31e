/* Fields: questions about the fields of a head that several files of this folder ask. Pure. */
#ifndef ADIT_HTTP_FIELDS_H
#define ADIT_HTTP_FIELDS_H

#include "wire/http_head.h"

#define ADIT_HTTP_OPTIONS_MAX 32 /* elements of all Connection fields of a head */

/* What the Connection fields name; views of the head. */
struct adit_http_options {
    size_t count;
    struct adit_bytes names[ADIT_HTTP_OPTIONS_MAX];
};

/* LIMIT where there are more: each is compared with each field. */
struct adit_status adit_http_options_gather(const struct adit_http_head *head,
                                            struct adit_http_options *out_options);

bool adit_http_options_have(const struct adit_http_options *options, struct adit_bytes name);

/* Is there exactly one field of this name, with this value in any case? */
bool adit_http_field_is(const struct adit_http_head *head, struct adit_bytes name,
                        struct adit_bytes value);

/* Does one of the lists of this name have the element, in any case? */
bool adit_http_field_lists(const struct adit_http_head *head, struct adit_bytes name,
                           struct adit_bytes element);

/* Is the name that of a field for one hop (RFC 9110 section 7.6.1, RFC 9112 sections 6.1 and 9), or
 * one of the two that frame a body? Trailer is not: it may travel with a chunked body. */
bool adit_http_is_hop_by_hop(struct adit_bytes name);

/* Is it a field that says who the visitor is, or how it came: one that only we may write? */
bool adit_http_is_about_visitor(struct adit_bytes name);

/* Is the name that of a field that may not stand in trailers: one that frames, routes,
 * authenticates, controls a request, or is about the visitor (RFC 9110 section 6.5.1)? */
bool adit_http_is_barred_from_trailers(struct adit_bytes name);

#endif
