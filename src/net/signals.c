#include "net/signals.h"

static void signals_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_signals *signals = context;
    (void)key;
    (void)events;
    for (;;) {
        struct signalfd_siginfo info = {0};
        ssize_t got = read(signals->fd, &info, sizeof(info));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof(info)) {
            return;
        }
        if (signals->arrived) {
            signals->arrived(signals->context, (int)info.ssi_signo);
        }
    }
}

struct adit_status adit_signals_open(struct adit_signals *signals, struct adit_loop *loop,
                                     const int *numbers, size_t count)
{
    ADIT_ENSURE(count <= ADIT_SIGNALS_MAX, LIMIT, "more signals than the limit");
    sigset_t set = {0};
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        sigaddset(&set, ADIT_SLOT(numbers, count, i));
    }
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "signals cannot be blocked", errno);
    }
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "no descriptor for signals", errno);
    }
    *signals = (struct adit_signals){.loop = loop, .fd = fd};
    struct adit_status status =
        adit_loop_watch(loop, fd, ADIT_LOOP_READ, signals_ready, signals, 0, &signals->watch);
    if (!adit_is_ok(status)) {
        adit_signals_close(signals);
    }
    return status;
}

void adit_signals_handler_set(struct adit_signals *signals, adit_signals_fn *arrived, void *context)
{
    signals->arrived = arrived;
    signals->context = context;
}

void adit_signals_close(struct adit_signals *signals)
{
    if (signals->fd >= 0) {
        adit_loop_unwatch(signals->loop, &signals->watch);
        close(signals->fd);
        signals->fd = -1;
    }
}

void adit_signals_restore(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none = {0};
    sigemptyset(&none);
    sigaction(SIGPIPE, &standard, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
