#include "net/devca.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "net/certificate.h"
#include "unit.h"

struct folder {
    char name[32];
};

static const char *const files[] = {"ca.pem", "ca.key", "server.pem", "server.key"};
enum { CA_PEM, CA_KEY, SERVER_PEM, SERVER_KEY };

static struct folder folder_open(void)
{
    struct folder folder = {.name = "/tmp/adit-devca-XXXXXX"};
    assert_non_null(mkdtemp(folder.name));
    return folder;
}

static const char *path_of(const struct folder *folder, size_t file, struct adit_span room)
{
    assert_ok(adit_path_join(room, adit_bytes_of_text(folder->name),
                             adit_bytes_of_text(ADIT_AT(files, file))));
    const void *path = room.ptr;
    return path;
}

static void folder_close(struct folder *folder)
{
    uint8_t room[128];
    for (size_t i = 0; i < ADIT_COUNT(files); i++) {
        unlink(path_of(folder, i, ADIT_SPAN_OF(room)));
    }
    assert_int_equal(rmdir(folder->name), 0); /* nothing else was left there */
}

struct copies {
    uint8_t rooms[ADIT_COUNT(files)][4096];
    struct adit_writer texts[ADIT_COUNT(files)];
};

static void read_all(const struct folder *folder, struct copies *copies)
{
    uint8_t room[128];
    for (size_t i = 0; i < ADIT_COUNT(files); i++) {
        ADIT_AT(copies->texts, i) = adit_writer_of(ADIT_SPAN_OF(ADIT_AT(copies->rooms, i)));
        assert_ok(adit_file_read(path_of(folder, i, ADIT_SPAN_OF(room)),
                                 &ADIT_AT(copies->texts, i)));
    }
}

static bool is_same(const struct copies *a, const struct copies *b, size_t file)
{
    return adit_bytes_equal(adit_writer_bytes(&ADIT_AT(a->texts, file)),
                            adit_writer_bytes(&ADIT_AT(b->texts, file)));
}

static struct adit_status ensure(const struct folder *folder, const char *domain)
{
    return adit_devca_ensure(adit_bytes_of_text(folder->name), adit_bytes_of_text(domain));
}

static void made_once_and_kept(void **state)
{
    (void)state;
    struct folder folder = folder_open();
    assert_ok(ensure(&folder, "adit.localhost"));
    const mode_t modes[] = {0644, 0600, 0644, 0600};
    uint8_t room[128];
    for (size_t i = 0; i < ADIT_COUNT(files); i++) {
        struct stat info = {0};
        assert_int_equal(stat(path_of(&folder, i, ADIT_SPAN_OF(room)), &info), 0);
        assert_int_equal(info.st_mode & 07777, ADIT_AT(modes, i));
    }
    static struct copies before;
    static struct copies after;
    read_all(&folder, &before);
    assert_ok(ensure(&folder, "adit.localhost"));
    read_all(&folder, &after);
    for (size_t i = 0; i < ADIT_COUNT(files); i++) {
        assert_true(is_same(&before, &after, i));
    }
    folder_close(&folder);
}

static void a_missing_or_broken_leaf_is_made_anew(void **state)
{
    (void)state;
    struct folder folder = folder_open();
    assert_ok(ensure(&folder, "adit.localhost"));
    static struct copies before;
    static struct copies after;
    uint8_t room[128];
    for (int way = 0; way < 4; way++) {
        const char *pem = path_of(&folder, SERVER_PEM, ADIT_SPAN_OF(room));
        read_all(&folder, &before);
        if (way == 0) {
            unlink(pem);
        } else if (way == 1) {
            assert_ok(adit_file_write(pem, 0644, ADIT_BYTES("garbage")));
        } else if (way == 2) { /* a crash between the two files */
            assert_ok(adit_file_write(pem, 0644,
                                      adit_writer_bytes(&ADIT_AT(before.texts, CA_PEM))));
        } else {
            unlink(path_of(&folder, SERVER_KEY, ADIT_SPAN_OF(room)));
        }
        assert_ok(ensure(&folder, "adit.localhost"));
        read_all(&folder, &after);
        assert_true(is_same(&before, &after, CA_PEM));
        assert_true(is_same(&before, &after, CA_KEY));
        assert_false(is_same(&before, &after, SERVER_PEM));
        assert_false(is_same(&before, &after, SERVER_KEY));
    }
    folder_close(&folder);
}

static void another_domain_gets_another_authority(void **state)
{
    (void)state;
    struct folder folder = folder_open();
    static struct copies before;
    static struct copies after;
    assert_ok(ensure(&folder, "adit.localhost"));
    read_all(&folder, &before);
    assert_ok(ensure(&folder, "tunnel.example"));
    read_all(&folder, &after);
    assert_false(is_same(&before, &after, CA_PEM));
    assert_false(is_same(&before, &after, SERVER_PEM));
    assert_ok(ensure(&folder, "eu.tunnel.example")); /* below the domain: the same authority */
    read_all(&folder, &before);
    assert_true(is_same(&before, &after, CA_PEM));
    assert_false(is_same(&before, &after, SERVER_PEM));
    folder_close(&folder);
}

static void write_pair(const struct folder *folder, const struct adit_certificate *certificate,
                       size_t pem_file, size_t key_file)
{
    uint8_t room[128];
    uint8_t pem_room[4096];
    uint8_t key_room[4096];
    struct adit_writer pem = adit_writer_of(ADIT_SPAN_OF(pem_room));
    struct adit_writer key = adit_writer_of(ADIT_SPAN_OF(key_room));
    assert_ok(adit_certificate_write(certificate, &pem));
    assert_ok(adit_certificate_write_key(certificate, &key));
    assert_ok(adit_file_write(path_of(folder, pem_file, ADIT_SPAN_OF(room)), 0644,
                              adit_writer_bytes(&pem)));
    assert_ok(adit_file_write(path_of(folder, key_file, ADIT_SPAN_OF(room)), 0600,
                              adit_writer_bytes(&key)));
}

static void what_ends_soon_is_made_anew(void **state)
{
    (void)state;
    struct {
        uint32_t authority_days, leaf_days;
        bool is_authority_kept, is_leaf_kept;
    } rows[] = {{3650, 31, true, true}, {3650, 29, true, false}, {29, 90, false, false}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct folder folder = folder_open();
        struct adit_certificate authority = {0};
        struct adit_certificate leaf = {0};
        struct adit_certificate_options options = {.common_name = ADIT_BYTES_INIT("old"),
                                                   .domain = ADIT_BYTES_INIT("adit.localhost"),
                                                   .is_authority = true,
                                                   .days = ADIT_AT(rows, i).authority_days};
        assert_ok(adit_certificate_make(&options, &authority));
        options.is_authority = false;
        options.issuer = &authority;
        options.days = ADIT_AT(rows, i).leaf_days;
        assert_ok(adit_certificate_make(&options, &leaf));
        write_pair(&folder, &authority, CA_PEM, CA_KEY);
        write_pair(&folder, &leaf, SERVER_PEM, SERVER_KEY);
        static struct copies before;
        static struct copies after;
        read_all(&folder, &before);
        assert_ok(ensure(&folder, "adit.localhost"));
        read_all(&folder, &after);
        assert_int_equal(is_same(&before, &after, CA_PEM), ADIT_AT(rows, i).is_authority_kept);
        assert_int_equal(is_same(&before, &after, SERVER_PEM), ADIT_AT(rows, i).is_leaf_kept);
        adit_certificate_drop(&leaf);
        adit_certificate_drop(&authority);
        folder_close(&folder);
    }
}

static void what_is_not_ours_is_not_overwritten(void **state)
{
    (void)state;
    struct folder folder = folder_open();
    uint8_t room[128];
    assert_ok(ensure(&folder, "adit.localhost"));
    assert_ok(adit_file_write(path_of(&folder, CA_KEY, ADIT_SPAN_OF(room)), 0600,
                              ADIT_BYTES("a key with a password, say")));
    assert_fails(ensure(&folder, "adit.localhost"), CRYPTO);
    folder_close(&folder);
    struct folder nowhere = {.name = "/nonexistent/adit"};
    assert_fails(ensure(&nowhere, "adit.localhost"), SYSTEM);
    assert_fails(ensure(&nowhere, ""), INVALID);
    assert_fails(ensure(&nowhere, "no,commas"), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_once_and_kept),
        cmocka_unit_test(a_missing_or_broken_leaf_is_made_anew),
        cmocka_unit_test(another_domain_gets_another_authority),
        cmocka_unit_test(what_ends_soon_is_made_anew),
        cmocka_unit_test(what_is_not_ours_is_not_overwritten),
    };
    return cmocka_run_group_tests_name("net/devca", tests, NULL, NULL);
}
