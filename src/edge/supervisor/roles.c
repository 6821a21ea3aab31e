#include "edge/supervisor/roles.h"

#include "ipc/message.h"

static const struct adit_role_info control = {
    .program = ADIT_BYTES_INIT("adit-control"),
    .name = ADIT_BYTES_INIT("control"),
    .sends = ADIT_EDGE_SUPERVISOR_CONTROL,
    .receives = ADIT_EDGE_CONTROL_SUPERVISOR,
};

static const struct adit_role_info door = {
    .program = ADIT_BYTES_INIT("adit-door"),
    .name = ADIT_BYTES_INIT("door"),
    .sends = ADIT_EDGE_SUPERVISOR_DOOR,
    .receives = ADIT_EDGE_DOOR_SUPERVISOR,
};

static const struct adit_role_info worker = {
    .program = ADIT_BYTES_INIT("adit-worker"),
    .name = ADIT_BYTES_INIT("worker"),
    .sends = ADIT_EDGE_SUPERVISOR_WORKER,
    .receives = ADIT_EDGE_WORKER_SUPERVISOR,
};

const struct adit_role_info *adit_role_info(enum adit_role role)
{
    switch (role) {
    case ADIT_ROLE_CONTROL:
        return &control;
    case ADIT_ROLE_DOOR:
        return &door;
    case ADIT_ROLE_WORKER:
        return &worker;
    }
    return &worker;
}

static struct adit_status path_write(struct adit_role_path *path, struct adit_bytes folder,
                                     struct adit_bytes below, struct adit_bytes program)
{
    struct adit_writer writer = adit_writer_of(ADIT_OBJECT_SPAN(path->text));
    ADIT_TRY(adit_write_bytes(&writer, folder));
    ADIT_TRY(adit_write_bytes(&writer, below));
    ADIT_TRY(adit_write_bytes(&writer, program));
    return adit_write_u8(&writer, 0);
}

struct adit_status adit_role_find(enum adit_role role, struct adit_bytes program_folder,
                                  struct adit_role_path *out_path)
{
    static const struct adit_bytes places[] = {
        ADIT_BYTES_INIT("/libexec/adit/"),
        ADIT_BYTES_INIT("/../libexec/adit/"),
        ADIT_BYTES_INIT("/"),
    };
    for (size_t i = 0; i < ADIT_COUNT(places); i++) {
        struct adit_role_path path = {0};
        ADIT_TRY(path_write(&path, program_folder, ADIT_AT(places, i),
                            adit_role_info(role)->program));
        if (access(path.text, X_OK) == 0) {
            *out_path = path;
            return adit_ok();
        }
    }
    ADIT_FAIL(REFUSED, "the program of a role is not installed beside this one");
}

struct adit_status adit_role_own_folder(struct adit_span memory, struct adit_bytes *out_folder)
{
    char path[ADIT_SUPERVISOR_PATH_MAX] = {0};
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    if (len <= 0) {
        ADIT_FAIL_WITH(SYSTEM, "the place of this program is unknown", errno);
    }
    ADIT_ENSURE((size_t)len < sizeof path, LIMIT, "the path of this program is too long");
    struct adit_bytes whole = adit_bytes_first(ADIT_OBJECT_BYTES(path), (size_t)len);
    size_t slash = 0;
    for (size_t i = 0; i < whole.len; i++) {
        slash = adit_bytes_at(whole, i) == '/' ? i : slash;
    }
    struct adit_writer writer = adit_writer_of(memory);
    ADIT_TRY(adit_write_bytes(&writer, adit_bytes_first(whole, slash)));
    *out_folder = adit_writer_bytes(&writer);
    return adit_ok();
}
