/* Job: one blocking call (a name lookup) in a thread of its own, so that the loop never waits.
 *
 * The job's block is the thread's alone from open until the descriptor becomes readable, and the
 * opener's alone from then on: nothing else is shared, so nothing is locked. A job that is closed
 * early is left to its thread, which gives the memory back when the call returns. A given-up call
 * therefore costs a thread and a block until then, so `struct adit_jobs` counts the threads that
 * live, given up or not: strangers who make us begin and give up calls cannot pile them up.
 *
 * Limits: jobs_max, given at open; 1 MiB of stack for a thread. */
#ifndef ADIT_BASE_JOB_H
#define ADIT_BASE_JOB_H

#include "base/bytes.h"

struct adit_jobs; /* a bound on the threads that live at once; outlives its opener for them */
struct adit_job;

struct adit_status adit_jobs_open(uint32_t jobs_max, struct adit_jobs **out_jobs);

/* Jobs that are still running go on by themselves. Null is fine. */
void adit_jobs_close(struct adit_jobs **jobs);

/* Runs in the thread. `block` is a copy of what was given to open. */
typedef void adit_job_fn(void *block);

/* FULL where jobs_max threads live. */
struct adit_status adit_job_open(struct adit_jobs *jobs, adit_job_fn *run,
                                 struct adit_bytes block, struct adit_job **out_job);

/* Readable once the call has returned. Stays the job's. */
int adit_job_fd(const struct adit_job *job);

/* The block, once the call has returned; null before. Valid until close. */
void *adit_job_result(const struct adit_job *job);

/* At any time; null is fine. */
void adit_job_close(struct adit_job **job);

#endif
