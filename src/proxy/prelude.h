/* What src/proxy may use: base, wire, mux, net, http and tunnel; of the system only names of
 * values that net hands through. */
#include <errno.h>
#include <sys/uio.h>

#include "base/base.h"

#include "base/poison.h"
