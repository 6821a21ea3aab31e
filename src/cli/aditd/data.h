/* Data: the folder in which a server keeps what must survive: the token key and the development CA.
 * Made with mode 0700 where it is missing.
 *
 * Files: token.key (0600; 64 hex digits and a newline, made once), the folder of store/store.h with
 * the database, the server's socket while it runs, and those of net/devca.h. */
#ifndef ADIT_CLI_ADITD_DATA_H
#define ADIT_CLI_ADITD_DATA_H

#include "base/base.h"

#define ADIT_DATA_PATH_MAX 3072
#define ADIT_TOKEN_KEY_BYTES 32
#define ADIT_TOKEN_KEY_ID 1 /* the one key that there is until keys are rotated */

struct adit_data_path {
    char text[ADIT_DATA_PATH_MAX + 64]; /* NUL-terminated */
};

/* What decides where the folder is. */
struct adit_data_place {
    const char *given;         /* --data, or null */
    const char *xdg_data_home; /* the environment's, or null */
    const char *home;          /* as above */
    bool is_root;
};

/* given; else /var/lib/adit for root; else $XDG_DATA_HOME/adit; else $HOME/.local/share/adit.
 * INVALID where none of these is an absolute path or a given one is empty. */
struct adit_status adit_data_find(const struct adit_data_place *place,
                                  struct adit_data_path *out_folder);

/* Makes the folder and those above it, where they are missing. REFUSED where something else is
 * there. */
struct adit_status adit_data_make(const struct adit_data_path *folder);

/* The folder of the database in it, made with mode 0700 where it is missing. REFUSED where the
 * database lies beside it, as an older version had it. */
struct adit_status adit_data_store_make(const struct adit_data_path *folder,
                                        struct adit_data_path *out_store);

/* The folder must be there, and have had a database: for commands that only look. REFUSED where the
 * server has not made one. */
struct adit_status adit_data_require(const struct adit_data_path *folder);

/* folder/name. */
struct adit_status adit_data_path(const struct adit_data_path *folder, struct adit_bytes name,
                                  struct adit_data_path *out_path);

/* Makes the token key where there is none, and gives its path. Of several processes at once all get
 * the same key. */
struct adit_status adit_data_token_key(const struct adit_data_path *folder,
                                       struct adit_data_path *out_path);

/* Reads a token key into ADIT_TOKEN_KEY_BYTES. INVALID for another form. */
struct adit_status adit_data_token_key_read(const char *path, struct adit_span out_key);

#endif
