/* What the agent may use: everything of ours below it; of the system only error numbers. */
#include <errno.h>

#include "base/base.h"

#include "base/poison.h"
