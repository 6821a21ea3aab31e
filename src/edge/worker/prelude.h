/* What the worker may use: everything of ours below it; of the system next to nothing. */
#include <errno.h>
#include <unistd.h>

#include "base/base.h"

#include "base/poison.h"
