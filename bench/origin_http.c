#include "origin.h"

#include "answer.h"

enum { BULK_BLOCK = 32 * 1024, PART_MAX = 8192 };

static bool send_whole(int fd, struct adit_bytes bytes)
{
    return send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len;
}

static const char *ending(const struct connection *connection)
{
    return connection->is_last ? "Connection: close\r\n" : "";
}

/* A whole answer of `body` bytes, at most ORIGIN_BODY_MAX. */
static bool answer(struct origin *origin, int fd, size_t body)
{
    static const char kept[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    bool is_last = connection->is_last;
    connection->mode = ORIGIN_HTTP;
    if (body == 2 && !is_last) {
        return send_whole(fd, adit_object_bytes(kept, sizeof kept - 1));
    }
    char head[PART_MAX];
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n%s"
                       "Content-Length: %zu\r\n\r\n",
                       ending(connection), body);
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(origin->text));
    if (len < 0 || !adit_is_ok(adit_write_bytes(&writer, adit_object_bytes(head, (size_t)len)))) {
        return false;
    }
    adit_span_fill(adit_span_first(adit_span_from(ADIT_SPAN_OF(origin->text), (size_t)len), body),
                   'x');
    return send_whole(fd, adit_bytes_first(ADIT_BYTES_OF(origin->text), (size_t)len + body)) &&
           !is_last;
}

/* The number that ends at a '/' or at the end; moves past it. */
static bool take_number(struct adit_bytes *path, uint64_t max, uint64_t *out_number)
{
    size_t end = adit_bytes_find(*path, '/');
    bool is_number = adit_is_ok(adit_parse_decimal(adit_bytes_first(*path, end), max, out_number));
    *path = adit_bytes_from(*path, end + 1);
    return is_number;
}

static bool begin_bulk(struct origin *origin, int fd, struct adit_bytes path)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    uint64_t block = BULK_BLOCK;
    char head[PART_MAX];
    if (!take_number(&path, 1ull << 40, &connection->count) ||
        (path.len > 0 && !take_number(&path, BENCH_BLOCK_BYTES, &block)) || block == 0) {
        return false;
    }
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n%s"
                       "Content-Length: %llu\r\n\r\n",
                       ending(connection), (unsigned long long)connection->count);
    connection->mode = ORIGIN_BULK;
    connection->block = (uint32_t)block;
    origin_watch(origin, fd, EPOLLOUT);
    return len > 0 && send_whole(fd, adit_object_bytes(head, (size_t)len));
}

/* RFC 6455 section 4.2.2: the key and a fixed text, hashed, as base64. */
static bool upgrade(struct connection *connection, int fd, struct adit_bytes key)
{
    static const struct adit_bytes parts[] = {
        ADIT_BYTES_INIT("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"),
        ADIT_BYTES_INIT("Upgrade: websocket\r\nSec-WebSocket-Accept: "),
    };
    uint8_t text[128] = {0}, digest[EVP_MAX_MD_SIZE] = {0}, encoded[64] = {0}, head[256] = {0};
    unsigned digest_len = 0;
    struct adit_writer in = adit_writer_of(ADIT_SPAN_OF(text));
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(head));
    struct adit_bytes fixed = ADIT_BYTES("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    if (!adit_is_ok(adit_write_bytes(&in, key)) || !adit_is_ok(adit_write_bytes(&in, fixed)) ||
        EVP_Digest(text, adit_writer_bytes(&in).len, digest, &digest_len, EVP_sha1(), NULL) != 1) {
        return false;
    }
    int len = EVP_EncodeBlock(encoded, digest, (int)digest_len);
    for (size_t i = 0; i < ADIT_COUNT(parts); i++) {
        adit_status_ignore(adit_write_bytes(&out, ADIT_AT(parts, i)), "it has room");
    }
    adit_status_ignore(adit_write_bytes(&out, adit_object_bytes(encoded, (size_t)len)), "so here");
    adit_status_ignore(adit_write_bytes(&out, ADIT_BYTES("\r\n\r\n")), "it has room");
    connection->mode = ORIGIN_WEBSOCKET;
    return send_whole(fd, adit_writer_bytes(&out));
}

/* A whole head. */
static bool request(struct origin *origin, int fd, struct adit_bytes head)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    struct adit_bytes line = adit_bytes_first(head, adit_bytes_find(head, '\r'));
    struct adit_bytes path = adit_bytes_from(line, adit_bytes_find(line, ' ') + 1);
    path = adit_bytes_first(path, adit_bytes_find(path, ' '));
    struct adit_bytes fields = adit_bytes_from(head, line.len + 2);
    struct adit_bytes key = head_field(fields, ADIT_BYTES("sec-websocket-key"));
    uint64_t body = 2;
    connection->is_last =
        adit_bytes_equal_nocase(head_field(fields, ADIT_BYTES("connection")), ADIT_BYTES("close"));
    if (key.len > 0) {
        return upgrade(connection, fd, key);
    }
    if (adit_bytes_starts_with(line, ADIT_BYTES("POST "))) {
        struct adit_bytes length = head_field(fields, ADIT_BYTES("content-length"));
        connection->mode = ORIGIN_SINK;
        return adit_is_ok(adit_parse_decimal(length, 1ull << 40, &connection->count)) &&
               (connection->count > 0 || answer(origin, fd, 2));
    }
    if (adit_bytes_starts_with(path, ADIT_BYTES("/bulk/"))) {
        return begin_bulk(origin, fd, adit_bytes_from(path, 6));
    }
    adit_status_ignore(adit_parse_decimal(adit_bytes_from(path, 1), ORIGIN_BODY_MAX, &body),
                       "any other path gets two bytes");
    if (body == 2 && !connection->is_last &&
        adit_is_ok(adit_span_copy(ADIT_SPAN_OF(origin->known_head), head))) {
        origin->known = head.len;
    }
    return answer(origin, fd, (size_t)body);
}

/* Sends a masked frame back without its mask. */
static bool echo(struct origin *origin, int fd, struct adit_bytes frame, size_t head)
{
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(origin->text));
    struct adit_bytes mask = adit_bytes_first(adit_bytes_from(frame, head - 4), 4);
    struct adit_bytes payload = adit_bytes_from(frame, head);
    uint8_t first = adit_bytes_at(frame, 0);
    bool is_close = (first & 0xf) == 8, is_ping = (first & 0xf) == 9;
    adit_status_ignore(adit_write_u8(&writer, is_ping ? 0x8a : first), "it has room");
    if (payload.len < 126) {
        adit_status_ignore(adit_write_u8(&writer, (uint8_t)payload.len), "it has room");
    } else {
        adit_status_ignore(adit_write_u8(&writer, 126), "it has room");
        adit_status_ignore(adit_write_u16(&writer, (uint16_t)payload.len), "it has room");
    }
    for (size_t i = 0; i < payload.len; i++) {
        uint8_t byte = adit_bytes_at(payload, i) ^ adit_bytes_at(mask, i % 4);
        adit_status_ignore(adit_write_u8(&writer, byte), "frames are bounded");
    }
    return send_whole(fd, adit_writer_bytes(&writer)) && !is_close;
}

/* Takes one frame from the front; its length in *out_taken, 0 where it is not whole. */
static bool take_frame(struct origin *origin, int fd, struct adit_bytes bytes, size_t *out_taken)
{
    *out_taken = 0;
    if (bytes.len < 4) {
        return true;
    }
    size_t length = adit_bytes_at(bytes, 1) & 0x7f;
    size_t head = length == 126 ? 8 : 6;
    if (length == 126) {
        length = (size_t)(adit_bytes_at(bytes, 2) << 8 | adit_bytes_at(bytes, 3));
    }
    if ((adit_bytes_at(bytes, 1) & 0x80) == 0 || length == 127 || length > ORIGIN_BODY_MAX) {
        return false;
    }
    if (bytes.len < head + length) {
        return true;
    }
    *out_taken = head + length;
    return echo(origin, fd, adit_bytes_first(bytes, head + length), head);
}

/* One step from the front of the bytes; *out_taken 0: more is needed. */
static bool take_some(struct origin *origin, int fd, struct adit_bytes bytes, size_t *out_taken)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    *out_taken = 0;
    switch (connection->mode) {
    case ORIGIN_HTTP:
        if (origin->known > 0 &&
            adit_bytes_starts_with(bytes, adit_bytes_first(ADIT_BYTES_OF(origin->known_head),
                                                           origin->known))) {
            *out_taken = origin->known;
            return answer(origin, fd, 2);
        }
        *out_taken = head_length(bytes);
        return *out_taken == 0 || request(origin, fd, adit_bytes_first(bytes, *out_taken));
    case ORIGIN_SINK:
        *out_taken = adit_min_size(bytes.len, connection->count);
        connection->count -= *out_taken;
        return connection->count > 0 || answer(origin, fd, 2);
    case ORIGIN_WEBSOCKET:
        return take_frame(origin, fd, bytes, out_taken);
    case ORIGIN_BULK: /* a request before the last answer has gone: nobody here does that */
    case ORIGIN_NEW:
    case ORIGIN_DOWN:
    case ORIGIN_UP:
    case ORIGIN_ENDED:
        return false;
    }
    return false;
}

bool origin_take(struct origin *origin, int fd, struct adit_bytes bytes)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    size_t before = connection->held, taken = 1;
    if (before > 0) { /* a head or a frame that was not whole */
        struct adit_span room = adit_span_from(ADIT_SPAN_OF(connection->bytes), before);
        struct adit_bytes part = adit_bytes_first(bytes, room.len);
        adit_status_ignore(adit_span_copy(room, part), "it was cut to fit");
        connection->held = before + part.len;
        if (!take_some(origin, fd, adit_bytes_first(ADIT_BYTES_OF(connection->bytes),
                                                    connection->held), &taken)) {
            return false;
        }
        if (taken == 0) {
            return part.len == bytes.len;
        }
        connection->held = 0;
        bytes = adit_bytes_from(bytes, taken - before);
    }
    while (bytes.len > 0 && taken > 0) {
        if (!take_some(origin, fd, bytes, &taken)) {
            return false;
        }
        bytes = adit_bytes_from(bytes, taken);
    }
    connection->held = bytes.len;
    return adit_is_ok(adit_span_copy(ADIT_SPAN_OF(connection->bytes), bytes));
}
