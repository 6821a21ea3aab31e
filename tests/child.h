/* Child: runs a function in a forked child and says how the child ended, for tests of what cannot
 * be undone (sandboxes, limits). The child ends without running anybody's exit handlers. */
#ifndef ADIT_TESTS_CHILD_H
#define ADIT_TESTS_CHILD_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#define CHILD_SIGNAL 1000 /* added to the signal that ended the child */
#define CHILD_SECONDS_MAX 20

/* The number that `body` returned (0 to 255), CHILD_SIGNAL + the signal, or -1: no child. */
static inline int child_run(int (*body)(void *context), void *context)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS_MAX);
        _exit(body(context));
    }
    int how = 0;
    if (child < 0 || waitpid(child, &how, 0) != child) {
        return -1;
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : CHILD_SIGNAL + WTERMSIG(how);
}

#endif
