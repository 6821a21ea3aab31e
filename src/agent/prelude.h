/* What the agent may use: everything of ours below it; of the system only error numbers and their
 * sentences. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/base.h"

#include "base/poison.h"
