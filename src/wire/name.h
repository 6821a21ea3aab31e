/* Name: the grammar of tunnel names, and of the patterns by which tokens limit them. One grammar
 * for bind requests, tokens and, later, the route table. Reserved names are policy, not here. */
#ifndef ADIT_WIRE_NAME_H
#define ADIT_WIRE_NAME_H

#include "base/bytes.h"

#define ADIT_NAME_BYTES_MAX 63
#define ADIT_NAME_PATTERN_BYTES_MAX 64

/* ^[a-z]([a-z0-9-]*[a-z0-9])?$, at most 63, and no "--" at the third and fourth place (that is how
 * "xn--" begins): a DNS label that can be mistaken for nothing else. */
bool adit_name_is_valid(struct adit_bytes name);

/* Exact names and prefixes with a star ("ab-*", "*"), separated by commas, at most 64 bytes. */
bool adit_name_pattern_is_valid(struct adit_bytes pattern);

/* Does one part of a valid pattern allow this name? False for what is not a valid name. */
bool adit_name_pattern_allows(struct adit_bytes pattern, struct adit_bytes name);

#endif
