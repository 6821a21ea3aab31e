/* JSON string: one string of a JSON text, checked, decoded and written.
 *
 * Source: RFC 8259 section 7; RFC 3629 for UTF-8. Strict: no overlong forms, no surrogates but in
 * pairs of escapes, no raw control characters, and no NUL at all, not even as an escape: no text of
 * ours has one, and it is where readers disagree. Pure: no allocation, no state. */
#ifndef ADIT_WIRE_JSON_STRING_H
#define ADIT_WIRE_JSON_STRING_H

#include "base/reader.h"
#include "base/writer.h"

/* Reads a string from its opening to its closing quote. `out_raw` is what is between, escapes and
 * all, and valid; `out_hash` a hash of what it means: equal strings have equal hashes however they
 * are escaped. INVALID otherwise, with the cursor anywhere. */
struct adit_status adit_json_string_read(struct adit_reader *reader, struct adit_bytes *out_raw,
                                         uint32_t *out_hash);

/* Appends what a raw string means, in UTF-8. LIMIT where it does not fit, INVALID where it is not a
 * raw string; then nothing was appended. */
struct adit_status adit_json_string_decode(struct adit_bytes raw, struct adit_writer *writer);

/* Do two valid raw strings mean the same? */
bool adit_json_string_equal(struct adit_bytes raw_a, struct adit_bytes raw_b);

/* Appends `text` in quotes, escaped where it must be. INVALID where it is not UTF-8 or holds NUL;
 * LIMIT without room; then nothing was appended. */
struct adit_status adit_json_string_write(struct adit_writer *writer, struct adit_bytes text);

/* Is it UTF-8 without control characters (C0, DEL, C1)? Safe to show on a terminal. */
bool adit_text_is_printable(struct adit_bytes text);

#endif
