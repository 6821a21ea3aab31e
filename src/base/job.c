#include "base/job.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

#define STACK_BYTES ((size_t)1 << 20)

struct adit_jobs {
    atomic_uint holders; /* the opener, and each thread that lives */
    uint32_t jobs_max;
};

struct adit_job {
    struct adit_jobs *jobs; /* the thread's hold on it */
    adit_job_fn *run;
    struct adit_span block;
    atomic_int holders; /* opener and thread: the last one gives everything back */
    atomic_bool is_done;
    int fd;
};

static void jobs_let_go(struct adit_jobs *jobs)
{
    if (atomic_fetch_sub(&jobs->holders, 1) == 1) {
        struct adit_span memory = {.ptr = (uint8_t *)jobs, .len = sizeof(*jobs)};
        adit_memory_close(&memory);
    }
}

struct adit_status adit_jobs_open(uint32_t jobs_max, struct adit_jobs **out_jobs)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_jobs), &memory));
    struct adit_jobs *jobs = (void *)memory.ptr;
    jobs->jobs_max = jobs_max;
    atomic_store(&jobs->holders, 1);
    *out_jobs = jobs;
    return adit_ok();
}

void adit_jobs_close(struct adit_jobs **jobs)
{
    if (*jobs) {
        jobs_let_go(*jobs);
        *jobs = NULL;
    }
}

static void let_go(struct adit_job *job)
{
    if (atomic_fetch_sub(&job->holders, 1) > 1) {
        return;
    }
    struct adit_span memory = {.ptr = (uint8_t *)job, .len = sizeof(*job)};
    close(job->fd);
    adit_memory_close(&job->block);
    adit_memory_close(&memory);
}

static void *thread_main(void *context)
{
    struct adit_job *job = context;
    struct adit_jobs *jobs = job->jobs;
    const uint64_t one = 1;
    job->run(job->block.ptr);
    atomic_store(&job->is_done, true);
    ssize_t put = 0;
    do {
        put = write(job->fd, &one, sizeof(one));
    } while (put < 0 && errno == EINTR);
    let_go(job);
    jobs_let_go(jobs);
    return NULL;
}

/* A detached thread that takes no signals: they are the loop's. */
static struct adit_status thread_start(struct adit_job *job)
{
    sigset_t all = {0};
    sigset_t before = {0};
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        ADIT_FAIL_WITH(SYSTEM, "a thread cannot be made", error);
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, thread_main, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        ADIT_FAIL_WITH(SYSTEM, "a thread cannot be made", error);
    }
    return adit_ok();
}

static struct adit_status job_prepare(struct adit_job *job, struct adit_bytes block)
{
    job->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (job->fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "no descriptor for a job", errno);
    }
    ADIT_TRY(adit_memory_open(1, block.len, &job->block));
    ADIT_TRY(adit_span_copy(job->block, block));
    atomic_store(&job->holders, 2);
    atomic_fetch_add(&job->jobs->holders, 1);
    struct adit_status status = thread_start(job);
    if (!adit_is_ok(status)) {
        jobs_let_go(job->jobs);
    }
    return status;
}

struct adit_status adit_job_open(struct adit_jobs *jobs, adit_job_fn *run,
                                 struct adit_bytes block, struct adit_job **out_job)
{
    struct adit_span memory = {0};
    /* Only the opener adds, and threads only take away, so the bound holds without a lock. */
    ADIT_ENSURE(atomic_load(&jobs->holders) <= jobs->jobs_max, FULL, "too many calls under way");
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_job), &memory));
    struct adit_job *job = (void *)memory.ptr;
    job->run = run;
    job->jobs = jobs;
    struct adit_status status = job_prepare(job, block);
    if (!adit_is_ok(status)) {
        atomic_store(&job->holders, 1);
        let_go(job);
        return status;
    }
    *out_job = job;
    return adit_ok();
}

int adit_job_fd(const struct adit_job *job)
{
    return job->fd;
}

void *adit_job_result(const struct adit_job *job)
{
    return atomic_load(&job->is_done) ? job->block.ptr : NULL;
}

void adit_job_close(struct adit_job **job)
{
    if (*job) {
        let_go(*job);
        *job = NULL;
    }
}
