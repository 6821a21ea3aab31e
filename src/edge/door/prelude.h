/* What src/edge/door may use: base, and the few constants of errno and fcntl. Sockets are net's. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"

#include "base/poison.h"
