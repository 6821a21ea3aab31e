/* What the command `adit` may use: the agent and everything below it; the environment, signals. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/base.h"

#include "base/poison.h"
