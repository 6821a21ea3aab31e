/* Roles: the table of programs that the supervisor starts, and where they are installed. */
#ifndef ADIT_EDGE_SUPERVISOR_ROLES_H
#define ADIT_EDGE_SUPERVISOR_ROLES_H

#include "base/base.h"

#define ADIT_SUPERVISOR_PATH_MAX 4096

enum adit_role { ADIT_ROLE_CONTROL, ADIT_ROLE_DOOR, ADIT_ROLE_WORKER };

struct adit_role_info {
    struct adit_bytes program;   /* "adit-door" */
    struct adit_bytes name;      /* "door", for logs */
    uint32_t sends, receives;    /* edges, as the supervisor sees them */
};

const struct adit_role_info *adit_role_info(enum adit_role role);

struct adit_role_path {
    char text[ADIT_SUPERVISOR_PATH_MAX]; /* NUL-terminated */
};

/* Looks for the program beside the folder `program_folder` of the supervisor's own program:
 * FOLDER/libexec/adit, FOLDER/../libexec/adit, FOLDER. REFUSED where it is in none. */
struct adit_status adit_role_find(enum adit_role role, struct adit_bytes program_folder,
                                  struct adit_role_path *out_path);

/* The folder of this process's own program (/proc/self/exe). */
struct adit_status adit_role_own_folder(struct adit_span memory, struct adit_bytes *out_folder);

#endif
