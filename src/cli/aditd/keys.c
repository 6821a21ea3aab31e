#include "cli/aditd/keys.h"

static const struct adit_key_row rows[] = {
#define KEY_ROW(id, kind_, key_, option_, form_, fallback_, help_)                              \
    {.key = ADIT_BYTES_INIT(key_),                                                              \
     .option = ADIT_BYTES_INIT(option_),                                                        \
     .form = ADIT_BYTES_INIT(form_),                                                            \
     .fallback = ADIT_BYTES_INIT(fallback_),                                                    \
     .help = ADIT_BYTES_INIT(help_),                                                            \
     .kind = ADIT_KEY_KIND_##kind_},
    ADIT_KEY_TABLE(KEY_ROW)
#undef KEY_ROW
};

const struct adit_key_row *adit_key_row(enum adit_key key)
{
    return &ADIT_AT(rows, (size_t)key);
}

bool adit_key_find(struct adit_bytes name, enum adit_key *out_key)
{
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        if (adit_bytes_equal(ADIT_AT(rows, i).key, name)) {
            *out_key = (enum adit_key)i;
            return true;
        }
    }
    return false;
}
