/* The data path of src/net/tls.c and its limits. */
#include "net/tls.h"

#include <malloc.h>
#include <stdlib.h>

#include "tls_harness.h"

static void ten_mebibytes_both_ways(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    tls_ends_connect(&ends);
    struct adit_span sent = {0};
    struct adit_span got = {0};
    assert_ok(adit_memory_open(10u << 20, 1, &sent));
    assert_ok(adit_memory_open(10u << 20, 1, &got));
    assert_ok(adit_random_fill(adit_span_first(sent, 256)));
    for (size_t at = 256; at < sent.len; at += 256) {
        assert_ok(adit_span_move(sent, at, at - 255, 255));
    }
    struct adit_tls *both[] = {ends.client, ends.server};
    for (size_t i = 0; i < 2; i++) {
        struct adit_tls *from = ADIT_AT(both, i);
        struct adit_tls *to = ADIT_AT(both, 1 - i);
        struct adit_writer plain = adit_writer_of(got);
        struct adit_bytes rest = adit_span_bytes(sent);
        bool is_end = false;
        size_t sizes[] = {1, 16384, 16385, 100000, 65536, 3};
        for (size_t turn = 0; rest.len > 0; turn++) {
            size_t size = adit_min_size(ADIT_AT(sizes, turn % ADIT_COUNT(sizes)),
                                        adit_tls_room(from));
            struct adit_bytes part = adit_bytes_first(rest, size);
            assert_ok(adit_tls_write(from, part));
            size_t records = (part.len + ADIT_TLS_RECORD_BYTES - 1) / ADIT_TLS_RECORD_BYTES;
            assert_int_equal(adit_tls_out(from)->len, part.len + 22 * records);
            rest = adit_bytes_from(rest, part.len);
            assert_ok(tls_carry(&ends, from, to, &plain, &is_end));
            assert_false(is_end);
        }
        assert_bytes(adit_writer_bytes(&plain), adit_span_bytes(sent));
    }
    adit_memory_close(&sent);
    adit_memory_close(&got);
    tls_ends_close(&ends);
}

static void room_is_what_write_takes(void **state)
{
    (void)state;
    const uint32_t pools[] = {128, 20, 3}; /* limited by the queue, or by the pool's chunks */
    for (size_t i = 0; i < ADIT_COUNT(pools); i++) {
        struct tls_ends ends;
        tls_ends_open(&ends);
        assert_int_equal(adit_tls_room(ends.client), 0);
        assert_fails(adit_tls_write(ends.client, ADIT_BYTES("x")), INVALID);
        tls_ends_connect(&ends);
        ends.pool.chunks_max = ADIT_AT(pools, i);
        static uint8_t block[TLS_QUEUE_BYTES];
        struct adit_jitter jitter = {.state = 99};
        size_t written = 0;
        size_t room = adit_tls_room(ends.client);
        assert_true(room > 0);
        while (room > 0) {
            struct adit_bytes more = adit_bytes_first(ADIT_BYTES_OF(block), room + 1);
            size_t before = adit_tls_out(ends.client)->len;
            assert_fails(adit_tls_write(ends.client, more), FULL);
            assert_int_equal(adit_tls_out(ends.client)->len, before);
            more = adit_bytes_first(more, 1 + adit_jitter_below(&jitter, room));
            assert_ok(adit_tls_write(ends.client, more));
            written += more.len;
            room = adit_tls_room(ends.client);
        }
        assert_true(adit_tls_out(ends.client)->len <= TLS_QUEUE_BYTES);
        /* Full for data, and yet close_notify and an answer find room. */
        assert_int_equal(SSL_key_update(ends.server->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        ends.pool.chunks_max += 1; /* the server's own chunk */
        assert_ok(adit_tls_write(ends.server, ADIT_BYTES("x")));
        static uint8_t plain_room[TLS_QUEUE_BYTES];
        struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
        bool is_end = false;
        assert_ok(tls_carry(&ends, ends.server, ends.client, &plain, &is_end));
        adit_tls_finish(ends.client);
        assert_int_equal(adit_tls_room(ends.client), 0);
        assert_fails(adit_tls_write(ends.client, ADIT_BYTES("x")), CLOSED);
        plain.len = 0;
        assert_ok(tls_carry(&ends, ends.client, ends.server, &plain, &is_end));
        assert_int_equal(plain.len, written);
        assert_true(is_end);
        /* The other direction still works: half-closed. */
        assert_ok(adit_tls_write(ends.server, ADIT_BYTES("late")));
        plain.len = 0;
        assert_ok(tls_carry(&ends, ends.server, ends.client, &plain, &is_end));
        assert_bytes(adit_writer_bytes(&plain), ADIT_BYTES("late"));
        assert_false(is_end);
        tls_ends_close(&ends);
    }
}

static void a_cut_is_not_an_end(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    tls_ends_connect(&ends);
    assert_ok(adit_tls_write(ends.client, ADIT_BYTES("hello")));
    uint8_t cipher[128];
    struct adit_bytes all = tls_take(ends.client, &ends.pool, ADIT_SPAN_OF(cipher), sizeof cipher);
    uint8_t room[64];
    size_t count = 9;
    bool is_end = true;
    for (size_t i = 0; i < all.len; i++) {
        adit_tls_input_set(ends.server, adit_bytes_first(adit_bytes_from(all, i), 1));
        assert_ok(adit_tls_read(ends.server, ADIT_SPAN_OF(room), &count, &is_end));
        assert_int_equal(count, i + 1 == all.len ? 5 : 0);
        assert_false(is_end);
    }
    tls_ends_close(&ends);
}

static void a_changed_byte_breaks_the_connection(void **state)
{
    (void)state;
    for (size_t at = 0; at < 32; at += 4) {
        struct tls_ends ends;
        tls_ends_open(&ends);
        tls_ends_connect(&ends);
        assert_ok(adit_tls_write(ends.client, ADIT_BYTES("0123456789")));
        uint8_t cipher[512] = {0};
        struct adit_bytes all =
            tls_take(ends.client, &ends.pool, ADIT_SPAN_OF(cipher), sizeof cipher);
        ADIT_AT(cipher, at) ^= 0x41;
        adit_tls_input_set(ends.server, all);
        uint8_t room[64];
        size_t count = 0;
        bool is_end = false;
        struct adit_status status =
            adit_tls_read(ends.server, ADIT_SPAN_OF(room), &count, &is_end);
        assert_int_equal(count, 0);
        if (at != 4) { /* the length: more is wanted, or the record is cut short */
            assert_fails(status, CRYPTO);
            assert_int_not_equal(tls_reason(status), 0);
        }
        if (!adit_is_ok(status)) {
            assert_true(adit_tls_out(ends.server)->len > 0); /* an alert */
            assert_fails(adit_tls_read(ends.server, ADIT_SPAN_OF(room), &count, &is_end), CLOSED);
            assert_fails(adit_tls_write(ends.server, ADIT_BYTES("x")), CLOSED);
            adit_tls_finish(ends.server);
        }
        tls_ends_close(&ends);
    }
}

static void good_bytes_before_a_failure_are_not_lost(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    tls_ends_connect(&ends);
    assert_ok(adit_tls_write(ends.client, ADIT_BYTES("last words")));
    assert_ok(adit_tls_write(ends.client, ADIT_BYTES("broken")));
    uint8_t cipher[512] = {0};
    struct adit_bytes all = tls_take(ends.client, &ends.pool, ADIT_SPAN_OF(cipher), sizeof cipher);
    ADIT_AT(cipher, all.len - 1) ^= 1;
    adit_tls_input_set(ends.server, all);
    uint8_t room[64];
    size_t count = 0;
    bool is_end = false;
    assert_ok(adit_tls_read(ends.server, ADIT_SPAN_OF(room), &count, &is_end));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("last words"));
    assert_int_equal(adit_tls_room(ends.server), 0);
    assert_fails(adit_tls_read(ends.server, ADIT_SPAN_OF(room), &count, &is_end), CRYPTO);
    assert_fails(adit_tls_read(ends.server, ADIT_SPAN_OF(room), &count, &is_end), CLOSED);
    tls_ends_close(&ends);
}

static struct adit_status update_keys(struct tls_ends *ends, int count, struct adit_writer *plain)
{
    for (int i = 0; i < count; i++) {
        bool is_end = false;
        assert_int_equal(SSL_key_update(ends->client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        ADIT_TRY(adit_tls_write(ends->client, ADIT_BYTES("x")));
        ADIT_TRY(tls_carry(ends, ends->client, ends->server, plain, &is_end));
        ADIT_TRY(tls_carry(ends, ends->server, ends->client, plain, &is_end));
    }
    return adit_ok();
}

static void key_updates_are_limited(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    tls_ends_connect(&ends);
    static uint8_t plain_room[1000];
    struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
    assert_ok(update_keys(&ends, 16, &plain));
    ends.server->read_total += 100u << 20; /* as if 100 MiB had come: 100 more are fine */
    ends.client->read_total += 100u << 20;
    assert_ok(update_keys(&ends, 100, &plain));
    struct adit_status status = update_keys(&ends, 32, &plain);
    assert_fails(status, CRYPTO);
    assert_true(ends.server->is_flooded || ends.client->is_flooded);
    tls_ends_close(&ends);
}

static void our_own_keys_are_changed_in_time(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    tls_ends_connect(&ends);
    ends.client->records_written = (1u << 23) - 1;
    static uint8_t plain_room[1000];
    struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
    bool is_end = false;
    for (int i = 0; i < 3; i++) {
        assert_ok(adit_tls_write(ends.client, ADIT_BYTES("x")));
        assert_ok(tls_carry(&ends, ends.client, ends.server, &plain, &is_end));
    }
    assert_int_equal(ends.client->records_written, 2);
    assert_int_equal(ends.server->late_messages, 1);
    tls_ends_close(&ends);
}

/* Told, not judged, under a sanitizer, whose allocator does not count. */
static void memory_of_an_idle_connection(void **state)
{
    (void)state;
    enum { PAIRS = 200 };
    struct tls_ends ends;
    tls_ends_open(&ends);
    tls_ends_connect(&ends);
    static struct adit_tls *held[PAIRS];
    static uint8_t plain_room[4096];
    for (size_t i = 0; i < PAIRS; i++) {
        struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
        bool is_end = false;
        adit_tls_close(&ends.client);
        ADIT_AT(held, i) = ends.server;
        tls_connections_open(&ends, "localhost");
        tls_ends_connect(&ends);
        assert_ok(adit_tls_write(ends.client, ADIT_BYTES("hello")));
        assert_ok(tls_carry(&ends, ends.client, ends.server, &plain, &is_end));
        assert_ok(adit_tls_write(ends.server, ADIT_BYTES("hello")));
        assert_ok(tls_carry(&ends, ends.server, ends.client, &plain, &is_end));
    }
    size_t with = mallinfo2().uordblks;
    for (size_t i = 0; i < PAIRS; i++) {
        adit_tls_close(&ADIT_AT(held, i));
    }
    size_t each = (with - mallinfo2().uordblks) / PAIRS;
    print_message("an idle server connection holds %zu bytes of heap\n", each);
    /* 3.5 holds tables of a record layer a direction, and the larger keys of X25519MLKEM768. */
    assert_true(each < (OPENSSL_VERSION_NUMBER >= 0x30500000L ? 30000 : 20000));
    tls_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_mebibytes_both_ways),
        cmocka_unit_test(room_is_what_write_takes),
        cmocka_unit_test(a_cut_is_not_an_end),
        cmocka_unit_test(a_changed_byte_breaks_the_connection),
        cmocka_unit_test(good_bytes_before_a_failure_are_not_lost),
        cmocka_unit_test(key_updates_are_limited),
        cmocka_unit_test(our_own_keys_are_changed_in_time),
        cmocka_unit_test(memory_of_an_idle_connection),
    };
    return cmocka_run_group_tests_name("net/tls_limits", tests, NULL, NULL);
}
