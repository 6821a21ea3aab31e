#include "base/job.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

struct adit_job {
    adit_job_fn *run;
    struct adit_span block;
    atomic_int holders; /* opener and thread: the last one gives everything back */
    atomic_bool is_done;
    int fd;
};

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
    const uint64_t one = 1;
    job->run(job->block.ptr);
    atomic_store(&job->is_done, true);
    ssize_t put = 0;
    do {
        put = write(job->fd, &one, sizeof(one));
    } while (put < 0 && errno == EINTR);
    let_go(job);
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
    return thread_start(job);
}

struct adit_status adit_job_open(adit_job_fn *run, struct adit_bytes block,
                                 struct adit_job **out_job)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_job), &memory));
    struct adit_job *job = (void *)memory.ptr;
    job->run = run;
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
