#include "wire/client_hello.h"

#include "base/checked.h"

#define RECORD_HEADER 5
#define RECORD_PAYLOAD_MAX 16384 /* RFC 8446 section 5.1 */
#define HANDSHAKE_HEADER 4
#define TYPE_HANDSHAKE 22
#define TYPE_CLIENT_HELLO 1
#define EXTENSION_SERVER_NAME 0
#define EXTENSION_ALPN 16
#define EXTENSION_VERSIONS 43
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

/* The handshake bytes of the records seen so far, put together in `message`. */
struct gathered {
    struct adit_writer message;
    size_t missing; /* bytes of the last record that have not been seen */
};

/* Takes one record's header and what there is of its payload. */
static struct adit_status gather_record(struct adit_reader *records, struct gathered *gathered)
{
    uint8_t type = 0;
    uint8_t major = 0;
    uint8_t minor = 0;
    uint16_t length = 0;
    ADIT_TRY(adit_read_u8(records, &type));
    ADIT_TRY(adit_read_u8(records, &major));
    ADIT_TRY(adit_read_u8(records, &minor));
    ADIT_TRY(adit_read_u16(records, &length));
    ADIT_ENSURE(type == TYPE_HANDSHAKE && major == 3, INVALID, "a record of another kind");
    ADIT_ENSURE(length > 0, INVALID, "an empty handshake record");
    ADIT_ENSURE(length <= RECORD_PAYLOAD_MAX, LIMIT, "a TLS record over 16 KiB");
    size_t there = adit_min_size(length, records->rest.len);
    struct adit_bytes payload = {0};
    ADIT_TRY(adit_read_bytes(records, there, &payload));
    ADIT_TRY(adit_write_bytes(&gathered->message, payload));
    gathered->missing = length - there;
    return adit_ok();
}

/* Reads type and length of the handshake message as far as they are there. */
static struct adit_status read_header(struct adit_bytes message, size_t *want)
{
    struct adit_reader header = adit_reader_of(message);
    uint8_t type = TYPE_CLIENT_HELLO;
    uint32_t length = 0;
    if (message.len >= HANDSHAKE_HEADER) {
        ADIT_TRY(adit_read_u8(&header, &type));
        ADIT_TRY(adit_read_u24(&header, &length));
        *want = HANDSHAKE_HEADER + (size_t)length;
    } else if (message.len > 0) {
        ADIT_TRY(adit_read_u8(&header, &type));
    }
    ADIT_ENSURE(type == TYPE_CLIENT_HELLO, INVALID, "a handshake that does not begin with a hello");
    ADIT_ENSURE(*want <= ADIT_CLIENT_HELLO_BYTES_MAX, LIMIT, "a client hello over 16 KiB");
    return adit_ok();
}

/* The hello's body, once all of it is there: then `out_needed` is 0. Else it is a lower bound of
 * what must be seen, greater than seen.len and at most the limit. */
static struct adit_status gather(struct adit_bytes seen, struct gathered *gathered,
                                 struct adit_bytes *out_body, size_t *out_needed)
{
    struct adit_reader records = adit_reader_of(seen);
    size_t want = HANDSHAKE_HEADER;
    while (records.rest.len >= RECORD_HEADER && gathered->message.len < want) {
        ADIT_TRY(gather_record(&records, gathered));
        ADIT_TRY(read_header(adit_writer_bytes(&gathered->message), &want));
    }
    if (gathered->message.len >= want) {
        *out_needed = 0;
        return adit_bytes_slice(adit_writer_bytes(&gathered->message), HANDSHAKE_HEADER,
                                want - HANDSHAKE_HEADER, out_body);
    }
    size_t to_come = want - gathered->message.len;
    size_t needed = seen.len - records.rest.len + to_come;
    if (to_come > gathered->missing) {
        needed += RECORD_HEADER; /* of the next record: the rest may well come in one */
    }
    ADIT_ENSURE(needed <= ADIT_CLIENT_HELLO_BYTES_MAX, LIMIT, "a client hello over 16 KiB");
    *out_needed = needed;
    return adit_ok();
}

/* Reads a vector: its length in one or two bytes, then that many bytes. */
static struct adit_status read_vector_u8(struct adit_reader *reader, struct adit_bytes *out_bytes)
{
    uint8_t length = 0;
    ADIT_TRY(adit_read_u8(reader, &length));
    return adit_read_bytes(reader, length, out_bytes);
}

static struct adit_status read_vector_u16(struct adit_reader *reader, struct adit_bytes *out_bytes)
{
    uint16_t length = 0;
    ADIT_TRY(adit_read_u16(reader, &length));
    return adit_read_bytes(reader, length, out_bytes);
}

static bool is_host_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '.' || byte == '_';
}

/* Copies a host name in lower case, without the dot that some clients leave at its end. */
static struct adit_status host_name_set(struct adit_client_hello *hello, struct adit_bytes name)
{
    bool has_dot = name.len > 0 && adit_bytes_at(name, name.len - 1) == '.';
    struct adit_bytes host = adit_bytes_first(name, has_dot ? name.len - 1 : name.len);
    ADIT_ENSURE(host.len > 0 && host.len <= ADIT_SERVER_NAME_BYTES_MAX, INVALID,
                "a server name that is empty or over 255 bytes");
    uint8_t previous = '.';
    for (size_t i = 0; i < host.len; i++) {
        uint8_t byte = adit_bytes_at(host, i);
        byte = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
        ADIT_ENSURE(is_host_byte(byte), INVALID, "a server name with bytes that no name has");
        ADIT_ENSURE(byte != '.' || previous != '.', INVALID, "a server name with an empty label");
        ADIT_AT(hello->server_name.bytes, i) = byte;
        previous = byte;
    }
    ADIT_ENSURE(previous != '.', INVALID, "a server name with an empty label");
    hello->server_name.len = (uint16_t)host.len;
    hello->has_server_name = true;
    return adit_ok();
}

/* RFC 6066 section 3: a list, of which nobody ever sent anything but one host name (type 0). */
static struct adit_status read_server_name(struct adit_bytes data, struct adit_client_hello *hello)
{
    ADIT_ENSURE(!hello->has_server_name, INVALID, "two server name extensions");
    struct adit_reader reader = adit_reader_of(data);
    struct adit_bytes list = {0};
    ADIT_TRY(read_vector_u16(&reader, &list));
    ADIT_TRY(adit_read_end(&reader));
    struct adit_reader entries = adit_reader_of(list);
    uint8_t type = 0;
    struct adit_bytes name = {0};
    ADIT_TRY(adit_read_u8(&entries, &type));
    ADIT_TRY(read_vector_u16(&entries, &name));
    ADIT_TRY(adit_read_end(&entries));
    ADIT_ENSURE(type == 0, INVALID, "a server name that is no host name");
    return host_name_set(hello, name);
}

static struct adit_status read_alpn(struct adit_bytes data, struct adit_client_hello *hello)
{
    ADIT_ENSURE(!hello->has_alpn, INVALID, "two ALPN extensions");
    struct adit_reader reader = adit_reader_of(data);
    struct adit_bytes list = {0};
    ADIT_TRY(read_vector_u16(&reader, &list));
    ADIT_TRY(adit_read_end(&reader));
    ADIT_ENSURE(list.len > 0, INVALID, "an empty list of application protocols");
    struct adit_reader protocols = adit_reader_of(list);
    while (protocols.rest.len > 0) {
        struct adit_bytes protocol = {0};
        ADIT_TRY(read_vector_u8(&protocols, &protocol));
        ADIT_ENSURE(protocol.len > 0, INVALID, "an empty application protocol");
        hello->offers_agent |= adit_bytes_equal(protocol, ADIT_BYTES(ADIT_ALPN_AGENT));
        hello->offers_h2 |= adit_bytes_equal(protocol, ADIT_BYTES("h2"));
        hello->offers_http1 |= adit_bytes_equal(protocol, ADIT_BYTES("http/1.1")) ||
                               adit_bytes_equal(protocol, ADIT_BYTES("http/1.0"));
    }
    hello->has_alpn = true;
    return adit_ok();
}

/* The newest version of the list that exists; GREASE, drafts and the future do not count. */
static struct adit_status read_versions(struct adit_bytes data, bool *has_versions,
                                        struct adit_client_hello *hello)
{
    ADIT_ENSURE(!*has_versions, INVALID, "two version extensions");
    struct adit_reader reader = adit_reader_of(data);
    struct adit_bytes list = {0};
    ADIT_TRY(read_vector_u8(&reader, &list));
    ADIT_TRY(adit_read_end(&reader));
    ADIT_ENSURE(list.len > 0, INVALID, "an empty list of versions");
    struct adit_reader versions = adit_reader_of(list);
    hello->version_max = 0;
    while (versions.rest.len > 0) {
        uint16_t version = 0;
        ADIT_TRY(adit_read_u16(&versions, &version));
        if (version >> 8 == 3 && version <= TLS_1_3 && version > hello->version_max) {
            hello->version_max = version;
        }
    }
    *has_versions = true;
    return adit_ok();
}

static struct adit_status read_extensions(struct adit_bytes block, struct adit_client_hello *hello)
{
    struct adit_reader extensions = adit_reader_of(block);
    bool has_versions = false;
    while (extensions.rest.len > 0) {
        uint16_t type = 0;
        struct adit_bytes data = {0};
        ADIT_TRY(adit_read_u16(&extensions, &type));
        ADIT_TRY(read_vector_u16(&extensions, &data));
        if (type == EXTENSION_SERVER_NAME) {
            ADIT_TRY(read_server_name(data, hello));
        } else if (type == EXTENSION_ALPN) {
            ADIT_TRY(read_alpn(data, hello));
        } else if (type == EXTENSION_VERSIONS) {
            ADIT_TRY(read_versions(data, &has_versions, hello));
        }
    }
    return adit_ok();
}

/* RFC 8446 section 4.1.2, without its first four bytes. */
static struct adit_status read_body(struct adit_bytes body, struct adit_client_hello *hello)
{
    struct adit_reader reader = adit_reader_of(body);
    struct adit_bytes client_random = {0};
    struct adit_bytes session = {0};
    struct adit_bytes ciphers = {0};
    struct adit_bytes compressions = {0};
    ADIT_TRY(adit_read_u16(&reader, &hello->version_legacy));
    ADIT_TRY(adit_read_bytes(&reader, 32, &client_random));
    ADIT_TRY(read_vector_u8(&reader, &session));
    ADIT_TRY(read_vector_u16(&reader, &ciphers));
    ADIT_TRY(read_vector_u8(&reader, &compressions));
    ADIT_ENSURE(hello->version_legacy >> 8 == 3, INVALID, "a hello of an unknown version");
    ADIT_ENSURE(session.len <= 32, INVALID, "a session id over 32 bytes");
    ADIT_ENSURE(ciphers.len >= 2 && ciphers.len % 2 == 0, INVALID, "no list of cipher suites");
    ADIT_ENSURE(compressions.len >= 1, INVALID, "no list of compression methods");
    hello->version_max = hello->version_legacy < TLS_1_2 ? hello->version_legacy : TLS_1_2;
    if (reader.rest.len == 0) {
        return adit_ok(); /* before TLS 1.3, extensions may be left out */
    }
    struct adit_bytes extensions = {0};
    ADIT_TRY(read_vector_u16(&reader, &extensions));
    ADIT_TRY(adit_read_end(&reader));
    return read_extensions(extensions, hello);
}

/* SSLv2's hello: a length with its high bit set, then type 1, then a version 0.2 or 3.x. True for
 * what may become one. */
static bool is_ssl2(struct adit_bytes seen)
{
    return (adit_bytes_at(seen, 0) & 0x80) != 0 && (seen.len < 3 || adit_bytes_at(seen, 2) == 1) &&
           (seen.len < 4 || adit_bytes_at(seen, 3) == 0 || adit_bytes_at(seen, 3) == 3);
}

/* The verdict of the first five bytes; FOUND stands for "a TLS handshake record". */
static enum adit_client_hello_verdict judge_start(struct adit_bytes seen)
{
    if (seen.len == 0) {
        return ADIT_CLIENT_HELLO_MORE;
    }
    if (is_ssl2(seen)) {
        return seen.len < RECORD_HEADER ? ADIT_CLIENT_HELLO_MORE : ADIT_CLIENT_HELLO_TOO_OLD;
    }
    if (adit_bytes_at(seen, 0) != TYPE_HANDSHAKE || (seen.len > 1 && adit_bytes_at(seen, 1) != 3)) {
        return ADIT_CLIENT_HELLO_NOT_TLS;
    }
    return seen.len < RECORD_HEADER ? ADIT_CLIENT_HELLO_MORE : ADIT_CLIENT_HELLO_FOUND;
}

struct adit_status adit_client_hello_parse(struct adit_bytes seen,
                                           struct adit_client_hello *out_hello,
                                           enum adit_client_hello_verdict *out_verdict)
{
    struct adit_client_hello hello = {0};
    enum adit_client_hello_verdict verdict = judge_start(seen);
    if (verdict == ADIT_CLIENT_HELLO_MORE) {
        hello.needed = seen.len == 0 ? 1 : RECORD_HEADER;
    }
    if (verdict == ADIT_CLIENT_HELLO_FOUND) {
        uint8_t memory[ADIT_CLIENT_HELLO_BYTES_MAX];
        struct gathered gathered = {.message = adit_writer_of(ADIT_SPAN_OF(memory))};
        struct adit_bytes body = {0};
        struct adit_bytes view = adit_bytes_first(seen, ADIT_CLIENT_HELLO_BYTES_MAX);
        ADIT_TRY(gather(view, &gathered, &body, &hello.needed));
        if (hello.needed > 0) {
            verdict = ADIT_CLIENT_HELLO_MORE;
        } else {
            ADIT_TRY(read_body(body, &hello));
            verdict = hello.version_max <= TLS_1_1 ? ADIT_CLIENT_HELLO_TOO_OLD : verdict;
        }
    }
    *out_hello = hello;
    *out_verdict = verdict;
    return adit_ok();
}

enum adit_tls_alert adit_client_hello_alert(struct adit_status failure)
{
    return adit_status_error(failure) == ADIT_ERROR_LIMIT ? ADIT_TLS_ALERT_RECORD_OVERFLOW
                                                          : ADIT_TLS_ALERT_DECODE_ERROR;
}
