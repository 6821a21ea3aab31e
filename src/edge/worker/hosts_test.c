#include "worker_fixture.h"

static uint32_t remembered(const struct fixture *f)
{
    uint32_t count = 0;
    for (size_t i = 0; i < WORKER_HOSTS; i++) {
        count += ADIT_AT(f->worker->hosts, i).host.len > 0 ? 1 : 0;
    }
    return count;
}

static void a_host_says_what_its_name_says(void **state)
{
    struct fixture *f = *state;
    const struct adit_bytes host = ADIT_BYTES("shop.adit.localhost");
    struct adit_control unbind = {.type = ADIT_CONTROL_UNBIND};
    unbind.unbind.bind = 7;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    assert_null(worker_host_find(f->worker, host));
    assert_int_equal(remembered(f), 0); /* what nobody serves is not */
    for (int i = 0; i < 2; i++) {
        bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
        struct bind *bind = worker_name_find(f->worker, ADIT_BYTES("shop"));
        assert_non_null(bind);
        assert_ptr_equal(worker_host_find(f->worker, host), bind);
        assert_int_equal(remembered(f), 1);
        assert_ptr_equal(worker_host_find(f->worker, host), bind);
        assert_null(worker_host_find(f->worker, ADIT_BYTES("shop.adit.localhosT")));
        assert_null(worker_host_find(f->worker, ADIT_BYTES("")));
        assert_null(worker_host_find(f->worker, ADIT_BYTES("a")));
        assert_ok(adit_link_send(&f->hub, f->agents[0].link, &unbind));
        (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
        assert_int_equal(remembered(f), 0);
        assert_null(worker_host_find(f->worker, host));
    }
}

/* What is remembered counts: a change that forgets nothing would be seen. */
static void a_change_forgets_all(void **state)
{
    struct fixture *f = *state;
    const struct adit_bytes host = ADIT_BYTES("shop.adit.localhost");
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    const struct bind *bind = worker_host_find(f->worker, host);
    assert_non_null(bind);
    assert_true(adit_table_remove(&f->worker->names, ADIT_BYTES("shop")));
    assert_ptr_equal(worker_host_find(f->worker, host), bind);
    worker_hosts_forget(f->worker);
    assert_null(worker_host_find(f->worker, host));
    assert_ok(adit_table_set(&f->worker->names, ADIT_BYTES("shop"), adit_handle_pack(bind->self)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_says_what_its_name_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_forgets_all, setup, teardown),
    };
    return cmocka_run_group_tests_name("edge/worker/hosts", tests, NULL, NULL);
}
