#include "base/job.h"

#include <poll.h>
#include <unistd.h>

#include "unit.h"

struct sum {
    uint32_t a, b, result;
    uint32_t pause_ms;
};

static void add(void *block)
{
    struct sum *sum = block;
    poll(NULL, 0, (int)sum->pause_ms);
    sum->result = sum->a + sum->b;
}

static void the_result_is_there_when_the_descriptor_says_so(void **state)
{
    (void)state;
    struct sum sum = {.a = 2, .b = 3, .pause_ms = 20};
    struct adit_job *job = NULL;
    assert_ok(adit_job_open(add, ADIT_OBJECT_BYTES(sum), &job));
    struct pollfd done = {.fd = adit_job_fd(job), .events = POLLIN};
    assert_int_equal(poll(&done, 1, 5000), 1);
    struct sum *result = adit_job_result(job);
    assert_non_null(result);
    assert_int_equal(result->result, 5);
    assert_int_equal(sum.result, 0); /* the job had a copy */
    adit_job_close(&job);
    assert_null(job);
    adit_job_close(&job);
}

static void a_job_may_be_given_up(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct sum sum = {.a = 1, .pause_ms = (uint32_t)i % 4};
        struct adit_job *job = NULL;
        assert_ok(adit_job_open(add, ADIT_OBJECT_BYTES(sum), &job));
        adit_job_close(&job); /* before, while or after it runs: the sanitizer watches */
    }
    poll(NULL, 0, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_is_there_when_the_descriptor_says_so),
        cmocka_unit_test(a_job_may_be_given_up),
    };
    return cmocka_run_group_tests_name("base/job", tests, NULL, NULL);
}
