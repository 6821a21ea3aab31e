/* wall: layer as=src/wire/sample.c expect=mux.h
 * An arrow that points up. */
#include "mux/mux.h"
