/* JSON: a strict pull reader over one complete text, for messages from strangers.
 *
 * Source: RFC 8259. The caller asks for one token after the other; the reader keeps the place. It
 * has no recursion, allocates nothing, and takes time linear in the text. Refused beyond the RFC:
 * repeated keys in an object, depth over ADIT_JSON_DEPTH_MAX, more than ADIT_JSON_KEYS_MAX keys in
 * the objects that are open at one moment, NUL in strings, bytes after the value. Numbers are only
 * checked for their form; there is no floating point. Owns nothing: views point into the text. */
#ifndef ADIT_WIRE_JSON_H
#define ADIT_WIRE_JSON_H

#include "wire/json_string.h"

#define ADIT_JSON_DEPTH_MAX 16
#define ADIT_JSON_KEYS_MAX 128

enum adit_json_token {
    ADIT_JSON_END, /* the text is over and was valid */
    ADIT_JSON_OBJECT,
    ADIT_JSON_OBJECT_END,
    ADIT_JSON_ARRAY,
    ADIT_JSON_ARRAY_END,
    ADIT_JSON_KEY,    /* its value comes next */
    ADIT_JSON_STRING,
    ADIT_JSON_NUMBER,
    ADIT_JSON_TRUE,
    ADIT_JSON_FALSE,
    ADIT_JSON_NULL,
};

/* A key of an object that is still open. */
struct adit_json_key {
    struct adit_bytes raw;
    uint32_t hash;
    uint32_t depth;
};

enum adit_json_state {
    ADIT_JSON_STATE_VALUE, /* a value must come */
    ADIT_JSON_STATE_FIRST, /* after an opening bracket */
    ADIT_JSON_STATE_AFTER, /* after a value inside brackets */
    ADIT_JSON_STATE_DONE,  /* after the whole value */
};

struct adit_json {
    struct adit_bytes raw; /* of the last KEY or STRING (between the quotes) or NUMBER */
    uint32_t depth;        /* how many brackets are open; read it, do not write it */
    /* the rest is the reader's own */
    struct adit_reader input;
    enum adit_json_state state;
    uint32_t objects; /* bit n: the bracket at depth n is an object's */
    size_t key_count;
    struct adit_json_key keys[ADIT_JSON_KEYS_MAX];
};

void adit_json_init(struct adit_json *json, struct adit_bytes text);

/* The next token. INVALID where the text breaks its format, LIMIT where it passes a limit; the
 * reader is of no further use then. */
struct adit_status adit_json_next(struct adit_json *json, enum adit_json_token *out_token);

/* Steps over the next value, brackets and all. After a KEY. */
struct adit_status adit_json_skip(struct adit_json *json);

/* A NUMBER as an unsigned integer: digits only, at most `max`. INVALID otherwise. */
struct adit_status adit_json_number(struct adit_bytes raw, uint64_t max, uint64_t *out_value);

#endif
