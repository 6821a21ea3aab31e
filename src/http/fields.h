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

/* What a proxy does because a Connection field says so. */
struct adit_http_connection {
    bool is_close, is_upgrade, has_te;
};

/* LIMIT where there are more than ADIT_HTTP_OPTIONS_MAX options. */
struct adit_status adit_http_connection_read(const struct adit_http_head *head,
                                             struct adit_http_connection *out_connection);

/* Is there exactly one field of this name, with this value in any case? */
bool adit_http_field_is(const struct adit_http_head *head, enum adit_http_name name,
                        struct adit_bytes value);

/* Does one of the lists of this name have the element, in any case? */
bool adit_http_field_lists(const struct adit_http_head *head, enum adit_http_name name,
                           struct adit_bytes element);

/* The names of fields for one hop (RFC 9110 section 7.6.1, RFC 9112 sections 6.1 and 9), with the
 * two that frame a body. Trailer is not one: it may travel with a chunked body. */
uint64_t adit_http_names_of_hop(void);

/* Of those that say who the visitor is, or how it came, which only we may write: all that have no
 * X-Forwarded- before them. */
uint64_t adit_http_names_about_visitor(void);
bool adit_http_is_forwarded(const struct adit_http_field *field); /* X-Forwarded- and more */

/* Is it a field that may not stand in trailers: one that frames, routes, authenticates, controls a
 * request, or is about the visitor (RFC 9110 section 6.5.1)? */
bool adit_http_is_barred_from_trailers(const struct adit_http_field *field);

#endif
