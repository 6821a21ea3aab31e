/* A database that was there and is gone, empty or another's is not made anew. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

struct scene {
    char folder[64];
    char path[128], mark[128], spare[128];
};

static void path_of(const struct scene *scene, struct adit_bytes name, struct adit_span out)
{
    assert_ok(adit_path_join(out, adit_bytes_of_text(scene->folder), name));
}

/* With a database that has been opened once. */
static void scene_open(struct scene *scene)
{
    struct adit_store store = {0};
    *scene = (struct scene){.folder = "/tmp/adit-mark-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->folder));
    path_of(scene, ADIT_BYTES(ADIT_STORE_FILE), ADIT_OBJECT_SPAN(scene->path));
    path_of(scene, ADIT_BYTES(ADIT_STORE_MARK), ADIT_OBJECT_SPAN(scene->mark));
    path_of(scene, ADIT_BYTES("spare"), ADIT_OBJECT_SPAN(scene->spare));
    assert_ok(adit_store_open(&store, scene->path));
    assert_int_equal(access(scene->mark, F_OK), 0);
    adit_store_close(&store);
}

static void scene_close(struct scene *scene)
{
    static const struct adit_bytes names[] = {
        ADIT_BYTES_INIT(ADIT_STORE_FILE), ADIT_BYTES_INIT(ADIT_STORE_MARK),
        ADIT_BYTES_INIT(ADIT_STORE_FILE "-wal"), ADIT_BYTES_INIT(ADIT_STORE_FILE "-shm"),
        ADIT_BYTES_INIT("spare")};
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        char path[128] = {0};
        path_of(scene, ADIT_AT(names, i), ADIT_OBJECT_SPAN(path));
        unlink(path);
    }
    assert_int_equal(rmdir(scene->folder), 0);
}

static void expect_open(const struct scene *scene, enum adit_error error)
{
    struct adit_store store = {0};
    assert_int_equal(adit_status_error(adit_store_open(&store, scene->path)), error);
    assert_int_equal(store.database != NULL, error == ADIT_ERROR_NONE);
    adit_store_close(&store);
}

static void one_that_is_missing_is_refused(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    assert_int_equal(rename(scene.path, scene.spare), 0);
    expect_open(&scene, ADIT_ERROR_REFUSED);
    assert_int_equal(access(scene.path, F_OK), -1); /* nothing was made in its place */
    assert_int_equal(rename(scene.spare, scene.path), 0);
    expect_open(&scene, ADIT_ERROR_NONE); /* the backup */
    assert_int_equal(unlink(scene.path), 0);
    assert_int_equal(unlink(scene.mark), 0);
    expect_open(&scene, ADIT_ERROR_NONE); /* begun anew */
    assert_int_equal(access(scene.mark, F_OK), 0);
    scene_close(&scene);
}

static void one_that_is_empty_is_refused(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene_open(&scene);
    assert_int_equal(truncate(scene.path, 0), 0);
    expect_open(&scene, ADIT_ERROR_REFUSED);
    assert_int_equal(unlink(scene.mark), 0);
    expect_open(&scene, ADIT_ERROR_NONE); /* a start that was cut short */
    scene_close(&scene);
}

/* A good database that holds nothing of ours. */
static void another_one_is_refused(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store other = {0};
    struct sqlite3 *letters = NULL;
    scene_open(&scene);
    assert_int_equal(unlink(scene.path), 0);
    assert_int_equal(sqlite3_open(scene.path, &letters), SQLITE_OK);
    assert_int_equal(sqlite3_exec(letters, "CREATE TABLE letters (text)", NULL, NULL, NULL), 0);
    assert_int_equal(sqlite3_close(letters), SQLITE_OK);
    expect_open(&scene, ADIT_ERROR_INVALID);
    assert_int_equal(unlink(scene.mark), 0);
    assert_ok(adit_store_open(&other, scene.path)); /* it is good in itself */
    adit_store_close(&other);
    scene_close(&scene);
}

static void one_that_was_moved_is_noticed(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store store = {0};
    scene_open(&scene);
    assert_false(adit_store_is_moved(&store)); /* closed */
    assert_ok(adit_store_open(&store, scene.path));
    assert_false(adit_store_is_moved(&store));
    assert_int_equal(rename(scene.path, scene.spare), 0);
    assert_true(adit_store_is_moved(&store));
    assert_int_equal(rename(scene.spare, scene.path), 0);
    assert_false(adit_store_is_moved(&store));
    assert_int_equal(unlink(scene.path), 0);
    assert_true(adit_store_is_moved(&store));
    adit_store_close(&store);
    scene_close(&scene);
}

static void where_no_mark_can_be_made_it_fails(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct adit_store store = {0};
    scene_open(&scene);
    assert_int_equal(unlink(scene.mark), 0);
    assert_int_equal(symlink("/nonexistent/mark", scene.mark), 0); /* dangling: no mark, no room */
    expect_open(&scene, ADIT_ERROR_NONE); /* a link is there, and nothing is written through it */
    assert_int_equal(access("/nonexistent/mark", F_OK), -1);
    static char endless[5000];
    adit_span_fill(adit_span_first(ADIT_OBJECT_SPAN(endless), sizeof endless - 1), 'x');
    assert_fails(adit_store_open(&store, endless), LIMIT);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_missing_is_refused),
        cmocka_unit_test(one_that_is_empty_is_refused),
        cmocka_unit_test(another_one_is_refused),
        cmocka_unit_test(one_that_was_moved_is_noticed),
        cmocka_unit_test(where_no_mark_can_be_made_it_fails),
    };
    return cmocka_run_group_tests_name("store/mark", tests, NULL, NULL);
}
