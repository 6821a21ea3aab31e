/* Names: which names nobody may claim, and the names that we give to those who ask for none. The
 * grammar is wire/name.h. Pure.
 *
 * Reserved are our own (dash, connect), those by which mail, certificates and browsers find things
 * (RFC 2142, RFC 8461, autodiscover, wpad ...), and those that would mislead (login, billing ...).
 * A name counts as it is read: without hyphens, without a number at its end, digits as the letters
 * that they look like. */
#ifndef ADIT_ROUTE_NAMES_H
#define ADIT_ROUTE_NAMES_H

#include "base/field.h"
#include "wire/name.h"

bool adit_name_is_reserved(struct adit_bytes name);

struct adit_name_text {
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) text;
};

/* Two short words and a number ("calm-otter-482"): attempt 0, 1, 2 ... of what follows from `seed`.
 * The same seed and attempt give the same name. About 2^26 names. */
void adit_name_draw(uint64_t seed, uint32_t attempt, struct adit_name_text *out_name);

/* The label of `host` ("shop" of "shop.adit.localhost" for the domain "adit.localhost"), lower case
 * both. Empty where the host is not exactly one label below the domain. */
struct adit_bytes adit_name_of_host(struct adit_bytes host, struct adit_bytes domain);

#endif
