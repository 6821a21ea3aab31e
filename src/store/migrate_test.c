/* Includes the source: it migrates by a list of its own. */
#include "store/migrate.c"

#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "unit.h"

#define OPENERS 6

struct scene {
    char folder[64];
    char path[128];
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.folder = "/tmp/adit-migrate-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->folder));
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(scene->path), adit_bytes_of_text(scene->folder),
                             ADIT_BYTES(ADIT_STORE_FILE)));
}

/* Where two close at once, neither may be the last one, and SQLite's other files stay. */
static void scene_close(struct scene *scene)
{
    static const struct adit_bytes names[] = {ADIT_BYTES_INIT(ADIT_STORE_FILE),
                                              ADIT_BYTES_INIT(ADIT_STORE_FILE "-wal"),
                                              ADIT_BYTES_INIT(ADIT_STORE_FILE "-shm"),
                                              ADIT_BYTES_INIT(ADIT_STORE_MARK)};
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        char path[128] = {0};
        assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(scene->folder),
                                 ADIT_AT(names, i)));
        assert_true(unlink(path) == 0 || i > 0);
    }
    assert_int_equal(rmdir(scene->folder), 0);
}

static uint64_t number_of(struct adit_store *store, const char *text)
{
    uint64_t number = 0;
    assert_ok(adit_sqlite_number_get(store, &(const struct adit_sqlite_query){.text = text},
                                     &number));
    return number;
}

static void each_is_applied_once(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store store = {0};
    scene_open(&scene);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(adit_store_open(&store, scene.path));
        assert_int_equal(number_of(&store, "SELECT count(*) FROM migrations"),
                         ADIT_COUNT(migrations));
        assert_int_equal(number_of(&store, "SELECT value FROM versions"), i);
        uint64_t version = 0;
        assert_ok(adit_store_version_next(&store, &version));
        adit_store_close(&store);
    }
    scene_close(&scene);
}

static void the_settings_hold(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store store = {0};
    scene_open(&scene);
    assert_ok(adit_store_open(&store, scene.path));
    assert_int_equal(number_of(&store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number_of(&store, "PRAGMA synchronous"), 2);
    assert_int_equal(number_of(&store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    static const char *const refused[] = {
        "SELECT \"a text in the wrong quotes\"",
        "SELECT load_extension('x')",
        "INSERT INTO versions (name, value) VALUES ('x', 'no number')",
        "INSERT INTO leases (name, account, first_s) VALUES ('x', 99, 1)",
        "UPDATE sqlite_schema SET sql = ''",
    };
    for (size_t i = 0; i < ADIT_COUNT(refused); i++) {
        const struct adit_sqlite_query query = {.text = ADIT_AT(refused, i)};
        assert_false(adit_is_ok(adit_sqlite_run(&store, &query)));
    }
    adit_store_close(&store);
    scene_close(&scene);
}

static void a_newer_database_is_refused(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store store = {0};
    scene_open(&scene);
    assert_ok(adit_store_open(&store, scene.path));
    assert_ok(adit_sqlite_run(
        &store, ADIT_SQLITE_TEXT("INSERT INTO migrations (number, applied_s) VALUES (99, 0)")));
    adit_store_close(&store);
    assert_fails(adit_store_open(&store, scene.path), REFUSED);
    assert_null(store.database);
    scene_close(&scene);
}

static void half_a_migration_leaves_nothing(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store store = {0};
    scene_open(&scene);
    assert_ok(adit_store_open(&store, scene.path));
    assert_ok(adit_store_begin(&store));
    assert_fails(adit_store_end(&store, text_run(&store, ADIT_BYTES("CREATE TABLE x (y);\n"
                                                                    "CREATE TABLE x (y);\n"))),
                 INTERNAL);
    assert_int_equal(number_of(&store, "SELECT count(*) FROM sqlite_schema WHERE name = 'x'"), 0);
    static const uint8_t large[TEXT_BYTES_MAX + 1] = {0};
    assert_fails(text_run(&store, ADIT_BYTES_OF(large)), LIMIT);
    adit_store_close(&store);
    scene_close(&scene);
}

static int open_once(const struct scene *scene)
{
    struct adit_store store = {0};
    bool is_fine = adit_is_ok(adit_store_open(&store, scene->path)) &&
                   number_of(&store, "SELECT count(*) FROM migrations") == ADIT_COUNT(migrations);
    adit_store_close(&store);
    return is_fine ? 0 : 1;
}

static void many_open_at_once(void **state)
{
    (void)state;
    for (size_t round = 0; round < 5; round++) {
        struct scene scene = {0};
        pid_t openers[OPENERS] = {0};
        scene_open(&scene);
        for (size_t i = 0; i < OPENERS; i++) {
            ADIT_AT(openers, i) = fork();
            if (ADIT_AT(openers, i) == 0) {
                alarm(CHILD_SECONDS_MAX);
                _exit(open_once(&scene));
            }
        }
        for (size_t i = 0; i < OPENERS; i++) {
            int how = -1;
            assert_int_equal(waitpid(ADIT_AT(openers, i), &how, 0), ADIT_AT(openers, i));
            assert_int_equal(how, 0);
        }
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_applied_once),
        cmocka_unit_test(the_settings_hold),
        cmocka_unit_test(a_newer_database_is_refused),
        cmocka_unit_test(half_a_migration_leaves_nothing),
        cmocka_unit_test(many_open_at_once),
    };
    return cmocka_run_group_tests_name("store/migrate", tests, NULL, NULL);
}
