/* wall: prelude-poison as=src/net/prelude.h expect=poison
 * A header that comes in after the poison. */
#include "base/poison.h"
#include "base/base.h"
