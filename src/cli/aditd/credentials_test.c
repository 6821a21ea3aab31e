#include "cli/aditd/credentials.h"

#include <sys/mman.h>

#include "net/devca.h"

#include "unit.h"

static const struct adit_bytes files[] = {
    ADIT_BYTES_INIT("ca.pem"), ADIT_BYTES_INIT("ca.key"), ADIT_BYTES_INIT("server.pem"),
    ADIT_BYTES_INIT("server.key"), ADIT_BYTES_INIT("none.pem")};
enum file { CA_PEM, CA_KEY, SERVER_PEM, SERVER_KEY, NONE, FILE_COUNT };

struct scene {
    char folder[64];
    char paths[FILE_COUNT][96];
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.folder = "/tmp/adit-credentials-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->folder));
    for (size_t i = 0; i < FILE_COUNT; i++) {
        assert_ok(adit_path_join(ADIT_OBJECT_SPAN(ADIT_AT(scene->paths, i)),
                                 adit_bytes_of_text(scene->folder), ADIT_AT(files, i)));
    }
    assert_ok(adit_devca_ensure(adit_bytes_of_text(scene->folder), ADIT_BYTES("adit.localhost")));
}

static void scene_close(struct scene *scene)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        (void)unlink(ADIT_AT(scene->paths, i));
    }
    assert_int_equal(rmdir(scene->folder), 0);
}

/* What is said on standard error, and the answer. */
static bool judge(const struct adit_serve_settings *settings, struct adit_writer *said)
{
    int saved = dup(STDERR_FILENO);
    int taken = memfd_create("error", MFD_CLOEXEC);
    dup2(taken, STDERR_FILENO);
    bool is_good = adit_credentials_are_good(settings);
    dup2(saved, STDERR_FILENO);
    close(saved);
    said->len = 0;
    assert_ok(adit_file_read_fd(taken, said));
    close(taken);
    return is_good;
}

static void a_wrong_file_is_named(void **state)
{
    (void)state;
    static const struct {
        enum file certificate, key, wrong;
        const char *sentence;
    } cases[] = {
        {SERVER_PEM, CA_KEY, CA_KEY, ": the private key does not belong to the certificate\n"},
        {SERVER_KEY, SERVER_PEM, SERVER_KEY, ": no certificate in the file\n"},
        {SERVER_PEM, SERVER_PEM, SERVER_PEM,
         ": a private key does not parse (keys with a password are not supported)\n"},
        {NONE, SERVER_KEY, NONE, ": the file cannot be opened (No such file or directory)\n"},
        {SERVER_PEM, NONE, NONE, ": the file cannot be opened (No such file or directory)\n"},
    };
    struct scene scene = {0};
    scene_open(&scene);
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[512] = {0};
        uint8_t wanted_memory[512] = {0};
        struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_writer wanted = adit_writer_of(ADIT_SPAN_OF(wanted_memory));
        const struct adit_serve_settings settings = {
            .certificate = ADIT_AT(scene.paths, ADIT_AT(cases, i).certificate),
            .key = ADIT_AT(scene.paths, ADIT_AT(cases, i).key),
            .domain = ADIT_BYTES("adit.localhost"),
        };
        assert_false(judge(&settings, &said));
        assert_ok(adit_write_bytes(&wanted, ADIT_BYTES("aditd: ")));
        assert_ok(adit_write_bytes(
            &wanted, adit_bytes_of_text(ADIT_AT(scene.paths, ADIT_AT(cases, i).wrong))));
        assert_ok(adit_write_bytes(&wanted, adit_bytes_of_text(ADIT_AT(cases, i).sentence)));
        assert_bytes(adit_writer_bytes(&said), adit_writer_bytes(&wanted));
    }
    scene_close(&scene);
}

static void a_good_pair_is_good_and_doubts_are_logged(void **state)
{
    (void)state;
    struct scene scene = {0};
    uint8_t memory[512] = {0};
    struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_serve_settings settings = {0};
    assert_true(judge(&settings, &said)); /* none were given */
    assert_int_equal(said.len, 0);
    scene_open(&scene);
    settings.certificate = ADIT_AT(scene.paths, SERVER_PEM);
    settings.key = ADIT_AT(scene.paths, SERVER_KEY);
    settings.domain = ADIT_BYTES("adit.localhost");
    assert_true(judge(&settings, &said));
    assert_int_equal(said.len, 0);
    settings.domain = ADIT_BYTES("tunnel.example");
    assert_true(judge(&settings, &said));
    assert_true(adit_bytes_ends_with(
        adit_writer_bytes(&said),
        ADIT_BYTES("domain=tunnel.example reason=\"it is not for the names of tunnels: "
                   "*.DOMAIN\"\n")));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_file_is_named),
        cmocka_unit_test(a_good_pair_is_good_and_doubts_are_logged),
    };
    return cmocka_run_group_tests_name("aditd/credentials", tests, NULL, NULL);
}
