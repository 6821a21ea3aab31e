/* Covers sqlite.c, tokens.c, leases.c. */
#include "store/store.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite.h"
#include "unit.h"

#define NOW 1800000000u
#define LATER (NOW + 100)
#define NAME ADIT_BYTES("shop")
#define ALICE ADIT_BYTES("alice")
#define BOB ADIT_BYTES("bob")

struct scene {
    char folder[64];
    char path[128];
    struct adit_store store;
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.folder = "/tmp/adit-store-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->folder));
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(scene->path), adit_bytes_of_text(scene->folder),
                             ADIT_BYTES(ADIT_STORE_FILE)));
    assert_ok(adit_store_open(&scene->store, scene->path));
}

static void scene_close(struct scene *scene)
{
    static const struct adit_bytes names[] = {ADIT_BYTES_INIT(ADIT_STORE_FILE),
                                              ADIT_BYTES_INIT(ADIT_STORE_FILE "-wal"),
                                              ADIT_BYTES_INIT(ADIT_STORE_FILE "-shm"),
                                              ADIT_BYTES_INIT(ADIT_STORE_MARK)};
    char path[128] = {0};
    adit_store_close(&scene->store);
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(scene->folder),
                                 ADIT_AT(names, i)));
        unlink(path);
    }
    assert_int_equal(rmdir(scene->folder), 0);
}

static struct adit_store_token token_of(uint8_t number, struct adit_bytes account)
{
    struct adit_store_token token = {.id = {number, [15] = 1},
                                     .hash = {number},
                                     .kind = ADIT_TOKEN_USER,
                                     .allows = ADIT_TOKEN_ALLOWS_HTTP,
                                     .created_s = NOW,
                                     .expires_s = ADIT_TOKEN_EXPIRES_NEVER};
    assert_ok(ADIT_FIELD_SET(token.account, account));
    assert_ok(ADIT_FIELD_SET(token.names, ADIT_BYTES("a,shop-*")));
    return token;
}

/* --- Tokens ----------------------------------------------------------------------------------- */

struct seen {
    size_t count;
    struct adit_store_token last;
    size_t most;
};

static bool see(void *context, const struct adit_store_token *token)
{
    struct seen *seen = context;
    seen->count++;
    seen->last = *token;
    return seen->count != seen->most;
}

static void tokens_are_kept(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_store_token first = token_of(1, ALICE);
    struct adit_store_token second = token_of(2, ALICE);
    second.expires_s = LATER;
    second.kind = ADIT_TOKEN_MASTER;
    ADIT_AT(second.parent, 3) = 7;
    assert_ok(adit_store_token_add(&scene.store, &first));
    assert_fails(adit_store_token_add(&scene.store, &first), REFUSED);
    assert_ok(adit_store_token_add(&scene.store, &second));
    adit_store_close(&scene.store);
    assert_ok(adit_store_open(&scene.store, scene.path));
    struct seen seen = {0};
    uint64_t count = 0;
    assert_ok(adit_store_token_each(&scene.store, see, &seen));
    assert_ok(adit_store_token_count(&scene.store, &count));
    assert_int_equal(seen.count, 2);
    assert_int_equal(count, 2);
    assert_bytes(ADIT_OBJECT_BYTES(seen.last), ADIT_OBJECT_BYTES(second));
    seen = (struct seen){.most = 1};
    assert_ok(adit_store_token_each(&scene.store, see, &seen));
    assert_bytes(ADIT_OBJECT_BYTES(seen.last), ADIT_OBJECT_BYTES(first));
    scene_close(&scene);
}

static void tokens_that_break_rules_are_refused(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_store_token no_id = token_of(1, ALICE);
    struct adit_store_token no_names = token_of(1, ALICE);
    struct adit_store_token odd_account = token_of(1, ADIT_BYTES("-'; DROP TABLE tokens; --"));
    struct adit_store_token no_kind = token_of(1, ALICE);
    adit_span_fill(ADIT_SPAN_OF(no_id.id), 0);
    no_names.names.len = 0;
    no_kind.kind = ADIT_TOKEN_NONE;
    assert_fails(adit_store_token_add(&scene.store, &no_id), INVALID);
    assert_fails(adit_store_token_add(&scene.store, &no_names), INVALID);
    assert_fails(adit_store_token_add(&scene.store, &odd_account), INVALID);
    assert_fails(adit_store_token_add(&scene.store, &no_kind), REFUSED);
    assert_fails(adit_store_account_ensure(&scene.store, ADIT_BYTES(""), NOW), INVALID);
    assert_ok(adit_store_account_ensure(&scene.store, ALICE, NOW));
    assert_ok(adit_store_account_ensure(&scene.store, ALICE, LATER));
    uint64_t count = 9;
    assert_ok(adit_store_token_count(&scene.store, &count));
    assert_int_equal(count, 0);
    scene_close(&scene);
}

static void revocations_stay(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_store_token token = token_of(1, ALICE);
    struct adit_store_token other = token_of(2, BOB);
    bool was_revoked = true;
    assert_ok(adit_store_token_add(&scene.store, &token));
    assert_fails(adit_store_token_revoke(&scene.store, ADIT_BYTES_OF(other.id), NOW, &was_revoked),
                 REFUSED);
    assert_fails(adit_store_token_revoke(&scene.store, ADIT_BYTES("short"), NOW, &was_revoked),
                 INVALID);
    assert_ok(adit_store_token_revoke(&scene.store, ADIT_BYTES_OF(token.id), NOW, &was_revoked));
    assert_false(was_revoked);
    assert_ok(adit_store_token_revoke(&scene.store, ADIT_BYTES_OF(token.id), LATER, &was_revoked));
    assert_true(was_revoked);
    struct seen seen = {0};
    assert_ok(adit_store_token_each(&scene.store, see, &seen));
    assert_int_equal(seen.last.revoked_s, NOW);
    scene_close(&scene);
}

/* --- Leases ----------------------------------------------------------------------------------- */

static void names_are_used_held_and_given_up(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_store *store = &scene.store;
    uint64_t count = 9;
    assert_ok(adit_store_lease_use(store, NAME, ALICE, NOW));
    assert_ok(adit_store_lease_use(store, NAME, ALICE, NOW)); /* again: after a restart */
    assert_fails(adit_store_lease_use(store, NAME, BOB, NOW), REFUSED);
    assert_fails(adit_store_lease_end(store, NAME, BOB, LATER), REFUSED);
    assert_ok(adit_store_lease_end(store, NAME, ALICE, LATER));
    assert_fails(adit_store_lease_end(store, NAME, ALICE, LATER), REFUSED);
    assert_fails(adit_store_lease_use(store, NAME, BOB, LATER - 1), REFUSED);
    assert_ok(adit_store_lease_use(store, NAME, BOB, LATER)); /* its time is over */
    assert_fails(adit_store_lease_use(store, NAME, ALICE, LATER), REFUSED);
    assert_ok(adit_store_leases_expire(store, UINT32_MAX, &count));
    assert_int_equal(count, 0); /* in use */
    assert_ok(adit_store_leases_settle(store, LATER));
    assert_ok(adit_store_leases_expire(store, LATER - 1, &count));
    assert_int_equal(count, 0);
    assert_ok(adit_store_leases_expire(store, LATER, &count));
    assert_int_equal(count, 1);
    assert_ok(adit_store_lease_count(store, &count));
    assert_int_equal(count, 0);
    assert_fails(adit_store_lease_use(store, ADIT_BYTES("No"), ALICE, NOW), INVALID);
    assert_fails(adit_store_lease_use(store, NAME, ADIT_BYTES(""), NOW), INVALID);
    scene_close(&scene);
}

static void what_fails_between_begin_and_end_is_taken_back(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_status failure = {0};
    uint64_t count = 9;
    failure = adit_store_account_ensure(&scene.store, ADIT_BYTES(""), NOW);
    assert_ok(adit_store_begin(&scene.store));
    assert_ok(adit_store_lease_use(&scene.store, NAME, ALICE, NOW));
    assert_fails(adit_store_end(&scene.store, failure), INVALID);
    assert_ok(adit_store_lease_count(&scene.store, &count));
    assert_int_equal(count, 0);
    assert_ok(adit_store_begin(&scene.store));
    assert_ok(adit_store_lease_use(&scene.store, NAME, ALICE, NOW));
    assert_ok(adit_store_end(&scene.store, adit_ok()));
    assert_ok(adit_store_lease_count(&scene.store, &count));
    assert_int_equal(count, 1);
    scene_close(&scene);
}

/* --- Snapshot --------------------------------------------------------------------------------- */

static void a_snapshot_tells_leases_and_live_revocations(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    struct adit_store *store = &scene.store;
    bool was_revoked = false;
    for (uint8_t i = 1; i <= 3; i++) { /* 1 never ends, 2 is over, 3 is not revoked */
        struct adit_store_token token = token_of(i, ALICE);
        token.expires_s = i == 1 ? ADIT_TOKEN_EXPIRES_NEVER : NOW;
        assert_ok(adit_store_token_add(store, &token));
        if (i < 3) {
            assert_ok(
                adit_store_token_revoke(store, ADIT_BYTES_OF(token.id), NOW, &was_revoked));
        }
    }
    assert_ok(adit_store_lease_use(store, NAME, ALICE, NOW));
    assert_ok(adit_store_lease_use(store, ADIT_BYTES("held"), BOB, NOW));
    assert_ok(adit_store_lease_end(store, ADIT_BYTES("held"), BOB, LATER));
    uint64_t version = 0;
    uint64_t next = 0;
    assert_ok(adit_store_version_next(store, &version));
    assert_ok(adit_store_version_next(store, &next));
    assert_int_equal(version, 1);
    assert_int_equal(next, 2);
    uint8_t memory[512] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_store_snapshot_write(store, next, NOW, &writer));
    struct adit_snapshot snapshot = {0};
    struct adit_snapshot_lease lease = {0};
    struct adit_bytes id = {0};
    bool is_there = false;
    assert_ok(adit_snapshot_read(adit_writer_bytes(&writer), &snapshot));
    assert_int_equal(snapshot.version, 2);
    assert_int_equal(snapshot.leases, 2);
    assert_int_equal(snapshot.revocations, 1);
    assert_ok(adit_snapshot_lease_next(&snapshot, &lease, &is_there));
    assert_bytes(lease.name, NAME); /* in use comes first */
    assert_bytes(lease.account, ALICE);
    assert_int_equal(lease.until_s, ADIT_STORE_IN_USE);
    assert_ok(adit_snapshot_lease_next(&snapshot, &lease, &is_there));
    assert_int_equal(lease.until_s, LATER);
    assert_ok(adit_snapshot_revocation_next(&snapshot, &id, &is_there));
    assert_bytes(id, ADIT_BYTES_OF(token_of(1, ALICE).id));
    struct adit_writer small = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), 60));
    assert_fails(adit_store_snapshot_write(store, 3, NOW, &small), LIMIT);
    assert_int_equal(small.len, 0);
    scene_close(&scene);
}

/* --- Several, and trouble --------------------------------------------------------------------- */

static void another_connection_is_noticed(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store other = {0};
    uint64_t before = 0;
    uint64_t after = 0;
    scene_open(&scene);
    assert_ok(adit_store_open(&other, scene.path));
    assert_ok(adit_store_change_get(&scene.store, &before));
    assert_ok(adit_store_lease_use(&scene.store, NAME, ALICE, NOW));
    assert_ok(adit_store_change_get(&scene.store, &after));
    assert_int_equal(before, after); /* its own */
    assert_ok(adit_store_lease_use(&other, NAME, ALICE, NOW));
    assert_ok(adit_store_change_get(&scene.store, &after));
    assert_true(before != after);
    adit_store_close(&other);
    scene_close(&scene);
}

static void a_busy_database_says_so(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store other = {0};
    scene_open(&scene);
    assert_ok(adit_store_open(&other, scene.path));
    assert_int_equal(sqlite3_busy_timeout(other.database, 20), SQLITE_OK);
    assert_ok(adit_store_begin(&scene.store));
    assert_fails(adit_store_begin(&other), TIMEOUT);
    assert_fails(adit_store_lease_use(&other, NAME, ALICE, NOW), TIMEOUT);
    assert_ok(adit_store_end(&scene.store, adit_ok()));
    assert_ok(adit_store_lease_use(&other, NAME, ALICE, NOW));
    adit_store_close(&other);
    scene_close(&scene);
}

static void a_full_disk_says_so_and_passes(void **state)
{
    (void)state;
    struct scene scene = {0};
    uint64_t count = 0;
    scene_open(&scene);
    assert_ok(adit_store_begin(&scene.store));
    assert_ok(adit_sqlite_run(&scene.store, ADIT_SQLITE_TEXT("PRAGMA max_page_count = 1")));
    struct adit_status status = adit_ok();
    uint8_t name[40] = {0};
    adit_span_fill(ADIT_SPAN_OF(name), 'n');
    for (uint32_t i = 0; i < 676 && adit_is_ok(status); i++) {
        ADIT_AT(name, 30) = (uint8_t)('a' + i / 26);
        ADIT_AT(name, 31) = (uint8_t)('a' + i % 26);
        status = adit_store_lease_use(&scene.store, ADIT_BYTES_OF(name), ALICE, NOW);
    }
    assert_fails(adit_store_end(&scene.store, status), SYSTEM);
    assert_ok(adit_sqlite_run(&scene.store, ADIT_SQLITE_TEXT("PRAGMA max_page_count = 10000")));
    assert_ok(adit_store_lease_use(&scene.store, NAME, ALICE, NOW));
    assert_ok(adit_store_lease_count(&scene.store, &count));
    assert_int_equal(count, 1);
    scene_close(&scene);
}

static void what_cannot_be_opened_is_told(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store other = {0};
    struct stat about = {0};
    scene_open(&scene);
    assert_int_equal(stat(scene.path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_fails(adit_store_open(&other, "/nonexistent/adit.db"), SYSTEM);
    assert_fails(adit_store_open(&other, "/proc/adit.db"), SYSTEM); /* nobody may write there */
    assert_fails(adit_store_open(&other, scene.folder), SYSTEM);
    assert_null(other.database);
    uint64_t change = 0;
    assert_fails(adit_store_change_get(&other, &change), CLOSED);
    scene_close(&scene);
}

/* One bit of the file at a time, all over it: it is refused, or what must be right is right. */
static void a_damaged_file_is_refused(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store_token token = token_of(0x5a, ALICE);
    static uint8_t memory[256 * 1024];
    struct adit_writer whole = adit_writer_of(ADIT_SPAN_OF(memory));
    bool was_revoked = false;
    scene_open(&scene);
    assert_ok(adit_store_token_add(&scene.store, &token));
    assert_ok(adit_store_token_revoke(&scene.store, ADIT_BYTES_OF(token.id), NOW, &was_revoked));
    adit_store_close(&scene.store);
    assert_ok(adit_file_read(scene.path, &whole));
    size_t refused = 0;
    for (size_t at = 0; at < whole.len; at += 1 + at / 3) {
        ADIT_AT(memory, at) ^= 0x10;
        assert_ok(adit_file_write(scene.path, 0600, adit_writer_bytes(&whole)));
        ADIT_AT(memory, at) ^= 0x10;
        struct seen seen = {0};
        if (!adit_is_ok(adit_store_open(&scene.store, scene.path))) {
            refused++;
            continue;
        }
        if (adit_is_ok(adit_store_token_each(&scene.store, see, &seen))) {
            assert_int_equal(seen.count, 1);
            assert_bytes(ADIT_BYTES_OF(seen.last.id), ADIT_BYTES_OF(token.id));
            assert_true(seen.last.revoked_s != 0);
        }
        adit_store_close(&scene.store);
    }
    assert_true(refused > 5);
    assert_ok(adit_file_write(scene.path, 0600, adit_bytes_first(adit_writer_bytes(&whole), 5000)));
    assert_fails(adit_store_open(&scene.store, scene.path), INVALID);
    assert_ok(adit_file_write(scene.path, 0600, ADIT_BYTES("this is a letter to my aunt\n")));
    assert_fails(adit_store_open(&scene.store, scene.path), INVALID);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_kept),
        cmocka_unit_test(tokens_that_break_rules_are_refused),
        cmocka_unit_test(revocations_stay),
        cmocka_unit_test(names_are_used_held_and_given_up),
        cmocka_unit_test(what_fails_between_begin_and_end_is_taken_back),
        cmocka_unit_test(a_snapshot_tells_leases_and_live_revocations),
        cmocka_unit_test(another_connection_is_noticed),
        cmocka_unit_test(a_busy_database_says_so),
        cmocka_unit_test(a_full_disk_says_so_and_passes),
        cmocka_unit_test(what_cannot_be_opened_is_told),
        cmocka_unit_test(a_damaged_file_is_refused),
    };
    return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
