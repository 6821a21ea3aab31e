/* Local: unix stream sockets in a folder, by which programs of the same person on the same machine
 * talk to a server. Non-blocking and close-on-exec always.
 *
 * The folder is opened and the socket named through its descriptor, so a path of any length works
 * (a socket address holds 107 bytes). The file has mode 0600: the kernel lets in only its owner.
 * adit_socket_accept takes its connections. Process: supervisor (listens), control (accepts), and
 * the command line (connects). */
#ifndef ADIT_NET_LOCAL_H
#define ADIT_NET_LOCAL_H

#include "net/socket.h"

/* Listens at folder/name. A file that an ended server left is replaced; REFUSED where one answers,
 * or is just starting. SYSTEM with errno. */
struct adit_status adit_local_listen(const char *folder, struct adit_bytes name, int *out_fd);

/* CLOSED where nobody listens there. *out_pid: the process that began to listen. */
struct adit_status adit_local_connect(const char *folder, struct adit_bytes name, int *out_fd,
                                      uint64_t *out_pid);

#endif
