/* TLS: OpenSSL over memory. Ciphertext comes in as views and leaves through a queue of chunks; this
 * module touches no socket. A BIO of our own stands in between, so that a turn's plaintext becomes
 * full 16 KiB records and one send.
 *
 * Each process makes its own OSSL_LIB_CTX, before its sandbox closes; nothing is shared. TLS 1.3
 * only on the agent link, 1.2 (ECDHE and AEAD alone) for visitors too; early data and renegotiation
 * never, SSL_MODE_RELEASE_BUFFERS always (an idle connection keeps about 14 KiB). Certificates of
 * the server are always verified: chain and name.
 *
 * Process: worker (server side), agent (client side). */
#ifndef ADIT_NET_TLS_H
#define ADIT_NET_TLS_H

#include "base/base.h"

#define ADIT_TLS_RECORD_BYTES 16384 /* plaintext of a full record */

struct adit_tls_context; /* configuration: certificate and key, or trusted roots */
struct adit_tls;         /* one connection */

struct adit_tls_server_options {
    struct adit_bytes certificate_pem; /* leaf first, then the chain */
    struct adit_bytes key_pem;
    struct adit_bytes alpn; /* the one protocol that is accepted: "adit/1"; others get an alert */
    /* For browsers: TLS 1.2 as well, a client that offers no ALPN at all, or http/1.0, is fine, and
     * sessions are resumed by tickets: see adit_tls_tickets_set. */
    bool is_visitor;
};

/* One key of session tickets: how a ticket names it, AES-256-CBC, HMAC-SHA-256. */
struct adit_tls_ticket_key {
    uint8_t name[16], aes[32], hmac[32];
};
#define ADIT_TLS_TICKET_KEY_BYTES 80

struct adit_tls_ticket_keys {
    struct adit_tls_ticket_key current;  /* seals new tickets */
    struct adit_tls_ticket_key previous; /* opens those before; they are renewed at that */
    bool has_previous;
};

struct adit_tls_client_options {
    struct adit_bytes roots_pem; /* trusted roots; empty: the system's */
    struct adit_bytes alpn;
    const char *keylog_path; /* SSLKEYLOGFILE, or null */
};

struct adit_status adit_tls_server_open(const struct adit_tls_server_options *options,
                                        struct adit_tls_context **out_context);
struct adit_status adit_tls_client_open(const struct adit_tls_client_options *options,
                                        struct adit_tls_context **out_context);

/* Connections that are still open keep what they need of it: a reload just makes a new one. */
void adit_tls_context_close(struct adit_tls_context **context);

/* The keys for tickets from now on, also of connections that are open already. A server that
 * is_visitor begins with a random key of its own. A ticket is good under the server name (SNI)
 * alone for which it was given: under another one there is a full handshake. */
void adit_tls_tickets_set(struct adit_tls_context *context,
                          const struct adit_tls_ticket_keys *keys);

/* The open key log, to be listed for a sandbox; -1: none. */
int adit_tls_context_keylog_fd(const struct adit_tls_context *context);

/* A connection. `pool` gives the chunks of the outgoing ciphertext (bytes_max of it at most).
 * `server_name` is checked against the certificate (client only; a name or an address). */
struct adit_status adit_tls_open(struct adit_tls_context *context, struct adit_chunk_pool *pool,
                                 size_t bytes_max, struct adit_bytes server_name,
                                 struct adit_tls **out_tls);
void adit_tls_close(struct adit_tls **tls);

/* Ciphertext waiting to be sent: read it with adit_queue_views, drop what was sent. */
struct adit_queue *adit_tls_out(struct adit_tls *tls);

/* Gives received ciphertext. It is used up by the following calls of handshake and read, which
 * must go on until they want more; the view must live until then. */
void adit_tls_input_set(struct adit_tls *tls, struct adit_bytes ciphertext);

/* Goes on with the handshake. *out_is_done once it is over. CRYPTO where the peer's certificate
 * does not verify or the handshake fails; an alert then waits in adit_tls_out: send it. REFUSED
 * where the server does not speak the protocol of the context. Where not done, call again after
 * more input, or when what waits in adit_tls_out was sent. */
struct adit_status adit_tls_handshake(struct adit_tls *tls, bool *out_is_done);

/* The sentence for a person why the certificate did not verify, or empty. */
struct adit_bytes adit_tls_verify_error(const struct adit_tls *tls);
struct adit_bytes adit_tls_alpn(const struct adit_tls *tls); /* the chosen protocol, or empty */

/* A failure of handshake, read or write is final: only adit_tls_out and close are of use then. */

/* Decrypts up to span.len bytes, of as many records as fit. 0 bytes and *out_is_end false: wants
 * more input. *out_is_end at close_notify, alone, after the last bytes. Input that ends without it
 * was cut: the caller sees the socket's end and no *out_is_end. Bytes that came before a failure
 * are given out first; the failure follows at the next call. */
struct adit_status adit_tls_read(struct adit_tls *tls, struct adit_span span, size_t *out_count,
                                 bool *out_is_end);

/* Encrypts all of `bytes` into adit_tls_out, in full records. FULL where the queue could not take
 * it all (check adit_tls_room first). */
struct adit_status adit_tls_write(struct adit_tls *tls, struct adit_bytes bytes);

/* Plaintext bytes that write is sure to take now. */
size_t adit_tls_room(const struct adit_tls *tls);

/* Queues close_notify. */
void adit_tls_finish(struct adit_tls *tls);

#endif
