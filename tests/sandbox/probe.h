/* Probe: one thing that a process in a sandbox tries, and how that must end for each role.
 *
 * A probe runs in a child of its own that has entered the role's real sandbox. What it needs
 * (sockets, a victim to attack) was made before and is in the scene. */
#ifndef ADIT_TESTS_SANDBOX_PROBE_H
#define ADIT_TESTS_SANDBOX_PROBE_H

#include <sys/types.h>

#include "tls.h"

#define PROBE_DOOR 0x1u
#define PROBE_WORKER 0x2u
#define PROBE_AGENT 0x4u
#define PROBE_CONTROL 0x10u
#define PROBE_ALL 0x17u
#define PROBE_SUPERVISOR 0x8u /* has the policy only: see adit_sandbox_supervise */

/* How a probe's body ends, if it is not killed. */
#define PROBE_WORKED 0
#define PROBE_REFUSED 1 /* EPERM, EACCES, ENOSYS */
#define PROBE_FAILED 2  /* any other way: then the test says nothing, which is a failure */

#define SCENE_PORT_FROM 17421
#define SCENE_PORT_TO 17430

struct scene {
    int listener;        /* on loopback, with one connection waiting */
    int pending;         /* that connection's other end, which has sent "hello" */
    int fresh;           /* a TCP socket, neither bound nor connected */
    int pair_near;       /* a SOCK_SEQPACKET pair */
    int pair_far;
    int epoll;
    int key;             /* a regular file with "secret" in it, open for reading */
    uint16_t port;       /* of the listener */
    uint16_t port_other; /* free, outside the range */
    struct tls_pair *tls;
    pid_t victim;        /* a process of the user that the role will be */
    const char *path;    /* a file that everybody may read and write */
    const char *folder;  /* where control works */
};

struct probe {
    const char *name;
    unsigned works_for;   /* roles for which it must work */
    unsigned refused_for; /* roles for which it must be refused: killed, or PROBE_REFUSED */
    int (*body)(const struct scene *scene);
};

#define PROBE_LIST_MAX 64

#define PROBE_LAST_WORDS "adit: broken rule: "

/* The lists; a null body ends each. What is in the last one dies by itself, and its log must hold
 * PROBE_LAST_WORDS. */
extern const struct probe probes_forbidden[PROBE_LIST_MAX];
extern const struct probe probes_needed[PROBE_LIST_MAX];
extern const struct probe probes_dying[PROBE_LIST_MAX];

/* The verdict on a system call's result. */
int probe_judge(long result);

#endif
