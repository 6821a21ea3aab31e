/* Field: a short text of bounded length as a member of a struct, for decoded messages and table
 * rows. The bytes are copied in, so the struct outlives the buffer it was read from. A field of
 * zeros is the empty text. Owns nothing; not NUL-terminated. */
#ifndef ADIT_BASE_FIELD_H
#define ADIT_BASE_FIELD_H

#include "base/bytes.h"

/* Declares a member: ADIT_FIELD(64) name; */
#define ADIT_FIELD(max)                                                                         \
    struct {                                                                                    \
        uint16_t len;                                                                           \
        uint8_t bytes[max];                                                                     \
    }

/* The text as a view; it lives as long as the struct. */
#define ADIT_FIELD_BYTES(field) adit_bytes_first(ADIT_BYTES_OF((field).bytes), (field).len)

/* Copies a text in; LIMIT, and the field untouched, where it is too long. */
#define ADIT_FIELD_SET(field, text)                                                             \
    adit_field_set(ADIT_SPAN_OF((field).bytes), &(field).len, (text))

/* The same in lower case: A-Z become a-z. */
#define ADIT_FIELD_SET_LOWER(field, text)                                                       \
    adit_field_set_lower(ADIT_SPAN_OF((field).bytes), &(field).len, (text))

struct adit_status adit_field_set_lower(struct adit_span room, uint16_t *len,
                                        struct adit_bytes text);
struct adit_status adit_field_set(struct adit_span room, uint16_t *len, struct adit_bytes text);

#endif
