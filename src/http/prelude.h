/* What src/http may use: src/base, nothing of the system. */
#include "base/base.h"

#include "base/poison.h"
