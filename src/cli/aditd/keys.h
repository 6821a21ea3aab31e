/* Keys: what a server can be told, as one table: each row is a key of the configuration file, and
 * an option of `serve` where it has one. The table drives the reader of the file, `config check`,
 * the options' help and the test of docs/configuration.md. */
#ifndef ADIT_CLI_ADITD_KEYS_H
#define ADIT_CLI_ADITD_KEYS_H

#include "base/base.h"

/* ROW(ID, kind, key, option, form, fallback, help): the help ends with the default where that is
 * a fixed value (a test looks); an empty fallback is worked out at start. */
#define ADIT_KEY_OPTION_TABLE(ROW)                                                              \
    ROW(DATA, TEXT, "data", "data", "DIR", "",                                                  \
        "where state is kept; default: /var/lib/adit as root, else ~/.local/share/adit")        \
    ROW(DOMAIN, TEXT, "domain", "domain", "NAME", "adit.localhost",                             \
        "the public domain; default: adit.localhost")                                           \
    ROW(HTTPS, TEXT, "https", "https", "ADDR:PORT", "127.0.0.1:8443",                           \
        "where agents and visitors connect; default: 127.0.0.1:8443")                           \
    ROW(HTTP, TEXT, "http", "http", "ADDR:PORT", "127.0.0.1:8080",                              \
        "where plain HTTP is taken; default: 127.0.0.1:8080")                                   \
    ROW(HTTP_MODE, TEXT, "http_mode", "http-mode", "redirect|serve", "redirect",                \
        "redirect to HTTPS, or serve tunnels without TLS; default: redirect")                   \
    ROW(TCP_PORTS, TEXT, "tcp_ports", "tcp-ports", "FROM-TO", "20000-20999",                    \
        "the ports of TCP tunnels; default: 20000-20999")                                       \
    ROW(ADMIN, TEXT, "admin", "admin", "ADDR:PORT", "127.0.0.1:9090",                           \
        "where /healthz, /readyz and /metrics are; default: 127.0.0.1:9090")                    \
    ROW(WORKERS, NUMBER, "workers", "workers", "N", "",                                         \
        "how many processes carry tunnels, 1 to 16; default: one for each processor")           \
    ROW(CERT, TEXT, "cert", "cert", "FILE", "",                                                 \
        "certificate chain as PEM; default: one of a development CA")                           \
    ROW(KEY, TEXT, "key", "key", "FILE", "", "its private key as PEM")                          \
    ROW(LOG_FORMAT, TEXT, "log_format", "log-format", "text|json", "text",                      \
        "how logs are written to standard error; default: text")                                \
    ROW(BUSY_POLL, TEXT, "busy_poll", "busy-poll", "auto|off", "auto",                          \
        "poll for a moment before sleeping, where that pays, or never; default: auto")

/* Those that only the file can say in this form; --no-sandbox is the first one's `false`. */
#define ADIT_KEY_ALONE_TABLE(ROW)                                                               \
    ROW(SANDBOX, FLAG, "sandbox", "", "true|false", "true",                                     \
        "false is --no-sandbox, for debuggers and sanitizers; default: true")                   \
    ROW(NAME_HOLD, TEXT, "name_hold", "", "TIME", "30d",                                        \
        "how long a name stays its account's after its agent left; default: 30d")               \
    ROW(DRAIN, TEXT, "drain", "", "TIME", "30s",                                                \
        "how long what is in flight may go on when the server is to end; default: 30s")

#define ADIT_KEY_TABLE(ROW) ADIT_KEY_OPTION_TABLE(ROW) ADIT_KEY_ALONE_TABLE(ROW)

enum adit_key {
#define ADIT_KEY_ROW(id, kind, key, option, form, fallback, help) ADIT_KEY_##id,
    ADIT_KEY_TABLE(ADIT_KEY_ROW)
#undef ADIT_KEY_ROW
};

#define ADIT_KEY_COUNTED(id, kind, key, option, form, fallback, help) +1
#define ADIT_KEY_COUNT (0 ADIT_KEY_TABLE(ADIT_KEY_COUNTED))

enum adit_key_kind {
    ADIT_KEY_KIND_TEXT,
    ADIT_KEY_KIND_NUMBER, /* these two are written without quotes */
    ADIT_KEY_KIND_FLAG,
};

struct adit_key_row {
    struct adit_bytes key;
    struct adit_bytes option; /* empty: only the file can say it */
    struct adit_bytes form, fallback, help;
    enum adit_key_kind kind;
};

const struct adit_key_row *adit_key_row(enum adit_key key);

/* The key of that name; false where there is none. */
bool adit_key_find(struct adit_bytes name, enum adit_key *out_key);

#endif
