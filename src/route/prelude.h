/* What src/route may use: src/base and src/wire, nothing of the system. */
#include "base/base.h"

#include "base/poison.h"
