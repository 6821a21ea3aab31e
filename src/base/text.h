/* Text: numbers, durations and base64url, parsed strictly from bytes. INVALID for anything that
 * is not exactly of the form; nothing is skipped, trimmed or guessed. */
#ifndef ADIT_BASE_TEXT_H
#define ADIT_BASE_TEXT_H

#include "base/writer.h"

/* 1 to 20 decimal digits, no sign, at most `max`. */
struct adit_status adit_parse_decimal(struct adit_bytes text, uint64_t max, uint64_t *out_value);

/* An even number of hex digits, exactly filling `out`. */
struct adit_status adit_parse_hex(struct adit_bytes text, struct adit_span out);

/* "30s", "5m", "12h", "30d": seconds. */
struct adit_status adit_parse_duration(struct adit_bytes text, uint64_t *out_seconds);

/* base64url without padding (RFC 4648 section 5); unused low bits must be zero. */
struct adit_status adit_write_base64url(struct adit_writer *writer, struct adit_bytes bytes);
struct adit_status adit_parse_base64url(struct adit_bytes text, struct adit_writer *out);

/* The bytes with everything outside printable ASCII, and `"` and `\`, as JSON escapes (bytes over
 * 0x7e as \u00XX): safe in any log or JSON string. At most `max` bytes are taken. */
struct adit_status adit_write_escaped(struct adit_writer *writer, struct adit_bytes bytes,
                                      size_t max);

/* 2026-11-22T10:20:30.123Z: milliseconds since 1970 as RFC 3339 in UTC; up to the year 9999. */
struct adit_status adit_write_time(struct adit_writer *writer, uint64_t wall_ms);

#endif
