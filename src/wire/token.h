/* Token: the capability that an agent shows: minted by the server, narrowed offline by its holder,
 * verified with one key and no database.
 *
 *     "adit_" + base64url(record || block 1 .. block n || tag)       n <= 4, sizes fixed
 *     T0 = HMAC-SHA-256(K, label || record); Ti = HMAC-SHA-256(Ti-1, label || block i)
 *
 * Only the last T travels, so that no block can be taken off, changed or moved. Record and blocks
 * are readable by anyone who holds the token; the whole text is a secret. A block can only take
 * rights away: effective rights are the conjunction of record and blocks. docs/protocol.md has the
 * layout and test vectors, docs/decisions/0006-token.md the reasons.
 *
 * Pure: no allocation, no clock (the time is an argument), no cryptography of its own (the MAC is
 * an argument). Revocation is the caller's: by `id`, and by `parent` for those minted from a
 * master. */
#ifndef ADIT_WIRE_TOKEN_H
#define ADIT_WIRE_TOKEN_H

#include "base/writer.h"
#include "wire/name.h"
#include "wire/stream_head.h"

#define ADIT_TOKEN_RECORD_BYTES 160
#define ADIT_TOKEN_BLOCK_BYTES 90
#define ADIT_TOKEN_TAG_BYTES 32
#define ADIT_TOKEN_BLOCKS_MAX 4
#define ADIT_TOKEN_BYTES_MAX                                                                    \
    (ADIT_TOKEN_RECORD_BYTES + ADIT_TOKEN_BLOCKS_MAX * ADIT_TOKEN_BLOCK_BYTES +                 \
     ADIT_TOKEN_TAG_BYTES)

/* All sizes divide by three, so base64url has neither padding nor unused bits: a token text is
 * 261, 381, 501, 621 or 741 characters, and only one text means a given token. */
#define ADIT_TOKEN_PREFIX "adit_"
#define ADIT_TOKEN_TEXT_MAX (5 + ADIT_TOKEN_BYTES_MAX / 3 * 4)

#define ADIT_TOKEN_KEY_BYTES_MIN 32 /* of the server's key: a short one is refused */
#define ADIT_TOKEN_ID_BYTES 16
#define ADIT_TOKEN_ACCOUNT_BYTES 32
#define ADIT_TOKEN_EXPIRES_NEVER UINT64_MAX

enum adit_token_kind {
    ADIT_TOKEN_NONE = 0, /* a struct of zeros; never in a token */
    ADIT_TOKEN_USER = 1,
    ADIT_TOKEN_PROJECT = 2,
    ADIT_TOKEN_MASTER = 3,    /* mints and revokes children, online; binds nothing */
    ADIT_TOKEN_DASHBOARD = 4, /* reads the dashboard; binds nothing */
};

/* Bits of `allows`. */
#define ADIT_TOKEN_ALLOWS_HTTP 0x1u
#define ADIT_TOKEN_ALLOWS_TCP 0x2u
#define ADIT_TOKEN_ALLOWS_TLS 0x4u
#define ADIT_TOKEN_ALLOWS_UDP 0x8u
#define ADIT_TOKEN_ALLOWS_KNOWN 0xfu

/* A pattern of names (see name.h), padded with zeros. "*" allows every name. The empty pattern is
 * refused everywhere: there is no way to forget to say which names are meant. */
struct adit_token_names {
    uint8_t pattern[ADIT_NAME_PATTERN_BYTES_MAX];
};

/* INVALID unless `text` is such a pattern. */
struct adit_status adit_token_names_set(struct adit_token_names *names, struct adit_bytes text);
struct adit_bytes adit_token_names_text(const struct adit_token_names *names);

struct adit_token_record {
    enum adit_token_kind kind;
    uint8_t allows;  /* ADIT_TOKEN_ALLOWS_ */
    uint32_t key_id; /* which key of the server signed it */
    uint8_t id[ADIT_TOKEN_ID_BYTES];
    uint8_t parent[ADIT_TOKEN_ID_BYTES];       /* the master's id, or zeros */
    uint8_t account[ADIT_TOKEN_ACCOUNT_BYTES]; /* padded with zeros: see adit_token_account_set */
    struct adit_token_names names;
    uint64_t not_before_s;  /* Unix time of the first second that it is good for */
    uint64_t expiry_s;      /* and of the first second that it is not; or EXPIRES_NEVER */
    uint32_t bandwidth_kib; /* KiB each second; 0: no limit of its own */
    uint16_t tunnels_max;   /* 0: no limit of its own */
};

/* 1 to 32 of a-z A-Z 0-9 . _ @ -, not beginning with a dot or hyphen; INVALID otherwise. */
struct adit_status adit_token_account_set(struct adit_token_record *record, struct adit_bytes name);

/* What a holder takes away. Values are as in the record; "takes nothing away" is: all known bits
 * of allows, names "*", not_before_s 0, expiry_s NEVER, bandwidth_kib 0, tunnels_max 0. */
struct adit_token_block {
    uint8_t allows;
    struct adit_token_names names;
    uint64_t not_before_s;
    uint64_t expiry_s;
    uint32_t bandwidth_kib;
    uint16_t tunnels_max;
};

/* The block that takes nothing away: begin with this and change what is meant. */
struct adit_token_block adit_token_block_neutral(void);

/* HMAC-SHA-256 of first || second under `key` into the 32 bytes of `out`: adit_hmac_sha256. */
typedef struct adit_status adit_token_mac_fn(struct adit_bytes key, struct adit_bytes first,
                                             struct adit_bytes second, struct adit_span out);

/* Appends the text of a new token. INVALID for a record that no token may hold (no kind, unknown
 * bits, no names, no account, no id) or a key under 32 bytes; LIMIT without
 * room for 261 characters; the MAC's failure. Then nothing was appended. */
struct adit_status adit_token_mint(struct adit_writer *writer,
                                   const struct adit_token_record *record, struct adit_bytes key,
                                   adit_token_mac_fn *mac);

/* Appends `token` with one more block; needs no key. INVALID for a text that is no token or a
 * block that no token may hold; LIMIT where it has four blocks already or the text does not fit. */
struct adit_status adit_token_narrow(struct adit_writer *writer, struct adit_bytes token,
                                     const struct adit_token_block *block, adit_token_mac_fn *mac);

/* What the text says, not whether it is true: for people, and to find the key by key_id. */
struct adit_token {
    struct adit_token_record record;
    struct adit_token_block blocks[ADIT_TOKEN_BLOCKS_MAX];
    size_t block_count;
};

/* INVALID for anything that is not exactly a token's text. */
struct adit_status adit_token_parse(struct adit_bytes text, struct adit_token *out_token);

/* Why verification refused: in `detail` of the REFUSED status. */
enum adit_token_reason {
    ADIT_TOKEN_REASON_INVALID = 1, /* no token, another key's, or a wrong tag */
    ADIT_TOKEN_REASON_EXPIRED = 2, /* authentic, and its time is over */
    ADIT_TOKEN_REASON_NOT_YET = 3, /* authentic, and its time has not begun */
};
enum adit_token_reason adit_token_reason_of(struct adit_status refusal);

/* Rights of a verified token: record and blocks taken together. */
struct adit_token_rights {
    uint8_t id[ADIT_TOKEN_ID_BYTES];
    uint8_t parent[ADIT_TOKEN_ID_BYTES];
    uint8_t account[ADIT_TOKEN_ACCOUNT_BYTES];
    enum adit_token_kind kind;
    uint8_t allows;
    uint16_t tunnels_max;   /* 0: no limit */
    uint32_t bandwidth_kib; /* 0: no limit */
    uint64_t not_before_s;
    uint64_t expiry_s;
    struct adit_token_names names[1 + ADIT_TOKEN_BLOCKS_MAX]; /* a name must match every one */
    size_t names_count;
};

struct adit_token_check {
    struct adit_bytes key;
    uint32_t key_id; /* a token that names another key is refused */
    uint64_t now_s;  /* Unix time */
    adit_token_mac_fn *mac;
};

/* REFUSED with an adit_token_reason for a token that is not good now; INVALID for a key under 32
 * bytes, and the MAC's own failure. The tag is compared in constant time, and before any time is
 * looked at. */
struct adit_status adit_token_verify(struct adit_bytes text, const struct adit_token_check *check,
                                     struct adit_token_rights *out_rights);

/* The account as text, without its padding. */
struct adit_bytes adit_token_account_of(const struct adit_token_rights *rights);

/* May it bind a tunnel of this kind? Never for master and dashboard tokens. */
bool adit_token_allows_tunnel(const struct adit_token_rights *rights, enum adit_tunnel kind);

/* Does every pattern allow the name? False for what is no name at all. A tunnel without a name (a
 * TCP port) has nothing to ask here. */
bool adit_token_allows_name(const struct adit_token_rights *rights, struct adit_bytes name);

/* Is it within its time? For each opened stream, on the cached rights. */
bool adit_token_is_current(const struct adit_token_rights *rights, uint64_t now_s);

#endif
