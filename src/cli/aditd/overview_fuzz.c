#include "cli/aditd/overview.h"

#include "fuzz.h"

/* Answers of a server as they should not be: what is read can be shown, in bounded room. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t memory[8192] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_overview overview = {0};
    if (adit_is_ok(adit_overview_read((struct adit_bytes){.ptr = data, .len = size}, &overview))) {
        ADIT_ASSERT(overview.role_count <= ADIT_OVERVIEW_ROLES_MAX);
        ADIT_ASSERT(adit_is_ok(adit_overview_write(&text, &overview)));
    }
    return 0;
}
