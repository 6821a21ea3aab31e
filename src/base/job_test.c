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
    struct adit_jobs *jobs = NULL;
    assert_ok(adit_jobs_open(1, &jobs));
    assert_ok(adit_job_open(jobs, add, ADIT_OBJECT_BYTES(sum), &job));
    struct pollfd done = {.fd = adit_job_fd(job), .events = POLLIN};
    assert_int_equal(poll(&done, 1, 5000), 1);
    struct sum *result = adit_job_result(job);
    assert_non_null(result);
    assert_int_equal(result->result, 5);
    assert_int_equal(sum.result, 0); /* the job had a copy */
    adit_job_close(&job);
    assert_null(job);
    adit_job_close(&job);
    adit_jobs_close(&jobs);
    adit_jobs_close(&jobs);
}

static void a_job_may_be_given_up(void **state)
{
    (void)state;
    struct adit_jobs *jobs = NULL;
    assert_ok(adit_jobs_open(50, &jobs));
    for (int i = 0; i < 50; i++) {
        struct sum sum = {.a = 1, .pause_ms = (uint32_t)i % 4};
        struct adit_job *job = NULL;
        assert_ok(adit_job_open(jobs, add, ADIT_OBJECT_BYTES(sum), &job));
        adit_job_close(&job); /* before, while or after it runs: the sanitizer watches */
    }
    adit_jobs_close(&jobs); /* the threads keep it */
    poll(NULL, 0, 100);
}

/* Giving up makes no room: the thread still lives. Its end does. */
static void only_so_many_live_at_once(void **state)
{
    (void)state;
    struct sum sum = {.pause_ms = 50};
    struct adit_jobs *jobs = NULL;
    struct adit_job *job = NULL;
    assert_ok(adit_jobs_open(3, &jobs));
    for (int i = 0; i < 3; i++) {
        assert_ok(adit_job_open(jobs, add, ADIT_OBJECT_BYTES(sum), &job));
        adit_job_close(&job);
    }
    assert_fails(adit_job_open(jobs, add, ADIT_OBJECT_BYTES(sum), &job), FULL);
    assert_null(job);
    struct adit_status status = adit_job_open(jobs, add, ADIT_OBJECT_BYTES(sum), &job);
    for (int i = 0; i < 500 && !adit_is_ok(status); i++) {
        poll(NULL, 0, 10);
        status = adit_job_open(jobs, add, ADIT_OBJECT_BYTES(sum), &job);
    }
    assert_ok(status);
    adit_job_close(&job);
    adit_jobs_close(&jobs);
    poll(NULL, 0, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_is_there_when_the_descriptor_says_so),
        cmocka_unit_test(a_job_may_be_given_up),
        cmocka_unit_test(only_so_many_live_at_once),
    };
    return cmocka_run_group_tests_name("base/job", tests, NULL, NULL);
}
