/* Whole commands as a person runs them, but for a server that serves. Covers serve.c, token.c,
 * check.c, status.c. */
#include "cli/aditd/run_fixture.h"
#include "net/socket.h"

static void small_commands_answer(void **state)
{
    (void)state;
    struct run result = {0};
    RUN(&result, "version");
    assert_int_equal(result.code, 0);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.out),
                                       ADIT_BYTES("aditd " ADIT_VERSION " (OpenSSL 3.")));
    RUN(&result, "help");
    assert_int_equal(result.code, 0);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.out), ADIT_BYTES("usage: aditd")));
    RUN(&result, "serve", "--help");
    assert_int_equal(result.code, 0);
    assert_int_equal(result.error.len, 0);
    RUN(&result, "serv");
    assert_int_equal(result.code, ADIT_ADITD_USAGE);
    assert_int_equal(result.out.len, 0);
    assert_bytes(adit_writer_bytes(&result.error),
                 ADIT_BYTES("aditd: unknown command 'serv'; did you mean 'serve'?\n"));
}

/* A folder of its own for one test, and an end of it. */
#define DATABASE ADIT_STORE_FOLDER "/" ADIT_STORE_FILE
#define MARK ADIT_STORE_FOLDER "/" ADIT_STORE_MARK

struct place {
    char text[64];
};

static struct place place_make(void)
{
    struct place place = {.text = "/tmp/adit-command-test-XXXXXX"};
    assert_non_null(mkdtemp(place.text));
    return place;
}

static void place_path(const struct place *place, struct adit_bytes name, struct adit_span out)
{
    assert_ok(adit_path_join(out, adit_bytes_of_text(place->text), name));
}

static void place_drop(const struct place *place)
{
    static const struct adit_bytes files[] = {
        ADIT_BYTES_INIT("token.key"),  ADIT_BYTES_INIT("ca.pem"),     ADIT_BYTES_INIT("ca.key"),
        ADIT_BYTES_INIT("server.pem"), ADIT_BYTES_INIT("server.key"), ADIT_BYTES_INIT(DATABASE),
        ADIT_BYTES_INIT(DATABASE "-wal"), ADIT_BYTES_INIT(DATABASE "-shm"),
        ADIT_BYTES_INIT(MARK), ADIT_BYTES_INIT("adit.db"), ADIT_BYTES_INIT("aditd.sock"),
    };
    char store[128] = {0};
    for (size_t i = 0; i < ADIT_COUNT(files); i++) {
        char path[128] = {0};
        assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(place->text),
                                 ADIT_AT(files, i)));
        (void)unlink(path);
    }
    place_path(place, ADIT_BYTES(ADIT_STORE_FOLDER), ADIT_OBJECT_SPAN(store));
    (void)rmdir(store);
    assert_int_equal(rmdir(place->text), 0);
}

static void a_token_is_printed(void **state)
{
    (void)state;
    struct run result = {0};
    struct place place = place_make();
    RUN(&result, "token", "create", "--account", "ann", "--data", place.text);
    assert_int_equal(result.code, 0);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.out), ADIT_BYTES("adit_")));
    assert_int_equal(result.out.len, 261 + 1);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.error),
                                       ADIT_BYTES("aditd: note: a new token key was made in ")));
    RUN(&result, "token", "create", "--account", "ann", "--json", "--data", place.text);
    assert_int_equal(result.code, 0);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.out), ADIT_BYTES("{\"id\":\"")));
    assert_int_equal(result.error.len, 0);
    RUN(&result, "token", "create", "--account", "a b", "--data", place.text);
    assert_int_equal(result.code, ADIT_ADITD_USAGE);
    assert_int_equal(result.out.len, 0);
    place_drop(&place);
}

/* The value of the first "id" of a JSON text. */
static struct adit_bytes id_of(const struct run *result)
{
    struct adit_bytes text = adit_writer_bytes(&result->out);
    for (size_t at = 0; at < text.len; at++) {
        struct adit_bytes rest = adit_bytes_from(text, at);
        if (adit_bytes_starts_with(rest, ADIT_BYTES("\"id\":\""))) {
            return adit_bytes_first(adit_bytes_from(rest, 6), 32);
        }
    }
    return ADIT_BYTES("");
}

static void tokens_are_listed_and_revoked(void **state)
{
    (void)state;
    struct run result = {0};
    struct place place = place_make();
    char id[33] = {0};
    uint8_t memory[128] = {0};
    struct adit_writer wanted = adit_writer_of(ADIT_SPAN_OF(memory));
    RUN(&result, "token", "list", "--data", place.text);
    assert_int_equal(result.code, ADIT_ADITD_FAILED); /* nobody's folder: not made into one */
    assert_int_equal(result.out.len, 0);
    RUN(&result, "token", "create", "--account", "ann", "--json", "--data", place.text);
    assert_int_equal(result.code, 0);
    assert_ok(adit_span_copy(ADIT_OBJECT_SPAN(id), id_of(&result)));
    RUN(&result, "token", "list", "--json", "--data", place.text);
    assert_int_equal(result.code, 0);
    assert_bytes(id_of(&result), adit_bytes_of_text(id));
    assert_true(adit_bytes_ends_with(adit_writer_bytes(&result.out),
                                     ADIT_BYTES("\"state\":\"active\"}]\n")));
    assert_ok(adit_write_bytes(&wanted, ADIT_BYTES("revoked ")));
    assert_ok(adit_write_bytes(&wanted, adit_bytes_of_text(id)));
    assert_ok(adit_write_bytes(&wanted, ADIT_BYTES("; no server is running here\n")));
    for (int i = 0; i < 2; i++) { /* the second time is as good */
        RUN(&result, "token", "revoke", id, "--data", place.text);
        assert_int_equal(result.code, 0);
        assert_bytes(adit_writer_bytes(&result.out), adit_writer_bytes(&wanted));
    }
    RUN(&result, "token", "list", "--data", place.text);
    assert_int_equal(result.code, 0);
    assert_true(
        adit_bytes_ends_with(adit_writer_bytes(&result.out), ADIT_BYTES("  revoked\n")));
    RUN(&result, "token", "revoke", "00000000", "--data", place.text);
    assert_int_equal(result.code, ADIT_ADITD_FAILED);
    assert_bytes(adit_writer_bytes(&result.error),
                 ADIT_BYTES("aditd: 00000000: no token has this id; see 'aditd token list'\n"));
    RUN(&result, "token", "revoke", "ann", "--data", place.text);
    assert_int_equal(result.code, ADIT_ADITD_USAGE);
    place_drop(&place);
}

/* The file that is handed out has every key, and is good. */
static void the_example_is_good(void **state)
{
    (void)state;
    static struct adit_config config;
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct run result = {0};
    RUN(&result, "config", "check", ADIT_SOURCE_ROOT "packaging/aditd.yaml.example");
    assert_int_equal(result.code, 0);
    assert_ok(adit_config_load(ADIT_SOURCE_ROOT "packaging/aditd.yaml.example", &config,
                               &complaint));
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        assert_true(ADIT_AT(config.values, i).is_given);
    }
}

/* Each of the commands that open the database says so and does nothing. */
static void expect_lost(const struct place *place, struct adit_bytes sentence)
{
    struct run result = {0};
    RUN(&result, "token", "create", "--account", "ann", "--data", place->text);
    assert_int_equal(result.code, ADIT_ADITD_FAILED);
    RUN(&result, "token", "list", "--data", place->text);
    assert_int_equal(result.code, ADIT_ADITD_FAILED);
    RUN(&result, "token", "revoke", "00000000", "--data", place->text);
    assert_int_equal(result.code, ADIT_ADITD_FAILED);
    RUN(&result, "serve", "--data", place->text);
    assert_int_equal(result.code, ADIT_ADITD_FAILED);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.error), sentence));
}

static void a_database_that_is_lost_is_not_made_anew(void **state)
{
    (void)state;
    struct run result = {0};
    struct place place = place_make();
    char path[128] = {0};
    char mark[128] = {0};
    char store[128] = {0};
    place_path(&place, ADIT_BYTES(ADIT_STORE_FOLDER), ADIT_OBJECT_SPAN(store));
    place_path(&place, ADIT_BYTES(DATABASE), ADIT_OBJECT_SPAN(path));
    place_path(&place, ADIT_BYTES(MARK), ADIT_OBJECT_SPAN(mark));
    assert_int_equal(mkdir(store, 0700), 0);
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES(""))); /* a start that was cut short */
    RUN(&result, "token", "create", "--account", "ann", "--data", place.text);
    assert_int_equal(result.code, 0);
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("")));
    expect_lost(&place, ADIT_BYTES("aditd: adit.db: the database is empty, and it was not: put a "
                                   "backup in its place, or remove it and store/adit.db.mark"));
    assert_int_equal(unlink(path), 0);
    expect_lost(&place, ADIT_BYTES("aditd: adit.db: the database is missing, and it was there: put "
                                   "a backup in its place, or remove store/adit.db.mark to begin"));
    assert_int_equal(unlink(mark), 0);
    RUN(&result, "token", "create", "--account", "ann", "--data", place.text);
    assert_int_equal(result.code, 0);
    place_drop(&place);
}

static void a_database_of_the_old_place_is_told(void **state)
{
    (void)state;
    struct place place = place_make();
    char path[128] = {0};
    place_path(&place, ADIT_BYTES("adit.db"), ADIT_OBJECT_SPAN(path));
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("old")));
    expect_lost(&place, ADIT_BYTES("aditd: adit.db: adit.db has a folder of its own now: while no "
                                   "server runs, make store/ (mode 700) here and move adit.db*"));
    place_drop(&place);
}

static void without_a_server_it_is_said(void **state)
{
    (void)state;
    static const char *const words[] = {"status", "reload"};
    struct place place = place_make();
    for (size_t i = 0; i < ADIT_COUNT(words); i++) {
        struct run result = {0};
        RUN(&result, ADIT_AT(words, i), "--data", place.text);
        assert_int_equal(result.code, ADIT_ADITD_FAILED);
        assert_int_equal(result.out.len, 0);
        assert_true(adit_bytes_ends_with(adit_writer_bytes(&result.error),
                                         ADIT_BYTES(": no server listens here\n")));
    }
    place_drop(&place);
}

static void a_configuration_is_checked(void **state)
{
    (void)state;
    struct run result = {0};
    char path[] = "/tmp/adit-check-test-XXXXXX";
    uint8_t memory[256] = {0};
    struct adit_writer wanted = adit_writer_of(ADIT_SPAN_OF(memory));
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("domain: a.example\n")));
    RUN(&result, "config", "check", path);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.error.len, 0);
    assert_ok(adit_write_bytes(&wanted, adit_bytes_of_text(path)));
    assert_ok(adit_write_bytes(&wanted, ADIT_BYTES(": ok\n")));
    assert_bytes(adit_writer_bytes(&result.out), adit_writer_bytes(&wanted));
    static const struct adit_bytes bad[] = {ADIT_BYTES_INIT("domain: A\n"),
                                            ADIT_BYTES_INIT("domian: a\n")};
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_ok(adit_file_write(path, 0600, ADIT_AT(bad, i)));
        RUN(&result, "config", "check", path);
        assert_int_equal(result.code, ADIT_ADITD_USAGE);
        assert_int_equal(result.out.len, 0);
        RUN(&result, "serve", "--config", path);
        assert_int_equal(result.code, ADIT_ADITD_USAGE);
    }
    assert_int_equal(unlink(path), 0);
    RUN(&result, "config", "check", path);
    assert_int_equal(result.code, ADIT_ADITD_USAGE);
}

static void a_server_that_cannot_listen_says_where(void **state)
{
    (void)state;
    struct run result = {0};
    struct place place = place_make();
    RUN(&result, "serve", "--data", place.text, "--https", "192.0.2.1:8443"); /* nobody's own */
    assert_int_equal(result.code, ADIT_ADITD_FAILED);
    assert_true(adit_bytes_starts_with(adit_writer_bytes(&result.error),
                                       ADIT_BYTES("aditd: --https 192.0.2.1:8443: ")));
    place_drop(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_commands_answer),
        cmocka_unit_test(a_token_is_printed),
        cmocka_unit_test(tokens_are_listed_and_revoked),
        cmocka_unit_test(the_example_is_good),
        cmocka_unit_test(a_database_that_is_lost_is_not_made_anew),
        cmocka_unit_test(a_database_of_the_old_place_is_told),
        cmocka_unit_test(without_a_server_it_is_said),
        cmocka_unit_test(a_configuration_is_checked),
        cmocka_unit_test(a_server_that_cannot_listen_says_where),
    };
    return cmocka_run_group_tests_name("aditd/command", tests, NULL, NULL);
}
