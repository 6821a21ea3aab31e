/* HTTP head: request heads, response heads and trailers of HTTP/1.1, strictly. The security core of
 * the server: what this accepts, every program behind us must read in the same way.
 *
 * Sources: RFC 9110 section 5, RFC 9112 sections 2 to 5, 7.1.2 and 11. Stricter than they allow,
 * wherever readers are known to differ: lines end in CR LF only; one space between the parts of a
 * start line; no folded fields, no space before the colon, no empty name, no bare CR, NUL or other
 * control character anywhere but tab within a value; names are tokens, without an underscore in
 * requests and trailers; targets are visible ASCII without '#'. One CR LF before a request line is
 * stepped over, a second is refused. Of a response the reason may be empty or missing.
 *
 * This file knows the form of a head. What it means (Host, framing, methods) is src/http.
 *
 * Bytes come in pieces: `adit_http_scan_head` looks at each byte once, and says when the head is
 * whole or cannot become one; only then is it parsed, once. Pure: no allocation, no state but the
 * scan. */
#ifndef ADIT_WIRE_HTTP_HEAD_H
#define ADIT_WIRE_HTTP_HEAD_H

#include "base/bytes.h"
#include "base/writer.h"
#include "wire/http_name.h"
#include "wire/parse.h"

#define ADIT_HTTP_HEAD_BYTES_MAX 32768  /* with its last CR LF CR LF, and one CR LF before it */
#define ADIT_HTTP_TARGET_BYTES_MAX 8192 /* of a request: 414 beyond */
#define ADIT_HTTP_FIELDS_MAX 100        /* 431 beyond */
#define ADIT_HTTP_METHOD_BYTES_MAX 32
#define ADIT_HTTP_TRAILER_BYTES_MAX 8192

struct adit_http_field {
    struct adit_bytes name;  /* as it was written; compare with adit_bytes_equal_nocase */
    struct adit_bytes value; /* without space or tab around it; may be empty */
    enum adit_http_name known; /* the name, where it is one that we ask for */
    uint32_t line_end;         /* where its line ends, in the head's text */
    bool is_plain;             /* its line is the name, ": ", the value and CR LF, as we write it */
};

/* Views of the bytes that were parsed: they live as long as those. */
struct adit_http_head {
    struct adit_bytes method, target; /* of a request */
    struct adit_bytes reason;         /* of a response */
    uint16_t status;                  /* of a response: 100 to 999; 0: a request, or trailers */
    uint8_t version_minor;            /* 0 or 1 */
    uint64_t names;           /* which known names there are, and which more than once: */
    uint64_t repeated;        /* sets of adit_http_name_bit */
    struct adit_bytes text;   /* from the start line on, and maybe more than the head */
    uint32_t lines_at;        /* where the first field's line begins in it */
    bool is_plain;            /* the start line is as we write it: HTTP/1.1, one space each */
    size_t field_count;
    struct adit_http_field fields[ADIT_HTTP_FIELDS_MAX];
};

/* How far a head, or a trailer section, has been looked at. Zeros: not at all. */
struct adit_http_scan {
    size_t seen;
    uint32_t state; /* private */
};

/* Looks at the bytes that came since the last call; `bytes` begins where the head does, always.
 * FOUND: the first *out_used bytes are a whole head. MORE: go on when there are more. INVALID at
 * the first byte that no head may hold (bare LF, bare CR, NUL), LIMIT where it does not end within
 * `bytes_max`; the status of the answer is in `detail` (400; 414 in the first line, else 431). */
struct adit_status adit_http_scan_head(struct adit_http_scan *scan, struct adit_bytes bytes,
                                       size_t bytes_max, size_t *out_used,
                                       enum adit_parse *out_parse);

/* The same for a trailer section, which may be just CR LF. */
struct adit_status adit_http_scan_trailers(struct adit_http_scan *scan, struct adit_bytes bytes,
                                           size_t *out_used, enum adit_parse *out_parse);

/* Parses a whole head as the scan found it. On failure INVALID or LIMIT with the status of the
 * answer in `detail`: 400, 414, 431, 505; of a response always 502. The head is empty then: no
 * method, no status, no fields. */
struct adit_status adit_http_request_parse(struct adit_bytes bytes,
                                           struct adit_http_head *out_head);
struct adit_status adit_http_response_parse(struct adit_bytes bytes,
                                            struct adit_http_head *out_head);
struct adit_status adit_http_trailers_parse(struct adit_bytes bytes,
                                            struct adit_http_head *out_head);

/* Scan and parse in one, for a head that has come whole: the number of bytes at the front that are
 * a good head. 0, and no head, where there is none or not all of it: the scan tells which. Each
 * call looks at everything, so it is for the first look alone. */
size_t adit_http_request_take(struct adit_bytes bytes, struct adit_http_head *out_head);
size_t adit_http_response_take(struct adit_bytes bytes, struct adit_http_head *out_head);

static inline bool adit_http_field_is_there(const struct adit_http_head *head,
                                            enum adit_http_name name)
{
    return (head->names & adit_http_name_bit(name)) != 0;
}

static inline bool adit_http_field_is_repeated(const struct adit_http_head *head,
                                               enum adit_http_name name)
{
    return (head->repeated & adit_http_name_bit(name)) != 0;
}

/* The first field of a name that is there; null where it is not after all. */
const struct adit_http_field *adit_http_field_first(const struct adit_http_head *head,
                                                    enum adit_http_name name);

/* The first field of this name, or null; the name is not OTHER. */
static inline const struct adit_http_field *adit_http_field_of(const struct adit_http_head *head,
                                                               enum adit_http_name name)
{
    return adit_http_field_is_there(head, name) ? adit_http_field_first(head, name) : NULL;
}

/* The same by a name that may be any, in any case. */
const struct adit_http_field *adit_http_field_find(const struct adit_http_head *head,
                                                   struct adit_bytes name);
size_t adit_http_field_count(const struct adit_http_head *head, struct adit_bytes name);

/* How many bytes at the front may stand in a target: visible ASCII without '#'. */
size_t adit_http_target_len(struct adit_bytes bytes);

/* Is every byte one of a token (RFC 9110 section 5.6.2), and is there one? */
bool adit_http_is_token(struct adit_bytes bytes);

/* The next element of a comma-separated list without the space around it; empty elements are
 * stepped over. False at the end. `*rest` begins as the whole value. Not for quoted strings. */
bool adit_http_list_next(struct adit_bytes *rest, struct adit_bytes *out_element);

#endif
