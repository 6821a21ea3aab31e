#include "ipc/message.h"

/* Bits of the field sets in the message table. */
enum field {
#define FIELD_ENUM(NAME, member, kind) FIELD_##NAME,
    ADIT_MESSAGE_FIELD_TABLE(FIELD_ENUM)
#undef FIELD_ENUM
};
#define F(NAME) (1u << FIELD_##NAME)

struct shape {
    uint16_t type;
    uint16_t fd_count;
    uint32_t edges;
    uint32_t fields;
    struct adit_bytes name;
};

static const struct shape shapes[] = {
#define SHAPE(NAME, number, edges_, fds, fields_)                                               \
    {.type = (number), .fd_count = (fds), .edges = (edges_), .fields = (fields_),               \
     .name = ADIT_BYTES_INIT(#NAME)},
    ADIT_MESSAGE_TABLE(SHAPE)
#undef SHAPE
};

static const struct shape *shape_of(uint32_t type)
{
    for (size_t i = 0; i < ADIT_COUNT(shapes); i++) {
        if (ADIT_AT(shapes, i).type == type) {
            return &ADIT_AT(shapes, i);
        }
    }
    return NULL;
}

static struct adit_status shape_find(uint32_t type, uint32_t edge, size_t fd_count,
                                     const struct shape **out_shape)
{
    const struct shape *shape = shape_of(type);
    ADIT_ENSURE(shape != NULL, INVALID, "no message has this type");
    ADIT_ENSURE((shape->edges & edge) != 0, INVALID, "this message does not travel this way");
    ADIT_ENSURE(shape->fd_count == fd_count, INVALID, "the number of descriptors is wrong");
    *out_shape = shape;
    return adit_ok();
}

struct adit_status adit_message_text_set(struct adit_message_text *text, struct adit_bytes bytes)
{
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(text->bytes), bytes));
    text->len = (uint8_t)bytes.len;
    return adit_ok();
}

struct adit_bytes adit_message_text_get(const struct adit_message_text *text)
{
    return adit_bytes_first(ADIT_BYTES_OF(text->bytes), text->len);
}

struct adit_bytes adit_message_name(enum adit_message_type type)
{
    const struct shape *shape = shape_of((uint32_t)type);
    return shape ? shape->name : ADIT_BYTES("NONE");
}

struct adit_bytes adit_orphan_name(enum adit_orphan reason)
{
    switch (reason) {
#define NAME_CASE(NAME, text)                                                                   \
    case ADIT_ORPHAN_##NAME:                                                                    \
        return ADIT_BYTES(text);
        ADIT_ORPHAN_TABLE(NAME_CASE)
#undef NAME_CASE
    }
    return ADIT_BYTES("unknown");
}

struct adit_bytes adit_port_refusal_name(enum adit_port_refusal refusal)
{
    switch (refusal) {
#define NAME_CASE(NAME, text)                                                                   \
    case ADIT_PORT_REFUSAL_##NAME:                                                              \
        return ADIT_BYTES(text);
        ADIT_PORT_REFUSAL_TABLE(NAME_CASE)
#undef NAME_CASE
    }
    return ADIT_BYTES("unknown");
}

struct adit_bytes adit_name_refusal_name(enum adit_name_refusal refusal)
{
    switch (refusal) {
#define NAME_CASE(NAME, text)                                                                   \
    case ADIT_NAME_REFUSAL_##NAME:                                                              \
        return ADIT_BYTES(text);
        ADIT_NAME_REFUSAL_TABLE(NAME_CASE)
#undef NAME_CASE
    }
    return ADIT_BYTES("unknown");
}

/* One pair of functions for each kind of field. Enums travel as u8 and are checked when read. */

static struct adit_status write_u64(struct adit_writer *writer, const uint64_t *value)
{
    return adit_write_u64(writer, *value);
}

static struct adit_status read_u64(struct adit_reader *reader, uint64_t *out_value)
{
    return adit_read_u64(reader, out_value);
}

static struct adit_status write_u32(struct adit_writer *writer, const uint32_t *value)
{
    return adit_write_u32(writer, *value);
}

static struct adit_status read_u32(struct adit_reader *reader, uint32_t *out_value)
{
    return adit_read_u32(reader, out_value);
}

static struct adit_status write_u16(struct adit_writer *writer, const uint16_t *value)
{
    return adit_write_u16(writer, *value);
}

static struct adit_status read_u16(struct adit_reader *reader, uint16_t *out_value)
{
    return adit_read_u16(reader, out_value);
}

static struct adit_status read_below(struct adit_reader *reader, uint8_t bound, uint8_t *out_value)
{
    uint8_t value = 0;
    ADIT_TRY(adit_read_u8(reader, &value));
    ADIT_ENSURE(value < bound, INVALID, "a field has a value that means nothing");
    *out_value = value;
    return adit_ok();
}

static struct adit_status write_kind(struct adit_writer *writer, const enum adit_tunnel *kind)
{
    return adit_write_u8(writer, (uint8_t)*kind);
}

static struct adit_status read_kind(struct adit_reader *reader, enum adit_tunnel *out_kind)
{
    uint8_t value = 0;
    ADIT_TRY(read_below(reader, ADIT_TUNNEL_TLS + 1, &value));
    *out_kind = (enum adit_tunnel)value;
    return adit_ok();
}

static struct adit_status write_reason(struct adit_writer *writer, const enum adit_orphan *reason)
{
    return adit_write_u8(writer, (uint8_t)*reason);
}

static struct adit_status read_reason(struct adit_reader *reader, enum adit_orphan *out_reason)
{
    uint8_t value = 0;
    ADIT_TRY(read_below(reader, ADIT_ORPHAN_TOO_OLD + 1, &value));
    *out_reason = (enum adit_orphan)value;
    return adit_ok();
}

static struct adit_status write_refusal(struct adit_writer *writer,
                                        const enum adit_port_refusal *refusal)
{
    return adit_write_u8(writer, (uint8_t)*refusal);
}

static struct adit_status read_refusal(struct adit_reader *reader,
                                       enum adit_port_refusal *out_refusal)
{
    uint8_t value = 0;
    ADIT_TRY(read_below(reader, ADIT_PORT_REFUSAL_UNSUPPORTED + 1, &value));
    *out_refusal = (enum adit_port_refusal)value;
    return adit_ok();
}

static struct adit_status write_name_refusal(struct adit_writer *writer,
                                             const enum adit_name_refusal *refusal)
{
    return adit_write_u8(writer, (uint8_t)*refusal);
}

static struct adit_status read_name_refusal(struct adit_reader *reader,
                                            enum adit_name_refusal *out_refusal)
{
    uint8_t value = 0;
    ADIT_TRY(read_below(reader, ADIT_NAME_REFUSAL_LIMIT + 1, &value));
    *out_refusal = (enum adit_name_refusal)value;
    return adit_ok();
}

static struct adit_status write_counters(struct adit_writer *writer,
                                         const struct adit_message_counters *counters)
{
    ADIT_ENSURE(counters->count <= ADIT_MESSAGE_COUNTERS_MAX, LIMIT, "there are too many counters");
    ADIT_TRY(adit_write_u8(writer, counters->count));
    for (size_t i = 0; i < counters->count; i++) {
        ADIT_TRY(adit_write_u64(writer, ADIT_AT(counters->values, i)));
    }
    return adit_ok();
}

static struct adit_status read_counters(struct adit_reader *reader,
                                        struct adit_message_counters *out_counters)
{
    struct adit_message_counters counters = {0};
    ADIT_TRY(read_below(reader, ADIT_MESSAGE_COUNTERS_MAX + 1, &counters.count));
    for (size_t i = 0; i < counters.count; i++) {
        ADIT_TRY(adit_read_u64(reader, &ADIT_AT(counters.values, i)));
    }
    *out_counters = counters;
    return adit_ok();
}

static struct adit_status write_address(struct adit_writer *writer,
                                        const struct adit_address *address)
{
    ADIT_TRY(adit_write_u8(writer, address->family));
    ADIT_TRY(adit_write_u16(writer, address->port));
    return adit_write_bytes(writer, ADIT_BYTES_OF(address->ip));
}

static struct adit_status read_address(struct adit_reader *reader,
                                       struct adit_address *out_address)
{
    struct adit_address address = {0};
    ADIT_TRY(adit_read_u8(reader, &address.family));
    ADIT_ENSURE(address.family == 0 || address.family == 4 || address.family == 6, INVALID,
                "an address has a family that means nothing");
    ADIT_TRY(adit_read_u16(reader, &address.port));
    ADIT_TRY(adit_read_copy(reader, ADIT_SPAN_OF(address.ip)));
    *out_address = address;
    return adit_ok();
}

static struct adit_status write_text(struct adit_writer *writer,
                                     const struct adit_message_text *text)
{
    ADIT_TRY(adit_write_u8(writer, text->len));
    return adit_write_bytes(writer, adit_message_text_get(text));
}

static struct adit_status read_text(struct adit_reader *reader, struct adit_message_text *out_text)
{
    uint8_t len = 0;
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_u8(reader, &len));
    ADIT_TRY(adit_read_bytes(reader, len, &bytes));
    return adit_message_text_set(out_text, bytes);
}

static struct adit_status fields_write(struct adit_writer *writer, uint32_t fields,
                                       const struct adit_message *message)
{
#define FIELD_WRITE(NAME, member, kind)                                                         \
    if (fields & F(NAME)) {                                                                     \
        ADIT_TRY(write_##kind(writer, &message->member));                                       \
    }
    ADIT_MESSAGE_FIELD_TABLE(FIELD_WRITE)
#undef FIELD_WRITE
    return adit_ok();
}

static struct adit_status fields_read(struct adit_reader *reader, uint32_t fields,
                                      struct adit_message *message)
{
#define FIELD_READ(NAME, member, kind)                                                          \
    if (fields & F(NAME)) {                                                                     \
        ADIT_TRY(read_##kind(reader, &message->member));                                        \
    }
    ADIT_MESSAGE_FIELD_TABLE(FIELD_READ)
#undef FIELD_READ
    return adit_ok();
}

struct adit_status adit_message_write(struct adit_writer *writer, uint32_t edge,
                                      const struct adit_message *message)
{
    const struct shape *shape = NULL;
    struct adit_writer attempt = *writer;
    ADIT_TRY(shape_find((uint32_t)message->type, edge, message->fd_count, &shape));
    ADIT_TRY(adit_write_u16(&attempt, shape->type));
    ADIT_TRY(adit_write_u16(&attempt, ADIT_MESSAGE_VERSION));
    ADIT_TRY(fields_write(&attempt, shape->fields, message));
    *writer = attempt;
    return adit_ok();
}

struct adit_status adit_message_read(struct adit_bytes bytes, uint32_t edge, size_t fd_count,
                                     struct adit_message *out_message)
{
    struct adit_reader reader = adit_reader_of(bytes);
    const struct shape *shape = NULL;
    uint16_t type = 0;
    uint16_t version = 0;
    ADIT_ENSURE(bytes.len <= ADIT_MESSAGE_BYTES_MAX, LIMIT, "the message is too long");
    ADIT_TRY(adit_read_u16(&reader, &type));
    ADIT_TRY(adit_read_u16(&reader, &version));
    ADIT_ENSURE(version == ADIT_MESSAGE_VERSION, INVALID, "the message has another version");
    ADIT_TRY(shape_find(type, edge, fd_count, &shape));
    struct adit_message message = {.type = (enum adit_message_type)shape->type};
    ADIT_TRY(fields_read(&reader, shape->fields, &message));
    ADIT_TRY(adit_read_end(&reader));
    *out_message = message;
    return adit_ok();
}

size_t adit_message_fds_of(struct adit_bytes bytes)
{
    struct adit_reader reader = adit_reader_of(bytes);
    uint16_t type = 0;
    const struct shape *shape =
        adit_is_ok(adit_read_u16(&reader, &type)) ? shape_of(type) : NULL;
    return shape ? shape->fd_count : 0;
}

void adit_message_fds_close(struct adit_message *message)
{
    for (size_t i = 0; i < message->fd_count; i++) {
        int fd = ADIT_AT(message->fds, i);
        if (fd >= 0) {
            close(fd);
        }
        ADIT_AT(message->fds, i) = -1;
    }
    message->fd_count = 0;
}

int adit_message_fd_take(struct adit_message *message, size_t index)
{
    if (index >= message->fd_count) {
        return -1;
    }
    int fd = ADIT_AT(message->fds, index);
    ADIT_AT(message->fds, index) = -1;
    return fd;
}
