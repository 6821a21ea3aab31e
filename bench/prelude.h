/* The bench programs are measuring instruments, not parts of Adit: no poison, but the compiler's
 * warnings are the same, so bytes are handled through src/base here too. */
#ifndef ADIT_BENCH_PRELUDE_H
#define ADIT_BENCH_PRELUDE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#endif
