/* Dies: whether a call ends the process, seen from a child. For rules of our own code. */
#ifndef ADIT_TESTS_DIES_H
#define ADIT_TESTS_DIES_H

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

/* True where `call` aborts; what it printed (at most `out` holds) is appended to `out`. */
static inline bool dies(void (*call)(void), struct adit_writer *out)
{
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], 2);
        call();
        _exit(0);
    }
    close(ends[1]);
    for (;;) {
        struct adit_span room = adit_span_from(out->span, out->len);
        ssize_t got = room.len > 0 ? read(ends[0], room.ptr, room.len) : 0;
        if (got <= 0) {
            break;
        }
        out->len += (size_t)got;
    }
    close(ends[0]);
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

#endif
