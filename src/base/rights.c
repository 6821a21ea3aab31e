#include "base/rights.h"

#include <string.h>
#include <unistd.h>

void adit_rights_attach(struct adit_rights *rights, struct msghdr *head, const int *fds,
                        size_t count)
{
    ADIT_ASSERT(count <= ADIT_RIGHTS_MAX);
    *rights = (struct adit_rights){0};
    head->msg_control = count > 0 ? rights->memory : NULL;
    head->msg_controllen = count > 0 ? CMSG_SPACE(sizeof(int) * count) : 0;
    if (count == 0) {
        return;
    }
    struct cmsghdr *item = CMSG_FIRSTHDR(head);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(item), fds, sizeof(int) * count); /* the memory has room for the maximum */
}

void adit_rights_expect(struct adit_rights *rights, struct msghdr *head)
{
    *rights = (struct adit_rights){0};
    head->msg_control = rights->memory;
    head->msg_controllen = sizeof rights->memory;
}

static size_t item_take(struct cmsghdr *item, int *out_fds, size_t taken, size_t capacity)
{
    size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd = -1;
        ADIT_UNSAFE_BEGIN("i is less than the number of descriptors of this item")
        memcpy(&fd, CMSG_DATA(item) + i * sizeof fd, sizeof fd);
        ADIT_UNSAFE_END
        if (taken < capacity) {
            ADIT_SLOT(out_fds, capacity, taken) = fd;
            taken++;
        } else {
            close(fd);
        }
    }
    return taken;
}

size_t adit_rights_take(struct msghdr *head, int *out_fds, size_t capacity)
{
    size_t taken = 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(head); item; item = CMSG_NXTHDR(head, item)) {
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS &&
            item->cmsg_len >= CMSG_LEN(0)) {
            taken = item_take(item, out_fds, taken, capacity);
        }
    }
    return taken;
}
