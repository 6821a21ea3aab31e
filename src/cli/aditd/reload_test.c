#include "cli/aditd/reload.h"

#include "net/devca.h"

#include "unit.h"

#define WORDS_MAX 6
#define TEXT_BYTES 512

static const struct adit_bytes files[] = {
    ADIT_BYTES_INIT("ca.pem"),     ADIT_BYTES_INIT("ca.key"), ADIT_BYTES_INIT("server.pem"),
    ADIT_BYTES_INIT("server.key"), ADIT_BYTES_INIT("f.yaml"), ADIT_BYTES_INIT("again.pem")};
enum file { CA_PEM, CA_KEY, SERVER_PEM, SERVER_KEY, YAML, AGAIN_PEM, FILE_COUNT };

/* A server with a configuration file and a certificate of its own, and what it logs. */
struct scene {
    char folder[64];
    char paths[FILE_COUNT][96];
    char words[WORDS_MAX][TEXT_BYTES]; /* argv is not const */
    struct adit_args args;
    struct adit_config config, fresh;
    struct adit_serve_settings settings;
    struct adit_reload reload;
    struct adit_log log;
    uint8_t said[8192];
};

static const char *path_of(struct scene *scene, enum file file)
{
    return ADIT_AT(scene->paths, (size_t)file);
}

/* The file, with the certificate of the scene where `certificate` is one. */
static void file_write(struct scene *scene, struct adit_bytes text, int certificate)
{
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_write_bytes(&writer, text));
    if (certificate >= 0) {
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("cert: ")));
        assert_ok(adit_write_bytes(&writer, adit_bytes_of_text(path_of(
                                                scene, (enum file)certificate))));
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\nkey: ")));
        assert_ok(adit_write_bytes(&writer, adit_bytes_of_text(path_of(scene, SERVER_KEY))));
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\n")));
    }
    assert_ok(adit_file_write(path_of(scene, YAML), 0600, adit_writer_bytes(&writer)));
}

static void word_set(struct scene *scene, size_t at, struct adit_bytes text)
{
    assert_ok(adit_span_copy(ADIT_OBJECT_SPAN(ADIT_AT(scene->words, at)), text));
}

static void args_make(struct scene *scene)
{
    char *argv[WORDS_MAX] = {0};
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    word_set(scene, 0, ADIT_BYTES("aditd"));
    word_set(scene, 1, ADIT_BYTES("serve"));
    word_set(scene, 2, ADIT_BYTES("--config"));
    word_set(scene, 3, adit_bytes_of_text(path_of(scene, YAML)));
    word_set(scene, 4, ADIT_BYTES("--http-mode=serve"));
    for (size_t i = 0; i < 5; i++) {
        ADIT_AT(argv, i) = ADIT_AT(scene->words, i);
    }
    assert_ok(adit_args_parse(&adit_aditd_program, 5, argv, &complaint, &scene->args));
}

static void scene_open(struct scene *scene, struct adit_bytes text, int certificate)
{
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    *scene = (struct scene){.folder = "/tmp/adit-reload-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->folder));
    for (size_t i = 0; i < FILE_COUNT; i++) {
        assert_ok(adit_path_join(ADIT_OBJECT_SPAN(ADIT_AT(scene->paths, i)),
                                 adit_bytes_of_text(scene->folder), ADIT_AT(files, i)));
    }
    assert_ok(adit_devca_ensure(adit_bytes_of_text(scene->folder), ADIT_BYTES("adit.localhost")));
    assert_int_equal(link(path_of(scene, SERVER_PEM), path_of(scene, AGAIN_PEM)), 0);
    file_write(scene, text, certificate);
    args_make(scene);
    assert_ok(adit_config_load(path_of(scene, YAML), &scene->config, &complaint));
    assert_ok(adit_serve_settings_read(&scene->args, &scene->config, &complaint,
                                       &scene->settings));
    scene->reload = (struct adit_reload){.args = &scene->args,
                                         .file = path_of(scene, YAML),
                                         .config = &scene->config,
                                         .fresh = &scene->fresh,
                                         .settings = &scene->settings};
}

static void scene_close(struct scene *scene)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        (void)unlink(path_of(scene, (enum file)i));
    }
    assert_int_equal(rmdir(scene->folder), 0);
}

/* Reads anew; what was logged is in scene->said, as a text. */
static bool reload(struct scene *scene)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    adit_log_init(&scene->log, ends[1], ADIT_LOG_TEXT, ADIT_BYTES("test"));
    bool is_good = adit_reload_read(&scene->reload, &scene->log);
    close(ends[1]);
    adit_span_fill(ADIT_SPAN_OF(scene->said), 0);
    assert_true(read(ends[0], scene->said, sizeof scene->said - 1) >= 0);
    close(ends[0]);
    return is_good;
}

static bool has_said(const struct scene *scene, struct adit_bytes words)
{
    for (struct adit_bytes rest = ADIT_BYTES_OF(scene->said); rest.len > 0;
         rest = adit_bytes_from(rest, 1)) {
        if (adit_bytes_starts_with(rest, words)) {
            return true;
        }
    }
    return false;
}

static void what_can_change_is_taken(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene, ADIT_BYTES("drain: 10s\nname_hold: 1d\n"), SERVER_PEM);
    assert_true(reload(&scene));
    assert_false(has_said(&scene, ADIT_BYTES("key="))); /* nothing has changed */
    file_write(&scene, ADIT_BYTES("drain: 5s\nname_hold: 2d\n"), AGAIN_PEM);
    assert_true(reload(&scene));
    assert_int_equal(scene.settings.drain_s, 5);
    assert_int_equal(scene.settings.name_hold_s, 2 * 86400);
    assert_string_equal(scene.settings.certificate, path_of(&scene, AGAIN_PEM));
    assert_true(has_said(&scene, ADIT_BYTES("event=config_changed key=drain")));
    assert_true(has_said(&scene, ADIT_BYTES("event=config_changed key=name_hold")));
    assert_true(has_said(&scene, ADIT_BYTES("event=config_changed key=cert")));
    assert_false(has_said(&scene, ADIT_BYTES("event=config_changed key=key")));
    file_write(&scene, ADIT_BYTES(""), AGAIN_PEM); /* the defaults again */
    assert_true(reload(&scene));
    assert_int_equal(scene.settings.drain_s, 30);
    scene_close(&scene);
}

static void what_cannot_is_named_each_time(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene, ADIT_BYTES(""), -1);
    file_write(&scene, ADIT_BYTES("workers: 3\nhttp_mode: redirect\ndrain: 1s\n"), SERVER_PEM);
    for (int i = 0; i < 2; i++) {
        assert_true(reload(&scene));
        assert_true(has_said(&scene, ADIT_BYTES("event=config_needs_restart key=workers")));
        assert_true(has_said(&scene, ADIT_BYTES("event=config_needs_restart key=cert")));
        assert_true(has_said(&scene, ADIT_BYTES("event=config_needs_restart key=key")));
        assert_false(has_said(&scene, ADIT_BYTES("key=http_mode"))); /* the option is above it */
        assert_int_equal(scene.settings.workers, 0);
        assert_null(scene.settings.certificate);
        assert_int_equal(scene.settings.drain_s, 1);
    }
    scene_close(&scene);
}

static void what_is_wrong_changes_nothing(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene, ADIT_BYTES("drain: 10s\n"), SERVER_PEM);
    file_write(&scene, ADIT_BYTES("drain: 5s\ndomian: x\n"), SERVER_PEM);
    assert_false(reload(&scene));
    assert_true(has_said(&scene, ADIT_BYTES("f.yaml:2:1: unknown key 'domian'")));
    file_write(&scene, ADIT_BYTES("drain: 2h\n"), SERVER_PEM);
    assert_false(reload(&scene));
    assert_true(has_said(&scene, ADIT_BYTES("f.yaml:1:8: key 'drain': give a time such as")));
    file_write(&scene, ADIT_BYTES("drain: 5s\n"), CA_PEM); /* the key is another's */
    assert_false(reload(&scene));
    assert_true(has_said(&scene, ADIT_BYTES("event=credentials_refused file=")));
    assert_int_equal(unlink(path_of(&scene, YAML)), 0);
    assert_false(reload(&scene));
    assert_true(has_said(&scene, ADIT_BYTES("event=config_refused")));
    assert_int_equal(scene.settings.drain_s, 10);
    assert_string_equal(scene.settings.certificate, path_of(&scene, SERVER_PEM));
    scene_close(&scene);
}

static void without_a_file_the_certificate_is_looked_at(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene, ADIT_BYTES(""), SERVER_PEM);
    scene.reload.file = NULL;
    assert_true(reload(&scene));
    assert_int_equal(unlink(path_of(&scene, SERVER_KEY)), 0);
    assert_false(reload(&scene));
    assert_true(has_said(&scene, ADIT_BYTES("event=credentials_refused")));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_change_is_taken),
        cmocka_unit_test(what_cannot_is_named_each_time),
        cmocka_unit_test(what_is_wrong_changes_nothing),
        cmocka_unit_test(without_a_file_the_certificate_is_looked_at),
    };
    return cmocka_run_group_tests_name("aditd/reload", tests, NULL, NULL);
}
