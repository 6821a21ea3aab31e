#include "wire/http_name.h"

/* Case is in a bit of a letter that is not looked at. */
static size_t place_of(struct adit_bytes name)
{
    size_t first = adit_bytes_at(name, 0) & 31;
    size_t last = adit_bytes_at(name, name.len - 1) & 31;
    return (name.len + 3 * first + 5 * last + 63) & (ADIT_HTTP_NAME_PLACES - 1);
}

enum adit_http_name adit_http_name_of(struct adit_bytes name)
{
    static const struct {
        struct adit_bytes text;
        enum adit_http_name name;
    } places[ADIT_HTTP_NAME_PLACES] = {
#define PLACE(NAME, place, literal) \
    [place] = {.text = ADIT_BYTES_INIT(literal), .name = ADIT_HTTP_NAME_##NAME},
        ADIT_HTTP_NAME_TABLE(PLACE)
#undef PLACE
    };
    if (name.len == 0) {
        return ADIT_HTTP_NAME_OTHER;
    }
    size_t place = place_of(name);
    return adit_bytes_equal_nocase(ADIT_AT(places, place).text, name) ? ADIT_AT(places, place).name
                                                                      : ADIT_HTTP_NAME_OTHER;
}
