/* Credentials: a development CA in a folder of the test's own, and both ends' TLS from it. */
#ifndef ADIT_TESTS_CREDENTIALS_H
#define ADIT_TESTS_CREDENTIALS_H

#include "unit.h"
/* then */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/devca.h"
#include "net/tls.h"

struct credentials {
    char folder[40];
    struct adit_tls_context *server_tls, *client_tls;
};

static inline void credentials_path(const struct credentials *credentials, const char *name,
                                    struct adit_span out)
{
    assert_ok(adit_path_join(out, adit_bytes_of_text(credentials->folder),
                             adit_bytes_of_text(name)));
}

static inline int credentials_file(const struct credentials *credentials, const char *name)
{
    uint8_t path[128] = {0};
    credentials_path(credentials, name, ADIT_SPAN_OF(path));
    int fd = open((const char *)path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static inline void credentials_read(const struct credentials *credentials, const char *name,
                                    struct adit_writer *writer)
{
    int fd = credentials_file(credentials, name);
    assert_ok(adit_file_read_fd(fd, writer));
    close(fd);
}

static inline void credentials_open(struct credentials *credentials)
{
    uint8_t ca[4096] = {0};
    uint8_t pem[4096] = {0};
    uint8_t key[4096] = {0};
    struct adit_writer ca_text = adit_writer_of(ADIT_SPAN_OF(ca));
    struct adit_writer pem_text = adit_writer_of(ADIT_SPAN_OF(pem));
    struct adit_writer key_text = adit_writer_of(ADIT_SPAN_OF(key));
    *credentials = (struct credentials){0};
    strcpy(credentials->folder, "/tmp/adit-test-XXXXXX");
    assert_non_null(mkdtemp(credentials->folder));
    assert_ok(
        adit_devca_ensure(adit_bytes_of_text(credentials->folder), ADIT_BYTES("adit.localhost")));
    credentials_read(credentials, "ca.pem", &ca_text);
    credentials_read(credentials, "server.pem", &pem_text);
    credentials_read(credentials, "server.key", &key_text);
    const struct adit_tls_server_options server = {.certificate_pem = adit_writer_bytes(&pem_text),
                                                   .key_pem = adit_writer_bytes(&key_text),
                                                   .alpn = ADIT_BYTES("adit/1")};
    const struct adit_tls_client_options client = {.roots_pem = adit_writer_bytes(&ca_text),
                                                   .alpn = ADIT_BYTES("adit/1")};
    assert_ok(adit_tls_server_open(&server, &credentials->server_tls));
    assert_ok(adit_tls_client_open(&client, &credentials->client_tls));
}

static inline void credentials_close(struct credentials *credentials)
{
    static const char *const names[] = {"ca.pem", "ca.key", "server.pem", "server.key",
                                        "token.key"};
    adit_tls_context_close(&credentials->server_tls);
    adit_tls_context_close(&credentials->client_tls);
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        uint8_t path[128] = {0};
        credentials_path(credentials, ADIT_AT(names, i), ADIT_SPAN_OF(path));
        unlink((const char *)path);
    }
    rmdir(credentials->folder);
}

#endif
