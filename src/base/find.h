/* Find: where a byte is, eight bytes at a time, for what lies near: a line, a name. For what lies
 * far adit_bytes_find is faster. All offsets are at most bytes.len, which says "nowhere". */
#ifndef ADIT_BASE_FIND_H
#define ADIT_BASE_FIND_H

#include "base/bytes.h"

/* The offset of the first `byte`. */
size_t adit_bytes_find_near(struct adit_bytes bytes, uint8_t byte);

/* The offset of the first control character: below 0x20, or 0x7f. */
size_t adit_bytes_find_control(struct adit_bytes bytes);

#endif
