#include "pair_library.h"

static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *out_len)
{
    struct pair_library *library = BIO_get_data(bio);
    struct adit_bytes sealed = {.ptr = (const uint8_t *)bytes, .len = len};
    if (!adit_is_ok(adit_span_copy(adit_span_from(library->out, library->sent), sealed))) {
        bench_die("a record is too long");
    }
    library->sent += len;
    *out_len = len;
    return 1;
}

static int bio_read(BIO *bio, char *bytes, size_t len, size_t *out_len)
{
    struct pair_library *library = BIO_get_data(bio);
    struct adit_bytes next = adit_bytes_first(library->in, len);
    struct adit_span room = {.ptr = (uint8_t *)bytes, .len = len};
    *out_len = next.len;
    library->in = adit_bytes_from(library->in, next.len);
    return next.len > 0 && adit_is_ok(adit_span_copy(room, next));
}

static long bio_control(BIO *bio, int command, long number, void *more)
{
    (void)bio;
    (void)number;
    (void)more;
    return command == BIO_CTRL_FLUSH;
}

void pair_library_begin(struct pair_library *library, SSL *tls)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7d, "pair");
    BIO *bio = method && BIO_meth_set_read_ex(method, bio_read) == 1 &&
                       BIO_meth_set_write_ex(method, bio_write) == 1 &&
                       BIO_meth_set_ctrl(method, bio_control) == 1
                   ? BIO_new(method)
                   : NULL;
    if (!bio) {
        bench_die("a BIO");
    }
    BIO_set_data(bio, library);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls, bio, bio);
    library->tls = tls;
}

size_t pair_library_seal(struct pair_library *library, struct adit_bytes plain,
                         struct adit_span record)
{
    size_t written = 0;
    library->out = record;
    library->sent = 0;
    if (SSL_write_ex(library->tls, plain.ptr, plain.len, &written) != 1 || written != plain.len) {
        bench_die("a record is not sealed");
    }
    return library->sent;
}

struct adit_bytes pair_library_open(struct pair_library *library, struct adit_bytes record,
                                    struct adit_span plain)
{
    size_t got = 0;
    library->in = record;
    if (SSL_read_ex(library->tls, plain.ptr, plain.len, &got) != 1 || library->in.len > 0) {
        bench_die("a record is not genuine");
    }
    return adit_bytes_first(adit_span_bytes(plain), got);
}
