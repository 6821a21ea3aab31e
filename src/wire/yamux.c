#include "wire/yamux.h"

struct adit_status adit_yamux_read(struct adit_reader *reader, struct adit_yamux_frame *out_frame)
{
    struct adit_bytes header = {0};
    ADIT_TRY(adit_read_bytes(reader, ADIT_YAMUX_HEADER_BYTES, &header));
    struct adit_reader fields = adit_reader_of(header);
    struct adit_yamux_frame frame = {0};
    ADIT_TRY(adit_read_u8(&fields, &frame.version));
    ADIT_TRY(adit_read_u8(&fields, &frame.type));
    ADIT_TRY(adit_read_u16(&fields, &frame.flags));
    ADIT_TRY(adit_read_u32(&fields, &frame.stream));
    ADIT_TRY(adit_read_u32(&fields, &frame.length));
    *out_frame = frame;
    return adit_ok();
}

struct adit_status adit_yamux_write(struct adit_writer *writer,
                                    const struct adit_yamux_frame *frame)
{
    struct adit_span header = {0};
    ADIT_TRY(adit_write_reserve(writer, ADIT_YAMUX_HEADER_BYTES, &header));
    struct adit_writer fields = adit_writer_of(header);
    ADIT_TRY(adit_write_u8(&fields, frame->version));
    ADIT_TRY(adit_write_u8(&fields, frame->type));
    ADIT_TRY(adit_write_u16(&fields, frame->flags));
    ADIT_TRY(adit_write_u32(&fields, frame->stream));
    return adit_write_u32(&fields, frame->length);
}
