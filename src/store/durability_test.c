/* No commit that was told is lost, wherever the process that made it was killed. */
#include "store/store.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "child.h"
#include "unit.h"

#define ROUNDS 50 /* unless the environment says other */
#define NOW 1800000000u

static struct adit_store_token token_of(uint32_t number)
{
    struct adit_store_token token = {.kind = ADIT_TOKEN_USER,
                                     .created_s = NOW,
                                     .expires_s = ADIT_TOKEN_EXPIRES_NEVER};
    struct adit_writer id = adit_writer_of(ADIT_SPAN_OF(token.id));
    assert_ok(adit_write_u32(&id, number));
    assert_ok(ADIT_FIELD_SET(token.account, ADIT_BYTES("alice")));
    assert_ok(ADIT_FIELD_SET(token.names, ADIT_BYTES("*")));
    return token;
}

/* Adds and revokes tokens from `number` on, and says so of each, until it is killed. */
static int commit_for_ever(const char *path, int told, uint32_t number)
{
    struct adit_store store = {0};
    if (!adit_is_ok(adit_store_open(&store, path))) {
        return 1;
    }
    for (;; number++) {
        struct adit_store_token token = token_of(number);
        bool was_revoked = false;
        if (!adit_is_ok(adit_store_token_add(&store, &token)) ||
            !adit_is_ok(
                adit_store_token_revoke(&store, ADIT_BYTES_OF(token.id), NOW, &was_revoked)) ||
            write(told, &number, sizeof number) != sizeof number) {
            return 2;
        }
    }
}

/* Lets a child commit for a moment and kills it; the last number that it told, or `last`. */
static uint32_t round_play(const char *path, uint32_t last, uint32_t round)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS_MAX);
        _exit(commit_for_ever(path, ends[1], last + 1));
    }
    close(ends[1]);
    uint32_t number = 0;
    for (uint32_t i = 0; i < 1 + round % 7; i++) {
        assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
    }
    struct pollfd nothing = {.fd = -1};
    poll(&nothing, 1, (int)(round % 3));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(ends[0], &number, sizeof number) == sizeof number) {
    }
    close(ends[0]);
    return number;
}

struct seen {
    uint32_t count, unrevoked;
};

static bool see(void *context, const struct adit_store_token *token)
{
    struct seen *seen = context;
    seen->count++;
    seen->unrevoked += token->revoked_s == 0 ? 1 : 0;
    return true;
}

static void a_killed_process_loses_nothing_that_it_told(void **state)
{
    (void)state;
    char folder[64] = "/tmp/adit-durability-test-XXXXXX";
    char path[128] = {0};
    char mark[128] = {0};
    uint32_t last = 0;
    const char *wanted = getenv("ADIT_DURABILITY_ROUNDS");
    uint64_t rounds = ROUNDS;
    if (wanted) {
        assert_ok(adit_parse_decimal(adit_bytes_of_text(wanted), 100000, &rounds));
    }
    assert_non_null(mkdtemp(folder));
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(folder),
                             ADIT_BYTES(ADIT_STORE_FILE)));
    for (uint32_t round = 0; round < rounds; round++) {
        struct adit_store store = {0};
        struct seen seen = {0};
        uint32_t told = round_play(path, last, round);
        assert_ok(adit_store_open(&store, path));
        assert_ok(adit_store_token_each(&store, see, &seen));
        adit_store_close(&store);
        assert_true(seen.count >= told);
        assert_true(seen.count <= told + 1); /* one more may have been made and not told */
        assert_true(seen.unrevoked <= 1 + round);
        last = seen.count;
    }
    unlink(path);
    assert_ok(adit_path_join(ADIT_OBJECT_SPAN(mark), adit_bytes_of_text(folder),
                             ADIT_BYTES(ADIT_STORE_MARK)));
    unlink(mark);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_loses_nothing_that_it_told),
    };
    return cmocka_run_group_tests_name("store/durability", tests, NULL, NULL);
}
