/* Credentials: are the certificate and the key that were given good to serve with? Asked before
 * anything is started, so that a person reads one line, and not a worker's repeated end. */
#ifndef ADIT_CLI_ADITD_CREDENTIALS_H
#define ADIT_CLI_ADITD_CREDENTIALS_H

#include "cli/aditd/settings.h"

/* True where none were given, too. False: standard error says which file is wrong, and how. A
 * certificate that is good but will disappoint visitors (not for *.DOMAIN, too early, expired or
 * nearly) is logged as `certificate` with the reason, and served. */
bool adit_credentials_are_good(const struct adit_serve_settings *settings);

/* The same as a status, to a log that is there; *out_wrong is the file that a failure is about. */
struct adit_status adit_credentials_check(const struct adit_serve_settings *settings,
                                          struct adit_log *log, const char **out_wrong);

#endif
