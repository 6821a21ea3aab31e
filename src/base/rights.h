/* Rights: the ancillary data of sendmsg(2) and recvmsg(2) that carries descriptors (SCM_RIGHTS,
 * unix(7)). Here because control messages are laid out in raw memory; the calls themselves are
 * src/ipc's. Not part of base.h: only src/ipc includes it.
 *
 * Limit: ADIT_RIGHTS_MAX descriptors a message; the kernel drops what does not fit and says so
 * with MSG_CTRUNC. */
#ifndef ADIT_BASE_RIGHTS_H
#define ADIT_BASE_RIGHTS_H

#include <sys/socket.h>

#include "base/bytes.h"

#define ADIT_RIGHTS_MAX 16

struct adit_rights {
    _Alignas(struct cmsghdr) uint8_t memory[CMSG_SPACE(sizeof(int) * ADIT_RIGHTS_MAX)];
};

/* Makes `head` carry `count` descriptors, at most ADIT_RIGHTS_MAX (asserted); 0 carries none.
 * `rights` must live as long as the head is used. */
void adit_rights_attach(struct adit_rights *rights, struct msghdr *head, const int *fds,
                        size_t count);

/* Gives `head` room to receive ADIT_RIGHTS_MAX descriptors. */
void adit_rights_expect(struct adit_rights *rights, struct msghdr *head);

/* Copies the received descriptors out, which are the caller's from now on, and returns how many.
 * Those beyond `capacity` are closed. */
size_t adit_rights_take(struct msghdr *head, int *out_fds, size_t capacity);

#endif
