/* What src/ipc may use: base with descriptor passing, unix sockets, poll. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/base.h"
#include "base/rights.h"

#include "base/poison.h"
