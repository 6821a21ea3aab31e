#include "base/status.h"

const char *adit_error_name(enum adit_error error)
{
    switch (error) {
#define ADIT_ERROR_CASE(NAME, text, meaning)                                                    \
    case ADIT_ERROR_##NAME:                                                                     \
        return text;
        ADIT_ERROR_TABLE(ADIT_ERROR_CASE)
#undef ADIT_ERROR_CASE
    }
    return "unknown";
}

const char *adit_status_what(struct adit_status status)
{
    return status.fault ? status.fault->what : "ok";
}
