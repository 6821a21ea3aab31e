/* Refusal: the stable codes with which the server says no, each with a sentence for a person and
 * what to do next. Scripts match the code; the texts may change. Codes are never reused. */
#ifndef ADIT_WIRE_REFUSAL_H
#define ADIT_WIRE_REFUSAL_H

#include "base/bytes.h"

/* ROW(NAME, code, final or retry, sentence, next action). FINAL: asking again will not help. */
#define ADIT_REFUSAL_TABLE(ROW)                                                                 \
    ROW(BAD_LOGIN, "bad_login", FINAL, "The first message of the agent was not a valid hello.", \
        "Use an agent of the same release as the server.")                                      \
    ROW(VERSION_UNSUPPORTED, "version_unsupported", FINAL,                                      \
        "The server does not speak this version of the protocol.",                              \
        "Install an agent of the same release as the server.")                                  \
    ROW(TOKEN_INVALID, "token_invalid", FINAL, "The token is not one that this server made.",   \
        "Check that the whole token was copied, and that it belongs to this server.")           \
    ROW(TOKEN_EXPIRED, "token_expired", FINAL, "The token has expired.",                        \
        "Ask for a new token.")                                                                 \
    ROW(TOKEN_NOT_YET, "token_not_yet", FINAL, "The token is not valid yet.",                   \
        "Wait until its time begins, or check the clock of the server.")                        \
    ROW(TOKEN_REVOKED, "token_revoked", FINAL, "The token was revoked.", "Ask for a new token.")\
    ROW(TOKEN_SCOPE, "token_scope", FINAL, "The token does not allow this tunnel.",             \
        "Use a token that allows this kind of tunnel and this name.")                           \
    ROW(NAME_TAKEN, "name_taken", FINAL, "Another account holds this name.",                    \
        "Choose another name with --name.")                                                     \
    ROW(NAME_RESERVED, "name_reserved", FINAL, "This name is reserved.",                        \
        "Choose another name with --name.")                                                     \
    ROW(NAME_INVALID, "name_invalid", FINAL, "This is not a valid name.",                       \
        "Use a-z, 0-9 and hyphens, a letter first, at most 63 characters.")                     \
    ROW(PORT_TAKEN, "port_taken", FINAL, "Another tunnel has this port.",                       \
        "Choose another port with --remote-port, or leave it out.")                             \
    ROW(PORT_RANGE, "port_range", FINAL, "This port is outside the range of the server.",       \
        "Choose a port inside the range, or leave --remote-port out.")                          \
    ROW(LIMIT_REACHED, "limit_reached", FINAL, "A limit of this token or server is reached.",   \
        "Close a tunnel that is not needed, or use a token with a higher limit.")               \
    ROW(INTERNAL_ERROR, "internal_error", RETRY, "The server could not do it now.",             \
        "Try again in a moment; if it lasts, tell the operator of the server.")

enum adit_refusal {
#define ADIT_REFUSAL_ENUM(NAME, code, repeat, message, next) ADIT_REFUSAL_##NAME,
    ADIT_REFUSAL_TABLE(ADIT_REFUSAL_ENUM)
#undef ADIT_REFUSAL_ENUM
};

const char *adit_refusal_code(enum adit_refusal refusal);
const char *adit_refusal_message(enum adit_refusal refusal);
const char *adit_refusal_next_action(enum adit_refusal refusal);

/* False where the same request may succeed a little later. */
bool adit_refusal_is_final(enum adit_refusal refusal);

/* INVALID for a code that this release does not know (treat it as final, show its message). */
struct adit_status adit_refusal_find(struct adit_bytes code, enum adit_refusal *out_refusal);

#endif
