/* Config: reads the configuration file: YAML, but only as much of it as a flat list of `key: value`
 * needs. The keys are those of keys.h; what their values may be is settings' matter.
 *
 * Refused, each with FILE:LINE:COLUMN and what to do: keys that are not known (with the nearest
 * that is) or given twice, lists and mappings as values, keys without a value, anchors, aliases,
 * tags, several documents, quotes around numbers and true or false, control characters in values,
 * more than ADIT_CONFIG_BYTES_MAX, and whatever is not YAML or not UTF-8. An empty file is fine.
 * Nesting ends at depth one, so there is nothing to expand or to recurse into.
 *
 * Source: YAML 1.1 by libyaml's events. */
#ifndef ADIT_CLI_ADITD_CONFIG_H
#define ADIT_CLI_ADITD_CONFIG_H

#include "cli/aditd/keys.h"

#define ADIT_CONFIG_BYTES_MAX (64u * 1024u)
#define ADIT_CONFIG_VALUE_MAX 3072u /* bytes; a path fits */

struct adit_config_value {
    bool is_given;
    uint64_t line, column; /* of the value, from 1 */
    size_t len;
    char text[ADIT_CONFIG_VALUE_MAX + 1]; /* NUL-terminated, and holds no other NUL */
};

/* Some 40 KiB: in memory of adit_memory_open, not on the stack. Zeros: no file. */
struct adit_config {
    struct adit_bytes file; /* its name, for complaints */
    struct adit_config_value values[ADIT_KEY_COUNT];
};

/* Reads `text` as the file called `file`, a view that must live as long as the configuration.
 * INVALID, or LIMIT, with one line for the person in `complaint`; *out_config is then of no use. */
struct adit_status adit_config_read(struct adit_bytes file, struct adit_bytes text,
                                    struct adit_config *out_config,
                                    struct adit_writer *complaint);

/* The same from the file at `path`. */
struct adit_status adit_config_load(const char *path, struct adit_config *out_config,
                                    struct adit_writer *complaint);

/* "FILE:LINE:COLUMN: " */
struct adit_status adit_config_place_write(struct adit_writer *writer, struct adit_bytes file,
                                           uint64_t line, uint64_t column);

#endif
