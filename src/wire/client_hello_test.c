#include "wire/client_hello.h"

#include "unit.h"

#define HELLO_MAX 20000

struct hello_text {
    struct adit_writer writer;
    uint8_t memory[HELLO_MAX];
};

/* Reads tests/corpus/wire_client_hello/NAME. */
static struct adit_bytes corpus(const char *name, struct hello_text *text)
{
    const struct adit_bytes folder =
        ADIT_BYTES(ADIT_SOURCE_ROOT "tests/corpus/wire_client_hello");
    uint8_t path[512] = {0};
    assert_ok(adit_path_join(ADIT_SPAN_OF(path), folder, adit_bytes_of_text(name)));
    text->writer = adit_writer_of(ADIT_SPAN_OF(text->memory));
    assert_ok(adit_file_read((const char *)path, &text->writer));
    return adit_writer_bytes(&text->writer);
}

static enum adit_client_hello_verdict judge(struct adit_bytes seen, struct adit_client_hello *hello)
{
    enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_MORE;
    assert_ok(adit_client_hello_parse(seen, hello, &verdict));
    return verdict;
}

/* Puts the handshake bytes of `hello` (one record or more) into records of `size` bytes. */
static void split_records(struct adit_bytes hello, size_t size, struct hello_text *out)
{
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    struct adit_bytes message = adit_bytes_from(hello, 5);
    while (message.len > 0) {
        struct adit_bytes part = adit_bytes_first(message, size);
        assert_ok(adit_write_bytes(&out->writer, ADIT_BYTES("\x16\x03\x01")));
        assert_ok(adit_write_u16(&out->writer, (uint16_t)part.len));
        assert_ok(adit_write_bytes(&out->writer, part));
        message = adit_bytes_from(message, part.len);
    }
}

struct expected {
    const char *file;
    const char *name;
    bool offers_agent;
    bool offers_h2;
    bool offers_http1;
    uint16_t version_max;
};

static const struct expected real[] = {
    {"openssl_agent", "connect.adit.localhost", true, false, false, 0x0304},
    {"openssl_h2", "a.test", false, true, true, 0x0304},
    {"openssl_no_name", "", false, false, false, 0x0304},
    {"openssl_tls12", "old.test", false, false, false, 0x0303},
    {"python_http11", "python.test", false, false, true, 0x0304},
    {"python_address", "", false, false, false, 0x0304},
    {"curl_h2", "a.test", false, true, true, 0x0304},
    {"node_h2", "node.test", false, true, true, 0x0304},
    {"go_hello", "mlkem.test", false, true, true, 0x0304}, /* X25519MLKEM768: 1,520 bytes */
};

static void assert_hello(const struct adit_client_hello *hello, const struct expected *want)
{
    struct adit_bytes name = adit_bytes_of_text(want->name);
    assert_int_equal(hello->needed, 0);
    assert_bytes(ADIT_FIELD_BYTES(hello->server_name), name);
    assert_int_equal(hello->has_server_name, name.len > 0);
    assert_int_equal(hello->offers_agent, want->offers_agent);
    assert_int_equal(hello->offers_h2, want->offers_h2);
    assert_int_equal(hello->offers_http1, want->offers_http1);
    assert_int_equal(hello->has_alpn,
                     want->offers_agent || want->offers_h2 || want->offers_http1);
    assert_int_equal(hello->version_max, want->version_max);
    assert_int_equal(hello->version_legacy, 0x0303);
}

static void real_hellos_cut_at_every_byte(void **state)
{
    (void)state;
    static struct hello_text text;
    for (size_t i = 0; i < ADIT_COUNT(real); i++) {
        struct adit_bytes bytes = corpus(ADIT_AT(real, i).file, &text);
        struct adit_client_hello hello = {0};
        for (size_t len = 0; len < bytes.len; len++) {
            assert_int_equal(judge(adit_bytes_first(bytes, len), &hello), ADIT_CLIENT_HELLO_MORE);
            assert_true(hello.needed > len && hello.needed <= bytes.len);
            assert_true(len < 9 || hello.needed == bytes.len);
        }
        assert_int_equal(judge(bytes, &hello), ADIT_CLIENT_HELLO_FOUND);
        assert_hello(&hello, &ADIT_AT(real, i));
    }
}

/* Every cut of a hello in records of `size` bytes; at least `step` bytes more each time. */
static void check_split(const struct expected *want, size_t size, size_t step)
{
    static struct hello_text text;
    static struct hello_text records;
    split_records(corpus(want->file, &text), size, &records);
    struct adit_bytes bytes = adit_writer_bytes(&records.writer);
    struct adit_client_hello hello = {0};
    for (size_t len = 0; len < bytes.len; len += step) {
        assert_int_equal(judge(adit_bytes_first(bytes, len), &hello), ADIT_CLIENT_HELLO_MORE);
        assert_true(hello.needed > len && hello.needed <= bytes.len);
    }
    assert_int_equal(judge(bytes, &hello), ADIT_CLIENT_HELLO_FOUND);
    assert_hello(&hello, want);
}

static void real_hellos_split_over_records(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 2, 3, 4, 5, 7, 100};
    for (size_t i = 0; i < ADIT_COUNT(sizes); i++) {
        check_split(&ADIT_AT(real, 0), ADIT_AT(sizes, i), 1);
        check_split(&ADIT_AT(real, ADIT_COUNT(real) - 1), ADIT_AT(sizes, i), 97);
    }
    for (size_t size = 1; size < 300; size++) { /* two records, split at every offset */
        check_split(&ADIT_AT(real, 0), size, 1000);
    }
}

static void waking_at_needed_is_enough(void **state)
{
    (void)state;
    static struct hello_text text;
    struct adit_bytes bytes = corpus("go_hello", &text);
    struct adit_client_hello hello = {0};
    size_t seen = 0;
    size_t turns = 0;
    while (judge(adit_bytes_first(bytes, seen), &hello) == ADIT_CLIENT_HELLO_MORE) {
        seen = hello.needed;
        turns++;
    }
    assert_int_equal(seen, bytes.len);
    assert_int_equal(turns, 4); /* first byte, record header, handshake header, all */
}

/* A hello of our own making: what is around the extensions is fixed. */
static struct adit_bytes make_hello(struct adit_bytes extensions, struct hello_text *out)
{
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    struct adit_writer *writer = &out->writer;
    struct adit_span record = {0};
    struct adit_span message = {0};
    assert_ok(adit_write_bytes(writer, ADIT_BYTES("\x16\x03\x01")));
    assert_ok(adit_write_reserve_u16(writer, &record));
    assert_ok(adit_write_u8(writer, 1));
    assert_ok(adit_write_reserve(writer, 3, &message));
    size_t start = writer->len;
    assert_ok(adit_write_u16(writer, 0x0303));
    assert_ok(adit_write_zeros(writer, 32));
    assert_ok(adit_write_bytes(writer, ADIT_BYTES("\0\0\x02\x13\x01\x01\0")));
    assert_ok(adit_write_u16(writer, (uint16_t)extensions.len));
    assert_ok(adit_write_bytes(writer, extensions));
    assert_ok(adit_write_fill(message, writer->len - start));
    assert_ok(adit_write_fill(record, writer->len - start + 4));
    return adit_writer_bytes(writer);
}

#define NAME_A "\0\0\0\x0b\0\x09\0\0\x06" "a.test"
#define VERSIONS_13 "\0\x2b\0\x03\x02\x03\x04"
#define ALPN_AGENT "\0\x10\0\x09\0\x07\x06" "adit/1"

static void good_extensions(void **state)
{
    (void)state;
    static struct hello_text text;
    const struct {
        struct adit_bytes extensions;
        const char *name;
        uint16_t version_max;
        bool offers_agent;
    } rows[] = {
        {ADIT_BYTES(""), "", 0x0303, false},
        {ADIT_BYTES(NAME_A), "a.test", 0x0303, false},
        {ADIT_BYTES(VERSIONS_13 ALPN_AGENT NAME_A), "a.test", 0x0304, true},
        /* GREASE: an extension, a version, a protocol (RFC 8701) */
        {ADIT_BYTES("\x0a\x0a\0\0" NAME_A "\0\x2b\0\x05\x04\xfa\xfa\x03\x04"
                    "\0\x10\0\x0c\0\x0a\x02\x1a\x1a\x06" "adit/1" "\xda\xda\0\x01\0"),
         "a.test", 0x0304, true},
        /* an outer ECH (0xfe0d) and a version of the future do not matter */
        {ADIT_BYTES("\xfe\x0d\0\x03\0\1\2" NAME_A "\0\x2b\0\x05\x04\x03\x05\x03\x04"), "a.test",
         0x0304, false},
        {ADIT_BYTES("\0\0\0\x0c\0\x0a\0\0\x07" "A.tEsT."), "a.test", 0x0303, false},
        {ADIT_BYTES("\0\0\0\x06\0\x04\0\0\x01" "_"), "_", 0x0303, false},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_client_hello hello = {0};
        assert_int_equal(judge(make_hello(ADIT_AT(rows, i).extensions, &text), &hello),
                         ADIT_CLIENT_HELLO_FOUND);
        assert_bytes(ADIT_FIELD_BYTES(hello.server_name),
                     adit_bytes_of_text(ADIT_AT(rows, i).name));
        assert_int_equal(hello.version_max, ADIT_AT(rows, i).version_max);
        assert_int_equal(hello.offers_agent, ADIT_AT(rows, i).offers_agent);
    }
}

static void two_hundred_extensions(void **state)
{
    (void)state;
    static struct hello_text text;
    uint8_t memory[4096] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    for (uint16_t i = 0; i < 200; i++) {
        assert_ok(adit_write_u16(&writer, (uint16_t)(0x4000 + i)));
        assert_ok(adit_write_u16(&writer, 7));
        assert_ok(adit_write_zeros(&writer, 7));
    }
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES(NAME_A)));
    struct adit_client_hello hello = {0};
    assert_int_equal(judge(make_hello(adit_writer_bytes(&writer), &text), &hello),
                     ADIT_CLIENT_HELLO_FOUND);
    assert_bytes(ADIT_FIELD_BYTES(hello.server_name), ADIT_BYTES("a.test"));
}

static void bad_extensions(void **state)
{
    (void)state;
    static struct hello_text text;
    const struct adit_bytes rows[] = {
        ADIT_BYTES_INIT("\0"),                                        /* half a type */
        ADIT_BYTES_INIT("\x0a\x0a\0\1"),                              /* data is missing */
        ADIT_BYTES_INIT(NAME_A NAME_A),                               /* twice */
        ADIT_BYTES_INIT(ALPN_AGENT ALPN_AGENT),                       /* twice */
        ADIT_BYTES_INIT(VERSIONS_13 VERSIONS_13),                     /* twice */
        ADIT_BYTES_INIT("\0\0\0\0"),                                  /* no list */
        ADIT_BYTES_INIT("\0\0\0\2\0\0"),                              /* empty list */
        ADIT_BYTES_INIT("\0\0\0\5\0\3\0\0\0"),                        /* empty name */
        ADIT_BYTES_INIT("\0\0\0\6\0\4\0\0\1."),                       /* only a dot */
        ADIT_BYTES_INIT("\0\0\0\6\0\4\1\0\1a"),                       /* not a host name */
        ADIT_BYTES_INIT("\0\0\0\6\0\4\0\0\2a"),                       /* name past the list */
        ADIT_BYTES_INIT("\0\0\0\7\0\4\0\0\1ab"),                      /* bytes after the list */
        ADIT_BYTES_INIT("\0\0\0\x0a\0\x08\0\0\1a\0\0\1b"),            /* two names */
        ADIT_BYTES_INIT("\0\0\0\x08\0\6\0\0\3a\0b"),                  /* NUL */
        ADIT_BYTES_INIT("\0\0\0\x08\0\6\0\0\3a\nb"),                  /* line feed */
        ADIT_BYTES_INIT("\0\0\0\x08\0\6\0\0\3a\xc3\xa9"),             /* not ASCII */
        ADIT_BYTES_INIT("\0\0\0\x09\0\7\0\0\4" "a..b"),               /* empty label */
        ADIT_BYTES_INIT("\0\0\0\7\0\5\0\0\2.a"),                      /* empty label */
        ADIT_BYTES_INIT("\0\0\0\x08\0\6\0\0\3a.."),                   /* empty label */
        ADIT_BYTES_INIT("\0\x10\0\0"),                                /* no protocol list */
        ADIT_BYTES_INIT("\0\x10\0\2\0\0"),                            /* empty list */
        ADIT_BYTES_INIT("\0\x10\0\3\0\1\0"),                          /* empty protocol */
        ADIT_BYTES_INIT("\0\x10\0\4\0\2\2h"),                         /* protocol past the list */
        ADIT_BYTES_INIT("\0\x10\0\6\0\3\2h2x"),                       /* bytes after the list */
        ADIT_BYTES_INIT("\0\x2b\0\1\0"),                              /* empty versions */
        ADIT_BYTES_INIT("\0\x2b\0\4\3\3\4\3"),                        /* half a version */
        ADIT_BYTES_INIT("\0\x2b\0\4\2\3\4\3"),                        /* bytes after the list */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_client_hello hello = {.needed = 99};
        enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_NOT_TLS;
        assert_fails(adit_client_hello_parse(make_hello(ADIT_AT(rows, i), &text), &hello, &verdict),
                     INVALID);
        assert_int_equal(hello.needed, 99); /* untouched */
        assert_int_equal(verdict, ADIT_CLIENT_HELLO_NOT_TLS);
    }
}

/* Changes one byte of a good hello. */
static void bad_bodies(void **state)
{
    (void)state;
    static struct hello_text text;
    const struct {
        size_t index;
        uint8_t byte;
        enum adit_error error;
    } rows[] = {
        {3, 0x3f, ADIT_ERROR_NONE},    /* a longer record is not our business ... */
        {3, 0x40, ADIT_ERROR_LIMIT},   /* ... over 16 KiB it is */
        {5, 2, ADIT_ERROR_INVALID},    /* a server hello */
        {6, 1, ADIT_ERROR_LIMIT},      /* 64 KiB */
        {7, 0x40, ADIT_ERROR_LIMIT},   /* 16 KiB and the header */
        {8, 0, ADIT_ERROR_INVALID},    /* an empty hello */
        {9, 2, ADIT_ERROR_INVALID},    /* version 2.3 */
        {43, 33, ADIT_ERROR_INVALID},  /* session id over 32 */
        {43, 255, ADIT_ERROR_INVALID}, /* and past the end */
        {45, 3, ADIT_ERROR_INVALID},   /* an odd list of ciphers */
        {45, 0, ADIT_ERROR_INVALID},   /* none */
        {48, 0, ADIT_ERROR_INVALID},   /* no compression method */
        {51, 99, ADIT_ERROR_INVALID},  /* extensions past the end */
        {51, 0, ADIT_ERROR_INVALID},   /* bytes after the extensions */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_bytes bytes = make_hello(ADIT_BYTES(NAME_A), &text);
        ADIT_AT(text.memory, ADIT_AT(rows, i).index) = ADIT_AT(rows, i).byte;
        struct adit_client_hello hello = {0};
        enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_NOT_TLS;
        assert_int_equal(adit_status_error(adit_client_hello_parse(bytes, &hello, &verdict)),
                         ADIT_AT(rows, i).error);
    }
}

static void records_between(void **state)
{
    (void)state;
    const struct adit_bytes bad[] = {
        ADIT_BYTES_INIT("\x16\x03\x01\0\0"),                          /* empty record */
        ADIT_BYTES_INIT("\x16\x03\x01\0\1\1\x16\x03\x01\0\0"),        /* empty second record */
        ADIT_BYTES_INIT("\x16\x03\x01\0\1\1\x17\x03\x01\0\1\0"),      /* application data */
        ADIT_BYTES_INIT("\x16\x03\x01\0\1\1\x16\x02\x01\0\1\0"),      /* another version */
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        struct adit_client_hello hello = {0};
        enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_MORE;
        assert_fails(adit_client_hello_parse(ADIT_AT(bad, i), &hello, &verdict), INVALID);
    }
}

static void endless_hellos_meet_the_limit(void **state)
{
    (void)state;
    static struct hello_text text;
    /* a body that fits, were it not for the headers of so many records */
    static uint8_t message[16384] = {1, 0, 0x3f, 0xf0};
    text.writer = adit_writer_of(ADIT_SPAN_OF(text.memory));
    struct adit_client_hello hello = {0};
    enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_NOT_TLS;
    for (size_t i = 0; i < 2730; i++) {
        assert_ok(adit_write_bytes(&text.writer, ADIT_BYTES("\x16\x03\x01\0\1")));
        assert_ok(adit_write_u8(&text.writer, ADIT_AT(message, i)));
    }
    struct adit_bytes bytes = adit_writer_bytes(&text.writer);
    assert_int_equal(judge(adit_bytes_first(bytes, 18), &hello), ADIT_CLIENT_HELLO_MORE);
    assert_fails(adit_client_hello_parse(adit_bytes_first(bytes, 24), &hello, &verdict), LIMIT);
    assert_fails(adit_client_hello_parse(bytes, &hello, &verdict), LIMIT);
    struct adit_status failure = adit_client_hello_parse(bytes, &hello, &verdict);
    assert_int_equal(adit_client_hello_alert(failure), ADIT_TLS_ALERT_RECORD_OVERFLOW);
    failure = adit_client_hello_parse(ADIT_BYTES("\x16\x03\x01\0\0"), &hello, &verdict);
    assert_int_equal(adit_client_hello_alert(failure), ADIT_TLS_ALERT_DECODE_ERROR);
}

static void the_longest_hello(void **state)
{
    (void)state;
    struct adit_client_hello hello = {0};
    enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_NOT_TLS;
    /* 5 + 4 + 0x3ff7 bytes are 16 KiB */
    assert_int_equal(judge(ADIT_BYTES("\x16\x03\x01\x3f\xfb\1\0\x3f\xf7"), &hello),
                     ADIT_CLIENT_HELLO_MORE);
    assert_int_equal(hello.needed, ADIT_CLIENT_HELLO_BYTES_MAX);
    assert_fails(adit_client_hello_parse(ADIT_BYTES("\x16\x03\x01\x3f\xfc\1\0\x3f\xf8"), &hello,
                                         &verdict),
                 LIMIT);
}

static void what_is_no_tls(void **state)
{
    (void)state;
    const struct adit_bytes rows[] = {
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\n"),     ADIT_BYTES_INIT("G"),
        ADIT_BYTES_INIT("PROXY TCP4 "),            ADIT_BYTES_INIT("SSH-2.0-x\r\n"),
        ADIT_BYTES_INIT("\0\0\0\1\0\0\0\1\0\0\0\0"), ADIT_BYTES_INIT("\x16\x02"),
        ADIT_BYTES_INIT("\x15\x03\x03\0\2\2\x28"), ADIT_BYTES_INIT("\x17\x03\x03\0\1x"),
        ADIT_BYTES_INIT("\x80\x2e\x02\0\x02"),     ADIT_BYTES_INIT("\x80\x2e\x01\x04"),
        ADIT_BYTES_INIT("\r\n"),                   ADIT_BYTES_INIT("\xff\xff"),
    };
    for (size_t i = 0; i + 1 < ADIT_COUNT(rows); i++) {
        struct adit_client_hello hello = {0};
        assert_int_equal(judge(ADIT_AT(rows, i), &hello), ADIT_CLIENT_HELLO_NOT_TLS);
    }
    struct adit_client_hello hello = {0};
    assert_int_equal(judge(ADIT_BYTES(""), &hello), ADIT_CLIENT_HELLO_MORE);
    assert_int_equal(hello.needed, 1);
    assert_int_equal(judge(ADIT_BYTES("\x80\x2e"), &hello), ADIT_CLIENT_HELLO_MORE);
    assert_int_equal(hello.needed, 5);
}

static void what_is_too_old(void **state)
{
    (void)state;
    static struct hello_text text;
    struct adit_client_hello hello = {0};
    const struct adit_bytes ssl2[] = {
        ADIT_BYTES_INIT("\x80\x2e\x01\0\x02"),     /* SSLv2 */
        ADIT_BYTES_INIT("\x80\x2e\x01\x03\0\0"),   /* SSLv3 in an SSLv2 hello */
        ADIT_BYTES_INIT("\x81\x03\x01\x03\x01\0"), /* TLS 1.0 likewise */
    };
    for (size_t i = 0; i < ADIT_COUNT(ssl2); i++) {
        assert_int_equal(judge(ADIT_AT(ssl2, i), &hello), ADIT_CLIENT_HELLO_TOO_OLD);
        assert_int_equal(hello.version_max, 0);
    }
    assert_int_equal(judge(corpus("openssl_tls10", &text), &hello), ADIT_CLIENT_HELLO_TOO_OLD);
    assert_int_equal(hello.version_max, 0x0301);
    assert_bytes(ADIT_FIELD_BYTES(hello.server_name), ADIT_BYTES("old.test"));
    assert_int_equal(judge(corpus("openssl_tls11", &text), &hello), ADIT_CLIENT_HELLO_TOO_OLD);
    assert_int_equal(hello.version_max, 0x0302);
    struct adit_bytes bytes = make_hello(ADIT_BYTES(""), &text);
    ADIT_AT(text.memory, 10) = 0; /* SSLv3 */
    assert_int_equal(judge(bytes, &hello), ADIT_CLIENT_HELLO_TOO_OLD);
    assert_int_equal(hello.version_max, 0x0300);
    bytes = make_hello(ADIT_BYTES("\0\x2b\0\5\4\x03\x02\x03\x01"), &text);
    assert_int_equal(judge(bytes, &hello), ADIT_CLIENT_HELLO_TOO_OLD);
    assert_int_equal(hello.version_max, 0x0302);
    bytes = make_hello(ADIT_BYTES("\0\x2b\0\3\2\x1a\x1a"), &text);
    assert_int_equal(judge(bytes, &hello), ADIT_CLIENT_HELLO_TOO_OLD);
    assert_int_equal(hello.version_max, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_hellos_cut_at_every_byte),
        cmocka_unit_test(real_hellos_split_over_records),
        cmocka_unit_test(waking_at_needed_is_enough),
        cmocka_unit_test(good_extensions),
        cmocka_unit_test(two_hundred_extensions),
        cmocka_unit_test(bad_extensions),
        cmocka_unit_test(bad_bodies),
        cmocka_unit_test(records_between),
        cmocka_unit_test(endless_hellos_meet_the_limit),
        cmocka_unit_test(the_longest_hello),
        cmocka_unit_test(what_is_no_tls),
        cmocka_unit_test(what_is_too_old),
    };
    return cmocka_run_group_tests_name("wire/client_hello", tests, NULL, NULL);
}
