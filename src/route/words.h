/* Words: the two lists that our own names are made of. A name must mean nothing and hurt nobody, so
 * colours of people, qualities of people and anything with a second meaning are left out. Pure. */
#ifndef ADIT_ROUTE_WORDS_H
#define ADIT_ROUTE_WORDS_H

#include "base/bytes.h"

#define ADIT_WORDS 256
#define ADIT_WORD_BYTES_MAX 6

/* "calm", "sunny" ... three to six letters each. */
struct adit_bytes adit_word_first(uint8_t index);

/* "otter", "river" ... the same. */
struct adit_bytes adit_word_second(uint8_t index);

#endif
