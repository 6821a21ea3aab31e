#include "base/field.h"

#include "base/checked.h"

struct adit_status adit_field_set(struct adit_span room, uint16_t *len, struct adit_bytes text)
{
    uint16_t count = 0;
    ADIT_ENSURE(adit_narrow_u16(text.len, &count), LIMIT, "the text is too long for its field");
    ADIT_TRY(adit_span_copy(room, text));
    *len = count;
    return adit_ok();
}
