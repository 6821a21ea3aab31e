/* What the command `aditd` may use: the supervisor and everything below it; files, environment,
 * libyaml. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "base/base.h"

#include "base/poison.h"
