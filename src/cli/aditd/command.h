/* Command: what the commands of aditd share, and the commands themselves: each takes its arguments,
 * prints for people or programs, and returns the exit code of the process: 0 done, or stopped by a
 * signal; 1 failed; 2 usage. */
#ifndef ADIT_CLI_ADITD_COMMAND_H
#define ADIT_CLI_ADITD_COMMAND_H

#include "cli/aditd/data.h"
#include "cli/aditd/settings.h"
#include "store/store.h"

#define ADIT_ADITD_FAILED 1
#define ADIT_ADITD_USAGE 2
#define ADIT_ADITD_TEXT_BYTES 8192 /* of what a command prints at once */

/* "aditd: subject: what" to standard error; gives ADIT_ADITD_FAILED. */
int adit_aditd_failure(struct adit_bytes subject, struct adit_status status);

/* The complaint to standard error; gives ADIT_ADITD_USAGE. */
int adit_aditd_usage(const struct adit_writer *complaint);

/* To standard output. */
int adit_aditd_print(struct adit_bytes text);

/* Finds the data folder (`given` is --data, or null) and makes it; says what is wrong with it. */
struct adit_status adit_aditd_data_open(const char *given, struct adit_data_path *out_folder);

/* Finds it, whether it is there or not. */
struct adit_status adit_aditd_data_find(const char *given, struct adit_data_path *out_folder);

/* The same for commands that only look: the folder must be a server's. */
struct adit_status adit_aditd_data_look(const char *given, struct adit_data_path *out_folder);

/* The database of a data folder, made where there is none. */
struct adit_status adit_aditd_store_open(const struct adit_data_path *folder,
                                         struct adit_store *out_store);

/* The whole program but for what it finds open: reads the arguments and runs the command. */
int adit_aditd_run(size_t argc, char **argv);

int adit_aditd_serve(const struct adit_args *args);
int adit_aditd_token_create(const struct adit_args *args);
int adit_aditd_token_list(const struct adit_args *args);
int adit_aditd_token_revoke(const struct adit_args *args);
int adit_aditd_status(const struct adit_args *args);
int adit_aditd_reload(const struct adit_args *args);
int adit_aditd_config_check(const struct adit_args *args);

#endif
