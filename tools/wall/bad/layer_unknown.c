/* wall: layer as=src/misc/sample.c expect=layers.txt
 * A folder that is not in the table. */
#include "base/base.h"
