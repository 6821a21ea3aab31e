/* Any bytes, in pieces of a size that the first byte chooses, to a server, for agents or for
 * browsers, or a client, before or after a real handshake: no crash, no leak, no error left behind,
 * and a failure is final. */
#include "net/certificate.h"
#include "net/tls_private.h"

#include "fuzz.h"

#define PIECES_MAX 4096

struct world {
    struct adit_chunk_pool pool;
    struct adit_tls_context *server_context, *client_context;
    struct adit_tls_context *visited_context, *visitor_context; /* the same for browsers */
    struct adit_tls *server, *client;
};

static void contexts_open(struct world *world)
{
    struct adit_certificate certificate = {0};
    const struct adit_certificate_options options = {
        .common_name = ADIT_BYTES_INIT("fuzz"), .days = 1};
    uint8_t pem_room[4096];
    uint8_t key_room[4096];
    struct adit_writer pem = adit_writer_of(ADIT_SPAN_OF(pem_room));
    struct adit_writer key = adit_writer_of(ADIT_SPAN_OF(key_room));
    ADIT_ASSERT(adit_is_ok(adit_certificate_make(&options, &certificate)));
    ADIT_ASSERT(adit_is_ok(adit_certificate_write(&certificate, &pem)));
    ADIT_ASSERT(adit_is_ok(adit_certificate_write_key(&certificate, &key)));
    struct adit_tls_server_options server = {.certificate_pem = adit_writer_bytes(&pem),
                                             .key_pem = adit_writer_bytes(&key),
                                             .alpn = ADIT_BYTES_INIT("adit/1")};
    struct adit_tls_client_options client = {.roots_pem = adit_writer_bytes(&pem),
                                             .alpn = ADIT_BYTES_INIT("adit/1")};
    ADIT_ASSERT(adit_is_ok(adit_tls_server_open(&server, &world->server_context)));
    ADIT_ASSERT(adit_is_ok(adit_tls_client_open(&client, &world->client_context)));
    server.is_visitor = true;
    server.alpn = ADIT_BYTES("http/1.1");
    client.alpn = ADIT_BYTES("http/1.1");
    ADIT_ASSERT(adit_is_ok(adit_tls_server_open(&server, &world->visited_context)));
    ADIT_ASSERT(adit_is_ok(adit_tls_client_open(&client, &world->visitor_context)));
    adit_certificate_drop(&certificate);
    adit_chunk_pool_init(&world->pool, 64, 8);
}

static void carry(struct world *world, struct adit_tls *from, struct adit_tls *to)
{
    while (adit_tls_out(from)->len > 0) {
        struct adit_bytes front = adit_queue_front(adit_tls_out(from));
        bool is_done = false;
        adit_tls_input_set(to, front);
        ADIT_ASSERT(adit_is_ok(adit_tls_handshake(to, &is_done)));
        if (is_done) {
            uint8_t room[64];
            size_t count = 0;
            bool is_end = false;
            ADIT_ASSERT(adit_is_ok(adit_tls_read(to, ADIT_SPAN_OF(room), &count, &is_end)));
        }
        adit_queue_drop(adit_tls_out(from), &world->pool, front.len);
    }
}

static void shake_hands(struct world *world)
{
    bool is_done = false;
    ADIT_ASSERT(adit_is_ok(adit_tls_handshake(world->client, &is_done)));
    for (int i = 0; i < 4; i++) {
        carry(world, world->client, world->server);
        carry(world, world->server, world->client);
    }
    ADIT_ASSERT(adit_is_ok(adit_tls_handshake(world->client, &is_done)) && is_done);
}

/* One piece; false once the connection has failed. */
static bool feed(struct adit_tls *tls, struct adit_bytes piece)
{
    bool is_done = false;
    bool is_end = false;
    size_t count = 1;
    uint8_t room[100];
    adit_tls_input_set(tls, piece);
    struct adit_status status = adit_tls_handshake(tls, &is_done);
    while (adit_is_ok(status) && is_done && count > 0) {
        status = adit_tls_read(tls, ADIT_SPAN_OF(room), &count, &is_end);
    }
    ADIT_ASSERT(ERR_peek_error() == 0);
    if (adit_is_ok(status)) {
        return true;
    }
    ADIT_ASSERT(adit_tls_room(tls) == 0);
    ADIT_ASSERT(!adit_is_ok(adit_tls_handshake(tls, &is_done)));
    ADIT_ASSERT(!adit_is_ok(adit_tls_write(tls, ADIT_BYTES("x"))));
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world; /* the contexts are made once: each rehearses a handshake */
    if (!world.server_context) {
        contexts_open(&world);
    }
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint8_t choice = fuzz_byte(&input);
    bool is_visit = (choice & 0x80) != 0;
    ADIT_ASSERT(adit_is_ok(
        adit_tls_open(is_visit ? world.visited_context : world.server_context, &world.pool, 65536,
                      (struct adit_bytes){0}, &world.server)));
    ADIT_ASSERT(adit_is_ok(
        adit_tls_open(is_visit ? world.visitor_context : world.client_context, &world.pool, 65536,
                      ADIT_BYTES("localhost"), &world.client)));
    struct adit_tls *target = (choice & 1) ? world.client : world.server;
    if (choice & 2) {
        shake_hands(&world);
    }
    size_t piece_size = (size_t)(choice >> 2) * 8 + 1;
    for (int i = 0; i < PIECES_MAX && input.rest.len > 0; i++) {
        struct adit_bytes piece = adit_bytes_first(input.rest, piece_size);
        input.rest = adit_bytes_from(input.rest, piece.len);
        if (!feed(target, piece)) {
            break;
        }
    }
    adit_tls_finish(target);
    adit_tls_close(&world.server);
    adit_tls_close(&world.client);
    ADIT_ASSERT(world.pool.used == 0);
    return 0;
}
