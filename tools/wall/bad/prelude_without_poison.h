/* wall: prelude-poison as=src/net/prelude.h expect=poison
 * A prelude that forgets the poison. */
#include <unistd.h>

#include "base/base.h"
