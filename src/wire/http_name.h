/* HTTP name: the field names that we ask for, told apart once, when a field is parsed: later
 * questions compare numbers. What a name means is src/http. Pure. */
#ifndef ADIT_WIRE_HTTP_NAME_H
#define ADIT_WIRE_HTTP_NAME_H

#include "base/bytes.h"

/* ROW(NAME, place, text): the place is what http_name.c makes of the length, the first and the last
 * letter. No two have one place, which the test shows; 0 is nobody's. */
#define ADIT_HTTP_NAME_TABLE(ROW)                                                               \
    ROW(KEEP_ALIVE, 3, "keep-alive")                                                            \
    ROW(PROXY_CONNECTION, 5, "proxy-connection")                                                \
    ROW(SEC_WEBSOCKET_KEY, 6, "sec-websocket-key")                                              \
    ROW(PROXY_AUTHORIZATION, 8, "proxy-authorization")                                          \
    ROW(SEC_WEBSOCKET_VERSION, 19, "sec-websocket-version")                                     \
    ROW(TE, 22, "te")                                                                           \
    ROW(CONNECTION, 24, "connection")                                                           \
    ROW(TRUE_CLIENT_IP, 25, "true-client-ip")                                                   \
    ROW(PROXY_AUTHENTICATE, 26, "proxy-authenticate")                                           \
    ROW(TRAILER, 28, "trailer")                                                                 \
    ROW(UPGRADE, 30, "upgrade")                                                                 \
    ROW(X_REAL_IP, 32, "x-real-ip")                                                             \
    ROW(CLIENT_IP, 33, "client-ip")                                                             \
    ROW(X_CLIENT_IP, 34, "x-client-ip")                                                         \
    ROW(ADIT_ERROR, 38, "adit-error")                                                           \
    ROW(CF_CONNECTING_IP, 40, "cf-connecting-ip")                                               \
    ROW(X_CLUSTER_CLIENT_IP, 42, "x-cluster-client-ip")                                         \
    ROW(ACCEPT, 44, "accept")                                                                   \
    ROW(FORWARDED, 46, "forwarded")                                                             \
    ROW(TRANSFER_ENCODING, 47, "transfer-encoding")                                             \
    ROW(FASTLY_CLIENT_IP, 49, "fastly-client-ip")                                               \
    ROW(EXPECT, 56, "expect")                                                                   \
    ROW(CONTENT_LENGTH, 62, "content-length")                                                   \
    ROW(HOST, 63, "host")

#define ADIT_HTTP_NAME_PLACES 64

enum adit_http_name {
    ADIT_HTTP_NAME_OTHER = 0,
#define ADIT_HTTP_NAME_ENUM(NAME, place, text) ADIT_HTTP_NAME_##NAME = (place),
    ADIT_HTTP_NAME_TABLE(ADIT_HTTP_NAME_ENUM)
#undef ADIT_HTTP_NAME_ENUM
};

/* Which one it is, in any case of its letters; OTHER for all that are not in the table. */
enum adit_http_name adit_http_name_of(struct adit_bytes name);

/* A set of names: one bit each. */
static inline uint64_t adit_http_name_bit(enum adit_http_name name)
{
    return UINT64_C(1) << ((unsigned)name & (ADIT_HTTP_NAME_PLACES - 1));
}

#endif
