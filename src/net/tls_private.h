/* TLS, private: what the files of TLS share. OpenSSL objects are owned by ours. */
#ifndef ADIT_NET_TLS_PRIVATE_H
#define ADIT_NET_TLS_PRIVATE_H

#include "net/tls.h"
#include "net/tls_algorithms.h"

#define ADIT_TLS_ALPN_MAX 32 /* bytes of a protocol name */

struct adit_tls_context {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *provider; /* null where the algorithms are few */
    struct adit_tls_algorithms algorithms; /* the opposite */
    SSL_CTX *ssl_context;
    BIO_METHOD *bio_method;
    EVP_CIPHER *ticket_cipher; /* visitors: null else */
    EVP_MD *name_digest;       /* the same */
    struct adit_tls_ticket_keys tickets;
    int keylog_fd; /* -1: none */
    bool is_server;
    bool is_visitor;
    uint32_t references; /* the opener's, and one a connection: a reload keeps the old one alive */
    uint8_t alpn[1 + ADIT_TLS_ALPN_MAX]; /* length and name, as on the wire */
    size_t alpn_len;                     /* 0: no ALPN */
};

struct adit_tls {
    struct adit_tls_context *context;
    struct adit_chunk_pool *pool;
    SSL *ssl;
    struct adit_queue out;
    struct adit_bytes in; /* ciphertext that OpenSSL has not taken yet */
    size_t bytes_max;
    uint64_t read_total;      /* plaintext bytes */
    struct adit_status late;  /* a failure that the next read tells: good bytes came before it */
    uint64_t late_messages;   /* handshake messages received after the handshake */
    uint32_t records_written; /* since the last key update */
    bool is_done;             /* the handshake is over */
    bool is_broken;           /* a failure was returned: nothing works any more */
    bool is_flooded;
    bool is_finished; /* close_notify is queued */
};

void adit_tls_context_release(struct adit_tls_context *context);

/* The name of the protocol, without its length. */
static inline struct adit_bytes adit_tls_context_alpn(const struct adit_tls_context *context)
{
    return adit_bytes_from(adit_bytes_first(ADIT_BYTES_OF(context->alpn), context->alpn_len), 1);
}

/* tls_begin.c: before the first use of OpenSSL, any number of times; what the first call in a
 * process said stays. No configuration file: what the process does is what net says. No sentences
 * for error codes: nobody reads them, and failures have their own. */
struct adit_status adit_tls_begin(void);
/* The same for a process that only dials: without the tables of every cipher and digest by each of
 * its names, which take a fifth of an agent's start. It has the digests that sign certificates.
 * What is fetched, as TLS 1.3 does, is not in those tables. */
struct adit_status adit_tls_begin_small(void);

/* tls_visitor.c: what a server for browsers has beyond one for agents. */
struct adit_status adit_tls_visitor_configure(struct adit_tls_context *context);

/* One handshake of a server in memory (where it is_visitor: of each version, and resumed), so that
 * what OpenSSL loads late is loaded before a sandbox closes. Of a client: whether it could begin
 * one, and the one file that it would read late. */
struct adit_status adit_tls_rehearse(struct adit_tls_context *context);

/* The functions of tls.c behind the BIO. */
int adit_tls_bio_read(BIO *bio, char *out, size_t size, size_t *out_count);
int adit_tls_bio_write(BIO *bio, const char *bytes, size_t size, size_t *out_count);
long adit_tls_bio_control(BIO *bio, int command, long number, void *pointer);

#endif
