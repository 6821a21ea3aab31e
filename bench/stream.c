#include "stream.h"

#include "common.h"

enum { PORTS_OF_A_SOURCE = 20000 }; /* of the 28,232 ephemeral ports of an address */

/* OpenSSL hands over a reference of its own to the ticket. */
static int keep_session(SSL *tls, SSL_SESSION *session)
{
    struct stream_target *target = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));
    SSL_SESSION_free(target->session);
    target->session = session;
    return 1;
}

void stream_target_tls(struct stream_target *target, const char *host, bool has_resumption)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    int groups[] = {NID_X25519, NID_X9_62_prime256v1};
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls || SSL_CTX_set_alpn_protos(tls, protocols, sizeof protocols - 1) != 0 ||
        SSL_CTX_set_ciphersuites(tls, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_set1_groups(tls, groups, ADIT_COUNT(groups)) != 1) {
        bench_die("a TLS context");
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_read_ahead(tls, 1); /* one receive for a record, not two */
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_quiet_shutdown(tls, 1);
    SSL_CTX_set_app_data(tls, target);
    if (has_resumption) {
        SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(tls, keep_session);
    }
    int len = snprintf(target->name, sizeof target->name, "%s", host);
    if (len < 0 || (size_t)len >= sizeof target->name) {
        bench_die("a host that is too long");
    }
    target->tls = tls;
    target->has_resumption = has_resumption;
}

static bool begin_tls(struct stream *stream, struct stream_target *target)
{
    stream->tls = SSL_new(target->tls);
    if (!stream->tls || SSL_set_fd(stream->tls, stream->fd) != 1 ||
        SSL_set_tlsext_host_name(stream->tls, target->name) != 1) {
        return false;
    }
    SSL_set_connect_state(stream->tls);
    return !target->session || SSL_set_session(stream->tls, target->session) == 1;
}

int stream_open(struct stream *stream, struct stream_target *target)
{
    const int one = 1;
    *stream = (struct stream){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (stream->fd <= 0) {
        bench_die("socket");
    }
    if (setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        (target->tls && !begin_tls(stream, target))) {
        bench_die("a visitor's socket");
    }
    if (target->has_many_sources) {
        uint32_t source = INADDR_LOOPBACK + 1 + target->opened / PORTS_OF_A_SOURCE;
        const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
        if (setsockopt(stream->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) != 0 ||
            bind(stream->fd, (const void *)&from, sizeof from) != 0) {
            bench_die("another source address");
        }
    }
    target->opened++;
    if (connect(stream->fd, (const void *)&target->address, sizeof target->address) == 0) {
        return 0;
    }
    return errno == EINPROGRESS ? STREAM_WAIT : STREAM_ERROR;
}

int stream_opened(struct stream *stream)
{
    int error = 0;
    socklen_t size = sizeof error;
    bool is_open = getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    return is_open ? 0 : STREAM_ERROR;
}

/* What a call of the library that did not succeed comes to. */
static int tls_trouble(struct stream *stream, int result)
{
    int trouble = SSL_get_error(stream->tls, result);
    if (trouble == SSL_ERROR_WANT_READ || trouble == SSL_ERROR_WANT_WRITE) {
        return STREAM_WAIT;
    }
    ERR_clear_error();
    return trouble == SSL_ERROR_ZERO_RETURN ? STREAM_END : STREAM_ERROR;
}

int stream_shake(struct stream *stream)
{
    if (!stream->tls) {
        return 0;
    }
    int result = SSL_do_handshake(stream->tls);
    if (result == 1) {
        return 0;
    }
    return tls_trouble(stream, result) == STREAM_WAIT ? STREAM_WAIT : STREAM_ERROR;
}

ssize_t stream_send(struct stream *stream, struct adit_bytes bytes)
{
    if (stream->tls) {
        int put = SSL_write(stream->tls, bytes.ptr, (int)bytes.len);
        return put > 0 ? put : tls_trouble(stream, put);
    }
    ssize_t put = send(stream->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (put >= 0) {
        return put;
    }
    return errno == EAGAIN ? STREAM_WAIT : STREAM_ERROR;
}

ssize_t stream_receive(struct stream *stream, struct adit_span span)
{
    if (stream->tls) {
        int got = SSL_read(stream->tls, span.ptr, (int)span.len);
        return got > 0 ? got : tls_trouble(stream, got);
    }
    ssize_t got = recv(stream->fd, span.ptr, span.len, 0);
    if (got > 0) {
        return got;
    }
    if (got == 0) {
        return STREAM_END;
    }
    return errno == EAGAIN ? STREAM_WAIT : STREAM_ERROR;
}

bool stream_has_more(const struct stream *stream)
{
    return stream->tls && SSL_has_pending(stream->tls) == 1;
}

bool stream_is_resumed(const struct stream *stream)
{
    return stream->tls && SSL_session_reused(stream->tls) == 1;
}

void stream_close(struct stream *stream)
{
    if (stream->tls) {
        /* Without this the library takes the session for a broken one. */
        SSL_set_shutdown(stream->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(stream->tls);
    }
    if (stream->fd > 0) {
        close(stream->fd);
    }
    *stream = (struct stream){0};
}
