/* A file of its own, so that no compiler takes these into their callers: callgrind must see each
 * call. */
#include "script.h"

static struct { /* system calls in this phase */
    uint64_t worker, agent;
} calls;

void script_phase_begin(void)
{
    calls.worker = 0;
    calls.agent = 0;
}

void script_phase_end(const char *name, uint64_t units, const char *unit)
{
    printf("%s %llu %s %llu %llu\n", name, (unsigned long long)units, unit,
           (unsigned long long)calls.worker, (unsigned long long)calls.agent);
}

void script_worker_turn(struct adit_loop *loop)
{
    uint64_t before = script_calls();
    script_must(adit_loop_turn(loop, 0), "the worker's turn");
    calls.worker += script_calls() - before;
}

void script_agent_turn(struct adit_loop *loop)
{
    uint64_t before = script_calls();
    script_must(adit_loop_turn(loop, 0), "the agent's turn");
    calls.agent += script_calls() - before;
}
