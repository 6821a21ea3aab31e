/* What src/edge/control may use: base, and a few calls about itself. Sockets are net's, files the
 * store's. */
#include <errno.h>
#include <unistd.h>

#include "base/base.h"

#include "base/poison.h"
