/* Error: what we answer ourselves, when no program behind us can: one table of stable codes with
 * their status, a sentence for a person and what to do next. The code is in the field `Adit-Error`
 * and in the body: a small page for people, or JSON where the visitor asks for it.
 *
 * Pure. Bytes of the request appear nowhere in an answer. */
#ifndef ADIT_HTTP_ERROR_H
#define ADIT_HTTP_ERROR_H

#include "base/bytes.h"
#include "base/writer.h"

#define ADIT_HTTP_ERROR_BYTES_MAX 4096 /* a whole answer */

/* ROW(NAME, status, code, reason phrase, sentence, next action) */
#define ADIT_HTTP_ERROR_TABLE(ROW)                                                              \
    ROW(BAD_REQUEST, 400, "bad_request", "Bad Request",                                         \
        "The request breaks the rules of HTTP/1.1.",                                            \
        "Try another client; if you wrote it, check the request against RFC 9112.")             \
    ROW(SUSPENDED, 403, "suspended", "Forbidden", "This address has been suspended.",           \
        "If it is yours, ask the operator of the server.")                                      \
    ROW(TUNNEL_NOT_FOUND, 404, "tunnel_not_found", "Not Found",                                 \
        "No tunnel is connected at this address.",                                              \
        "If it is yours, start the agent: adit http 3000 --name NAME.")                         \
    ROW(DASHBOARD_MISSING, 404, "dashboard_missing", "Not Found",                               \
        "This is the address of the dashboard, and this release has none yet.",                 \
        "If the server is yours, run: aditd status.")                                           \
    ROW(METHOD_NOT_ALLOWED, 405, "method_not_allowed", "Method Not Allowed",                    \
        "This method is not passed on.", "Use another method.")                                 \
    ROW(REQUEST_TIMEOUT, 408, "request_timeout", "Request Timeout",                             \
        "The request did not come in time.", "Try again.")                                      \
    ROW(URI_TOO_LONG, 414, "uri_too_long", "URI Too Long",                                      \
        "The address is longer than 8 KiB.", "Send the data in the body instead.")              \
    ROW(EXPECTATION_FAILED, 417, "expectation_failed", "Expectation Failed",                    \
        "The request expects something that we do not know.", "Leave the Expect field out.")    \
    ROW(MISDIRECTED, 421, "misdirected", "Misdirected Request",                                 \
        "This connection does not lead to the host of the request.",                            \
        "Open a new connection for this host.")                                                 \
    ROW(TENANT_LIMIT, 429, "tenant_limit", "Too Many Requests",                                 \
        "A limit of this address is reached.", "Try again in a moment.")                        \
    ROW(HEAD_TOO_LARGE, 431, "head_too_large", "Request Header Fields Too Large",               \
        "The fields of the request are too many or too long.",                                  \
        "Remove cookies of this site, or send fewer fields.")                                   \
    ROW(CODING_UNKNOWN, 501, "coding_unknown", "Not Implemented",                               \
        "The request has a transfer coding other than chunked.", "Send it without.")            \
    ROW(AGENT_GONE, 502, "agent_gone", "Bad Gateway",                                           \
        "The agent of this address went away during the request.", "Try again in a moment.")    \
    ROW(UPSTREAM_REFUSED, 502, "upstream_refused", "Bad Gateway",                               \
        "The agent is connected, but the program behind it does not answer at its port.",       \
        "If it is yours, start the program, and check its port.")                               \
    ROW(UPSTREAM_BAD_RESPONSE, 502, "upstream_bad_response", "Bad Gateway",                     \
        "The program behind this address sent something that is not HTTP/1.1.",                 \
        "If it is yours, check that the port speaks HTTP, not HTTPS.")                          \
    ROW(OVERLOADED, 503, "overloaded", "Service Unavailable",                                   \
        "The server has no room for this request now.", "Try again in a moment.")               \
    ROW(UPSTREAM_TIMEOUT, 504, "upstream_timeout", "Gateway Timeout",                           \
        "The program behind this address did not answer in time.", "Try again in a moment.")    \
    ROW(AGENT_NO_ACK, 504, "agent_no_ack", "Gateway Timeout",                                   \
        "The agent of this address did not answer in time.", "Try again in a moment.")          \
    ROW(VERSION_UNKNOWN, 505, "version_unknown", "HTTP Version Not Supported",                  \
        "The request has a version of HTTP other than 1.0 and 1.1.", "Use HTTP/1.1.")

enum adit_http_error {
#define ADIT_HTTP_ERROR_ENUM(NAME, status, code, reason, sentence, next) ADIT_HTTP_ERROR_##NAME,
    ADIT_HTTP_ERROR_TABLE(ADIT_HTTP_ERROR_ENUM)
#undef ADIT_HTTP_ERROR_ENUM
};

struct adit_http_error_form {
    bool is_json;    /* the visitor prefers JSON: adit_http_request.prefers_json */
    bool is_head;    /* the answer to HEAD: fields of the body, without it */
    bool is_closing; /* Connection: close */
};

uint16_t adit_http_error_status(enum adit_http_error error);
struct adit_bytes adit_http_error_code(enum adit_http_error error);

/* The error that answers a failure of wire/http_head.h, by the status in its detail. */
enum adit_http_error adit_http_error_of(struct adit_status failure);

/* Appends a whole response: Cache-Control: no-store, nosniff, a CSP that allows nothing but the
 * page's own style, Adit-Error, Retry-After for 429 and 503, Content-Length. LIMIT without room;
 * then nothing was appended. */
struct adit_status adit_http_error_write(struct adit_writer *writer, enum adit_http_error error,
                                         const struct adit_http_error_form *form);

/* Appends a whole 308 to https://HOST[:port]TARGET and closes. 443 is left out. `host` and `target`
 * are those of a request that was judged good; of an absolute target the path is taken. */
struct adit_status adit_http_redirect_write(struct adit_writer *writer, struct adit_bytes host,
                                            uint16_t port, struct adit_bytes target);

#endif
