/* What src/tunnel may use: base, wire, mux and net; of the system only the names of the values
 * that net hands through. */
#include <errno.h>
#include <sys/uio.h>

#include "base/base.h"

#include "base/poison.h"
