/* Control: the messages of the control stream, the first stream of an agent session.
 *
 *     length u32, big-endian, 1 to 16,384 | one JSON object (RFC 8259) of that many bytes
 *
 * Every message has a "type"; the other keys are listed below and in docs/protocol.md. Unknown
 * keys are stepped over, so that a field can be added; unknown types, missing or repeated keys,
 * wrong types, trailing bytes, control characters in a text, invalid UTF-8 and depth over 16 are
 * refused. The length is judged before anything else. Pure: no allocation, no state; a message is
 * about 4 KiB. Why JSON, and why a reader of our own: docs/decisions/0005-control-messages.md. */
#ifndef ADIT_WIRE_CONTROL_H
#define ADIT_WIRE_CONTROL_H

#include "base/field.h"
#include "base/writer.h"
#include "wire/name.h"
#include "wire/parse.h"
#include "wire/refusal.h"
#include "wire/stream_head.h"
#include "wire/token.h"

#define ADIT_CONTROL_PREFIX_BYTES 4
#define ADIT_CONTROL_BODY_BYTES_MAX 16384
#define ADIT_CONTROL_BYTES_MAX (ADIT_CONTROL_PREFIX_BYTES + ADIT_CONTROL_BODY_BYTES_MAX)
#define ADIT_CONTROL_VERSION 1

#define ADIT_CONTROL_FEATURES_MAX 16
#define ADIT_CONTROL_SESSIONS_MAX 4 /* of one agent process, on as many workers */
#define ADIT_CONTROL_FEATURE_BYTES_MAX 32

/* ROW(NAME, member and "type"): in the order of a session. */
#define ADIT_CONTROL_TABLE(ROW)                                                                 \
    ROW(HELLO, hello)     /* agent: who I am, first message */                                  \
    ROW(WELCOME, welcome) /* server: you are in */                                              \
    ROW(REFUSED, refused) /* server: no; to a hello (bind 0) or to a bind */                    \
    ROW(BIND, bind)       /* agent: I want this tunnel */                                       \
    ROW(BOUND, bound)     /* server: you have it, at this address */                            \
    ROW(UNBIND, unbind)   /* agent: I want it no longer */                                      \
    ROW(DRAIN, drain)     /* either: no new streams please, I end in so many seconds */         \
    ROW(NOTICE, notice)   /* server: a person should read this */                               \
    ROW(SESSIONS, sessions) /* server: hold so many; only where hello.features has "sessions" */ \
    ROW(RETRY, retry) /* server: how to come back; only where hello.features has "retry" */

/* The fields of each message. NUMBER(key, required?, min, max); TEXT(key, required?, bytes at
 * most); HEX(key, required?, digits exactly); TUNNEL(key, required?): a kind of tunnel, NONE for
 * a text that this release does not know (refuse the bind, not the session); FEATURES(key,
 * required?): a list of words. A required text is not empty; an optional one that is absent is
 * empty, a number then 0. */
#define ADIT_CONTROL_HELLO_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                          \
    NUMBER(version, true, 0, UINT32_MAX)                                                        \
    TEXT(token, true, ADIT_TOKEN_TEXT_MAX)                                                      \
    HEX(instance, true, 32)  /* the same for all sessions of one agent process */               \
    TEXT(agent, false, 64)   /* "adit/0.1.0" */                                                 \
    FEATURES(features, false)                                                                   \
    TEXT(hint, false, 64) /* what the last welcome said */                                      \
    NUMBER(slot, false, 0, ADIT_CONTROL_SESSIONS_MAX - 1) /* which of this process's sessions */

#define ADIT_CONTROL_WELCOME_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                        \
    NUMBER(version, true, 0, UINT32_MAX)                                                        \
    HEX(session, true, 16)                                                                      \
    TEXT(account, true, ADIT_TOKEN_ACCOUNT_BYTES)                                               \
    FEATURES(features, false)                                                                   \
    TEXT(hint, false, 64)   /* to be given back in the next hello: which worker */              \
    TEXT(server, false, 64) /* "aditd/0.1.0" */

#define ADIT_CONTROL_REFUSED_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                        \
    NUMBER(bind, false, 0, UINT32_MAX) /* 0: the hello is refused, and the session ends */      \
    TEXT(code, true, 32)            /* refusal.h; an unknown one is possible */                 \
    TEXT(message, true, 256)                                                                    \
    TEXT(next_action, false, 256)

#define ADIT_CONTROL_BIND_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                           \
    NUMBER(bind, true, 1, UINT32_MAX) /* chosen by the agent, not in use */                     \
    TUNNEL(kind, true)                                                                          \
    TEXT(name, false, ADIT_NAME_BYTES_MAX)  /* empty: the server chooses */                     \
    NUMBER(remote_port, false, 0, UINT16_MAX) /* tcp; 0: the server chooses */                  \
    TEXT(hint, false, 16) /* hex: the same for the same tunnel of the same token; a name that   \
                             the server chooses follows from it */                              \
    TEXT(host_header, false, 255) /* http: what the local program gets as Host; empty: as is */

#define ADIT_CONTROL_BOUND_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                          \
    NUMBER(bind, true, 1, UINT32_MAX)                                                           \
    TEXT(url, true, 320)                                                                        \
    TEXT(name, false, ADIT_NAME_BYTES_MAX)                                                      \
    NUMBER(port, false, 0, UINT16_MAX)

#define ADIT_CONTROL_UNBIND_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                         \
    NUMBER(bind, true, 1, UINT32_MAX)

#define ADIT_CONTROL_DRAIN_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                          \
    TEXT(reason, true, 128)                                                                     \
    NUMBER(seconds, true, 0, 86400)

#define ADIT_CONTROL_NOTICE_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                         \
    TEXT(code, true, 32)                                                                        \
    TEXT(message, true, 256)

#define ADIT_CONTROL_SESSIONS_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                       \
    NUMBER(count, true, 1, ADIT_CONTROL_SESSIONS_MAX)

#define ADIT_CONTROL_RETRY_FIELDS(NUMBER, TEXT, HEX, TUNNEL, FEATURES)                          \
    NUMBER(spread_ms, true, 0, UINT32_MAX) /* over which a first retry is to be drawn */

struct adit_control_feature {
    ADIT_FIELD(ADIT_CONTROL_FEATURE_BYTES_MAX) word;
};

struct adit_control_features {
    size_t count;
    struct adit_control_feature items[ADIT_CONTROL_FEATURES_MAX];
};

/* struct adit_control_hello { uint32_t version; ADIT_FIELD(...) token; ... } and so on. */
#define ADIT_CONTROL_NUMBER(key, is_required, min, max) uint32_t key;
#define ADIT_CONTROL_TEXT(key, is_required, max) ADIT_FIELD(max) key;
#define ADIT_CONTROL_HEX(key, is_required, digits) ADIT_FIELD(digits) key;
#define ADIT_CONTROL_TUNNEL(key, is_required) enum adit_tunnel key;
#define ADIT_CONTROL_FEATURES(key, is_required) struct adit_control_features key;
#define ADIT_CONTROL_STRUCT(NAME, member)                                                       \
    struct adit_control_##member {                                                              \
        ADIT_CONTROL_##NAME##_FIELDS(ADIT_CONTROL_NUMBER, ADIT_CONTROL_TEXT, ADIT_CONTROL_HEX,  \
                                     ADIT_CONTROL_TUNNEL, ADIT_CONTROL_FEATURES)                \
    };
ADIT_CONTROL_TABLE(ADIT_CONTROL_STRUCT)
#undef ADIT_CONTROL_STRUCT
#undef ADIT_CONTROL_FEATURES
#undef ADIT_CONTROL_TUNNEL
#undef ADIT_CONTROL_HEX
#undef ADIT_CONTROL_TEXT
#undef ADIT_CONTROL_NUMBER

enum adit_control_type {
    ADIT_CONTROL_NONE = 0, /* a struct of zeros; never on the wire */
#define ADIT_CONTROL_ENUM(NAME, member) ADIT_CONTROL_##NAME,
    ADIT_CONTROL_TABLE(ADIT_CONTROL_ENUM)
#undef ADIT_CONTROL_ENUM
};

/* One message: the member that `type` names, the others zero. */
struct adit_control {
    enum adit_control_type type;
#define ADIT_CONTROL_MEMBER(NAME, member) struct adit_control_##member member;
    ADIT_CONTROL_TABLE(ADIT_CONTROL_MEMBER)
#undef ADIT_CONTROL_MEMBER
};

/* "hello"; "none" for NONE. */
const char *adit_control_type_name(enum adit_control_type type);

/* Reads the first message of `buffered`. FOUND: `out_used` bytes were the message, `out_message` is
 * it. MORE: wait for more bytes; at most ADIT_CONTROL_BYTES_MAX are ever needed. LIMIT for a
 * length over the limit, at once, and for a text or list that is too long; INVALID for a body that
 * is no message. On failure and for MORE
 * `out_message` and `out_used` are untouched; the stream is of no further use after a failure. */
struct adit_status adit_control_read(struct adit_bytes buffered, struct adit_control *out_message,
                                     size_t *out_used, enum adit_parse *out_parse);

/* Appends prefix and body. INVALID for a message that the reader would refuse; LIMIT without room
 * (ADIT_CONTROL_BYTES_MAX is always enough). Then nothing was appended. */
struct adit_status adit_control_write(struct adit_writer *writer,
                                      const struct adit_control *message);

/* A refusal with the texts of its row. `bind` 0: of the hello. */
struct adit_control adit_control_refusal(enum adit_refusal refusal, uint32_t bind);

bool adit_control_has_feature(const struct adit_control_features *features,
                              struct adit_bytes word);

/* LIMIT where there are 16 already or the word is over 32 bytes. */
struct adit_status adit_control_add_feature(struct adit_control_features *features,
                                            struct adit_bytes word);

#endif
