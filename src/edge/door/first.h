/* First: what the first bytes of a connection say, and the way it goes then. Pure: the bytes, the
 * names and the time are arguments.
 *
 * The two are apart because a connection that waits is looked at once, and asked again for its way
 * when something has changed. The rules: docs/protocol.md, "What the door makes of the first
 * bytes". */
#ifndef ADIT_EDGE_DOOR_FIRST_H
#define ADIT_EDGE_DOOR_FIRST_H

#include "edge/door/names.h"
#include "http/message.h"
#include "wire/client_hello.h"

enum adit_first_kind {
    ADIT_FIRST_OTHER, /* nothing that we speak: `reason` */
    ADIT_FIRST_TLS,   /* a ClientHello */
    ADIT_FIRST_PLAIN, /* HTTP: a head, or what cannot become one */
};

struct adit_first {
    enum adit_first_kind kind;
    enum adit_orphan reason;
    bool offers_agent;  /* TLS: adit/1 */
    bool offers_others; /* TLS: application protocols, and none that visitors may speak */
    ADIT_FIELD(ADIT_SERVER_NAME_BYTES_MAX) host; /* TLS: its server name; PLAIN: its Host; empty:
                                                  * none, or none that is valid */
};

/* False: not yet enough; *out_needed bytes at least must be seen. */
bool adit_first_judge(struct adit_bytes seen, struct adit_first *out_first, size_t *out_needed);

/* The same for the HTTP port: as far as the end of the first head. `scan` goes with the connection.
 * A head that breaks the rules, or is too long, has no host: a worker says so. */
bool adit_first_judge_plain(struct adit_bytes seen, struct adit_http_scan *scan,
                            struct adit_first *out_first, size_t *out_needed);

enum adit_way_kind {
    ADIT_WAY_PARK,    /* the agent of its name is away for a moment: until `until_us` */
    ADIT_WAY_AGENT,   /* to any worker, as an agent */
    ADIT_WAY_ORPHAN,  /* to any worker, which says `reason` */
    ADIT_WAY_WEB,     /* to a worker of its name, if there is one; else to any */
    ADIT_WAY_THROUGH, /* to a worker of its name: a TLS tunnel */
};

struct adit_way {
    enum adit_way_kind kind;
    enum adit_orphan reason;
    const struct adit_owners *owners; /* to one of them, and nobody else; null: to any worker. Valid
                                       * until the names change */
    struct adit_bytes name;           /* of the owners: a view into `first` */
    uint64_t until_us;      /* PARK */
    bool is_unknown;        /* WEB: its name is one, and nobody has it or is waited for */
};

struct adit_way adit_way_of(const struct adit_names *names, struct adit_bytes domain,
                            const struct adit_first *first, uint64_t now_us);

#endif
