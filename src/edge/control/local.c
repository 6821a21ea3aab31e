#include "edge/control/control.h"

/* The database is read again, and the edge is waited for. */
static void refresh(struct control *control, struct control_client *client)
{
    client->want = CONTROL_WANT_TAKEN;
    client->version = UINT64_MAX;
    struct adit_status status = control_publish(control);
    if (!adit_is_ok(status)) {
        control_local_applied(control, client);
        return;
    }
    client->version = control->version;
    control_client_deadline_set(control, client, control->applied_us);
}

static void status(struct control *control, struct control_client *client)
{
    control_client_report(control, client, control_status_write);
}

static const struct {
    struct adit_bytes line;
    void (*run)(struct control *control, struct control_client *client);
} commands[] = {
    {ADIT_BYTES_INIT("refresh"), refresh},
    {ADIT_BYTES_INIT("status"), status},
};

void control_local_line(struct control *control, struct control_client *client,
                        struct adit_bytes line)
{
    for (size_t i = 0; i < ADIT_COUNT(commands); i++) {
        if (adit_bytes_equal(ADIT_AT(commands, i).line, line)) {
            ADIT_AT(commands, i).run(control, client);
            return;
        }
    }
    control_client_answer(control, client, ADIT_BYTES("{\"error\":\"unknown_command\"}\n"));
}

static struct adit_status applied_write(const struct control *control,
                                        const struct control_client *client,
                                        struct adit_writer *writer)
{
    bool is_applied = client->version <= control->taken;
    ADIT_TRY(adit_write_bytes(writer, is_applied ? ADIT_BYTES("{\"applied\":true,\"version\":")
                                                 : ADIT_BYTES("{\"applied\":false,\"version\":")));
    ADIT_TRY(adit_write_decimal(writer, control->version));
    return adit_write_bytes(writer, ADIT_BYTES("}\n"));
}

void control_local_applied(struct control *control, struct control_client *client)
{
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(applied_write(control, client, &writer), "it fits");
    control_client_answer(control, client, adit_writer_bytes(&writer));
}
