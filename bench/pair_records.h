/* Records: TLS 1.3 as the bare pair speaks it. The library shakes hands, with AES-128-GCM, and its
 * ciphers are used; records are sealed and opened in place, without the library's own buffers and
 * copies, so nothing over TLS 1.3 can cost less with this library (RFC 8446 sections 5.2, 7.3); or,
 * if asked for, by the library's record layer, so that what that costs can be told apart. */
#ifndef ADIT_BENCH_PAIR_RECORDS_H
#define ADIT_BENCH_PAIR_RECORDS_H

#include "common.h"
#include "pair_library.h"

enum {
    RECORDS_HEAD = 5,
    RECORDS_PLAIN_MAX = 16384,
    RECORDS_TAG = 16,
    RECORDS_TAIL = 1 + RECORDS_TAG, /* the type, sealed too, and the tag */
    RECORDS_MAX = RECORDS_HEAD + RECORDS_PLAIN_MAX + RECORDS_TAIL,
    RECORDS_NONCE = 12,
};

/* One direction. */
struct records {
    EVP_CIPHER_CTX *cipher;
    uint8_t nonce[RECORDS_NONCE];
    uint64_t number; /* of the next record */
    struct pair_library *library; /* NULL: sealed and opened here */
};

/* Shakes hands over a blocking socket. `library`: NULL, or whose record layer goes on then. */
void records_shake(int fd, bool is_server, struct pair_library *library, struct records *out_seal,
                   struct records *out_open);

/* `record` begins with room for the head, then `plain` bytes, then room for the tail. */
void records_seal(struct records *seal, struct adit_span record, size_t plain);

/* How long the record is that begins there, head and all. 0: its head is not whole. */
size_t records_len(struct adit_bytes bytes);

/* What was in a whole record, in its place. */
struct adit_bytes records_open(struct records *open, struct adit_span record);

#endif
