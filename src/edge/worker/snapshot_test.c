/* Snapshots: who is revoked is out at once, and does not come in again. */
#include "worker_fixture.h"

#include <sys/mman.h>

#include "wire/snapshot.h"

static int file_of(struct adit_bytes bytes)
{
    int fd = memfd_create("snapshot", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    return fd;
}

static void publish(struct fixture *f, uint64_t version, int fd)
{
    struct adit_message snapshot = {
        .type = ADIT_MESSAGE_SNAPSHOT, .version = version, .fds = {fd}, .fd_count = 1};
    assert_ok(adit_channel_send(&f->supervisor, &snapshot));
}

/* One lease and these revoked ids (0: none). */
static int snapshot_of(uint64_t version, uint8_t first, uint8_t second)
{
    uint8_t room[256] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(room));
    const struct adit_snapshot_lease lease = {.name = ADIT_BYTES_INIT("shop"),
                                              .account = ADIT_BYTES_INIT("acme"),
                                              .until_s = 5};
    uint8_t ids[2] = {first, second};
    uint32_t count = (first > 0 ? 1u : 0u) + (second > 0 ? 1u : 0u);
    assert_ok(adit_snapshot_header_write(&writer, version, 1, count));
    assert_ok(adit_snapshot_lease_write(&writer, &lease));
    for (size_t i = 0; i < count; i++) {
        uint8_t id[ADIT_TOKEN_ID_BYTES] = {ADIT_AT(ids, i)};
        assert_ok(adit_snapshot_revocation_write(&writer, ADIT_BYTES_OF(id)));
    }
    return file_of(adit_writer_bytes(&writer));
}

static uint64_t snapshot_counter(const struct fixture *f)
{
    struct adit_message_counters counters = {0};
    worker_counters_fill(f->worker, &counters);
    assert_int_equal(counters.count, ADIT_COUNTERS_WORKER_COUNT);
    return ADIT_AT(counters.values, ADIT_COUNTER_WORKER_SNAPSHOT);
}

static void the_revoked_are_out(void **state)
{
    struct fixture *f = *state;
    struct hello child = good_hello;
    struct hello other = good_hello;
    child.id = 2;
    child.parent = 9;
    other.id = 3;
    log_in(f, 0, &good_hello);
    log_in(f, 1, &child);
    log_in(f, 2, &other);
    for (int i = 0; i < 3; i++) {
        (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    }
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    int before[2] = {f->agents[0].messages, ADIT_AT(f->agents, 1).messages};
    f->worker->settled_us = 0;
    publish(f, 5, snapshot_of(5, 1, 9)); /* itself, and the other's master */
    expect_refusal(f, 0, before[0], "token_revoked");
    expect_refusal(f, 1, ADIT_AT(before, 1), "token_revoked");
    assert_int_equal(f->agents[0].message.refused.bind, 0);
    /* Its visitors need not wait: nobody comes back. */
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_RELEASE).count, 0);
    assert_false(worker_name_may_come(f->worker, ADIT_BYTES("shop")));
    turn_until(f, f->agents[0].closes == 1 && ADIT_AT(f->agents, 1).closes == 1);
    assert_int_equal(ADIT_AT(f->agents, 2).closes, 0);
    assert_int_equal(expect(f, &f->supervisor, ADIT_MESSAGE_SNAPSHOT_TAKEN).version, 5);
    assert_int_equal(snapshot_counter(f), 5);
    connect_agent(f, 0); /* nor does it come in again */
    say_hello(f, 0, &good_hello);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code), ADIT_BYTES("token_revoked"));
    turn_until(f, f->agents[0].closes == 1);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    publish(f, 6, snapshot_of(6, 0, 0)); /* a snapshot is the whole truth */
    assert_int_equal(expect(f, &f->supervisor, ADIT_MESSAGE_SNAPSHOT_TAKEN).version, 6);
    log_in(f, 0, &good_hello);
}

static void a_broken_snapshot_changes_nothing(void **state)
{
    struct fixture *f = *state;
    publish(f, 3, snapshot_of(3, 1, 0));
    (void)expect(f, &f->supervisor, ADIT_MESSAGE_SNAPSHOT_TAKEN);
    publish(f, 4, file_of(ADIT_BYTES("ADITSNAP")));
    publish(f, 5, file_of(ADIT_BYTES("")));
    int far = -1;
    int not_a_file = -1;
    loopback_pair(&not_a_file, &far);
    publish(f, 6, not_a_file);
    int large = memfd_create("large", MFD_CLOEXEC);
    assert_int_equal(ftruncate(large, ADIT_SNAPSHOT_BYTES_MAX + 1), 0);
    publish(f, 7, large);
    struct adit_message ask_status = {.type = ADIT_MESSAGE_STATUS_ASK, .request = 4};
    assert_ok(adit_channel_send(&f->supervisor, &ask_status));
    struct adit_message status = expect(f, &f->supervisor, ADIT_MESSAGE_STATUS);
    assert_int_equal(ADIT_AT(status.counters.values, ADIT_COUNTER_WORKER_SNAPSHOT), 3);
    connect_agent(f, 0);
    say_hello(f, 0, &good_hello);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code), ADIT_BYTES("token_revoked"));
    adit_socket_close(&far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_revoked_are_out),
        TEST(a_broken_snapshot_changes_nothing),
    };
    return cmocka_run_group_tests_name("edge/worker/snapshot", tests, NULL, NULL);
}
