#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char folder[] = "/tmp/adit-file-test-XXXXXX";

/* folder/name in `memory`, which outlives the use. */
static const char *path_of(struct adit_bytes name, struct adit_span memory)
{
    assert_ok(adit_path_join(memory, adit_bytes_of_text(folder), name));
    return (const char *)memory.ptr;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    const char *path = path_of(ADIT_BYTES("key"), ADIT_SPAN_OF(memory));
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("first\0and more")));
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("second")));
    uint8_t content[16] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(content));
    assert_ok(adit_write_u8(&writer, '>')); /* reading appends */
    assert_ok(adit_file_read(path, &writer));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES(">second"));
    struct stat stat_here = {0};
    assert_int_equal(stat(path, &stat_here), 0);
    assert_int_equal(stat_here.st_mode & 0777, 0600);
    assert_int_equal(stat_here.st_nlink, 1);
    assert_int_equal(unlink(path), 0);
}

static void create_replaces_nothing(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    uint8_t content[16] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(content));
    const char *path = path_of(ADIT_BYTES("once"), ADIT_SPAN_OF(memory));
    assert_ok(adit_file_create(path, 0600, ADIT_BYTES("first")));
    assert_fails(adit_file_create(path, 0600, ADIT_BYTES("second")), REFUSED);
    assert_ok(adit_file_read(path, &writer));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("first"));
    struct stat stat_here = {0};
    assert_int_equal(stat(path, &stat_here), 0);
    assert_int_equal(stat_here.st_mode & 0777, 0600);
    assert_int_equal(stat_here.st_nlink, 1);
    assert_int_equal(unlink(path), 0);
    assert_fails(adit_file_create("/nonexistent/once", 0600, ADIT_BYTES("x")), SYSTEM);
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    const char *path = path_of(ADIT_BYTES("six"), ADIT_SPAN_OF(memory));
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("sixsix")));
    uint8_t content[6] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(content));
    assert_ok(adit_file_read(path, &writer));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("sixsix"));
    writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(content), 5));
    assert_fails(adit_file_read(path, &writer), LIMIT);
    assert_int_equal(writer.len, 0);
    writer = adit_writer_of((struct adit_span){0});
    assert_fails(adit_file_read(path, &writer), LIMIT);
    uint64_t size = 0;
    assert_ok(adit_file_size_get(path, &size));
    assert_int_equal(size, 6);
    assert_ok(adit_file_write(path, 0600, (struct adit_bytes){0}));
    assert_ok(adit_file_read(path, &writer)); /* an empty file fits no room */
    assert_int_equal(unlink(path), 0);
}

static void a_descriptor_is_read_from_its_start(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    const char *path = path_of(ADIT_BYTES("fd"), ADIT_SPAN_OF(memory));
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("abc")));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        uint8_t content[8] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(content));
        assert_ok(adit_file_read_fd(fd, &writer));
        assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("abc"));
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

static void failures_carry_errno(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    uint8_t content[8] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(content));
    struct adit_status status =
        adit_file_read(path_of(ADIT_BYTES("none"), ADIT_SPAN_OF(memory)), &writer);
    assert_int_equal(adit_status_error(status), ADIT_ERROR_SYSTEM);
    assert_int_equal(status.detail, ENOENT);
    status = adit_file_read(folder, &writer);
    assert_int_equal(adit_status_error(status), ADIT_ERROR_SYSTEM);
    assert_int_equal(status.detail, EISDIR);
    uint64_t size = 7;
    status = adit_file_size_get(path_of(ADIT_BYTES("none"), ADIT_SPAN_OF(memory)), &size);
    assert_int_equal(status.detail, ENOENT);
    assert_int_equal(size, 7);
    status = adit_file_read_fd(-1, &writer);
    assert_int_equal(status.detail, EBADF);
    status = adit_file_write(path_of(ADIT_BYTES("none/x"), ADIT_SPAN_OF(memory)), 0600,
                             ADIT_BYTES("x"));
    assert_int_equal(status.detail, ENOENT);
    assert_int_equal(writer.len, 0);
}

/* The target is a folder, so the last step fails: nothing may be left beside it. */
static void a_write_that_fails_leaves_nothing(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    const char *path = path_of(ADIT_BYTES("taken"), ADIT_SPAN_OF(memory));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(adit_file_write(path, 0600, ADIT_BYTES("x")), SYSTEM);
    assert_int_equal(rmdir(path), 0);
    /* remove_folder, at the end of the group, fails where a file is left */
}

static void paths_join_with_one_slash(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes folder, name, joined;
    } cases[] = {
        {ADIT_BYTES_INIT("/a"), ADIT_BYTES_INIT("b"), ADIT_BYTES_INIT("/a/b\0")},
        {ADIT_BYTES_INIT("/a/"), ADIT_BYTES_INIT("b"), ADIT_BYTES_INIT("/a/b\0")},
        {ADIT_BYTES_INIT("/"), ADIT_BYTES_INIT("b"), ADIT_BYTES_INIT("/b\0")},
        {ADIT_BYTES_INIT("a"), ADIT_BYTES_INIT(""), ADIT_BYTES_INIT("a/\0")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_bytes joined = ADIT_AT(cases, i).joined;
        uint8_t memory[16] = {0};
        struct adit_span exact = adit_span_first(ADIT_SPAN_OF(memory), joined.len);
        assert_ok(adit_path_join(exact, ADIT_AT(cases, i).folder, ADIT_AT(cases, i).name));
        assert_bytes(adit_span_bytes(exact), joined);
        assert_fails(adit_path_join(adit_span_first(exact, joined.len - 1),
                                    ADIT_AT(cases, i).folder, ADIT_AT(cases, i).name),
                     LIMIT);
    }
}

static void a_sealed_file_stays_as_it_is(void **state)
{
    (void)state;
    int fd = -1;
    uint8_t memory[16] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_file_seal(ADIT_BYTES("for all"), &fd));
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_ok(adit_file_read_fd(fd, &writer));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("for all"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(create_replaces_nothing),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(a_descriptor_is_read_from_its_start),
        cmocka_unit_test(failures_carry_errno),
        cmocka_unit_test(a_write_that_fails_leaves_nothing),
        cmocka_unit_test(paths_join_with_one_slash),
        cmocka_unit_test(a_sealed_file_stays_as_it_is),
    };
    return cmocka_run_group_tests_name("base/file", tests, make_folder, remove_folder);
}
