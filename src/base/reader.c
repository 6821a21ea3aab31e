#include "base/reader.h"

struct adit_status adit_read_copy(struct adit_reader *reader, struct adit_span out)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, out.len, &bytes));
    return adit_span_copy(out, bytes);
}

struct adit_status adit_read_end(const struct adit_reader *reader)
{
    ADIT_ENSURE(reader->rest.len == 0, INVALID, "bytes left over after the end");
    return adit_ok();
}
