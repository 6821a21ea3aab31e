/* Reload: what a SIGHUP changes. The configuration file is read again; keys that can change while
 * the server runs (cert, key, name_hold, drain) are taken, any other that differs is named in the
 * log, once for each reload, and waits for a restart. A file that is wrong, or a certificate or key
 * that is, changes nothing. Options of the command line stand above the file as ever. */
#ifndef ADIT_CLI_ADITD_RELOAD_H
#define ADIT_CLI_ADITD_RELOAD_H

#include "cli/aditd/settings.h"

/* Views; all must live as long. */
struct adit_reload {
    const struct adit_args *args;         /* of `serve` */
    const char *file;                     /* of --config, or null */
    struct adit_config *config, *fresh;   /* by which it runs; room for another */
    struct adit_serve_settings *settings; /* made of `config` */
};

/* True: the certificate and the key are good to be opened anew, and config and settings are up to
 * date. False: they are as they were, and the log says why. */
bool adit_reload_read(const struct adit_reload *reload, struct adit_log *log);

#endif
