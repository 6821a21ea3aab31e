/* Whatever the reader takes, the writer writes, and the reader reads the same again. */
#include "wire/control.h"

#include "fuzz.h"

static struct adit_bytes write(const struct adit_control *message, struct adit_span memory)
{
    struct adit_writer writer = adit_writer_of(memory);
    ADIT_ASSERT(adit_is_ok(adit_control_write(&writer, message)));
    return adit_writer_bytes(&writer);
}

static void check(struct adit_bytes input)
{
    static uint8_t first[ADIT_CONTROL_BYTES_MAX];
    static uint8_t second[ADIT_CONTROL_BYTES_MAX];
    struct adit_control message = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_status status = adit_control_read(input, &message, &used, &parse);
    if (!adit_is_ok(status) || parse == ADIT_PARSE_MORE) {
        ADIT_ASSERT(used == 0 && message.type == ADIT_CONTROL_NONE);
        return;
    }
    ADIT_ASSERT(used > ADIT_CONTROL_PREFIX_BYTES && used <= input.len);
    if (message.type == ADIT_CONTROL_BIND && message.bind.kind == ADIT_TUNNEL_NONE) {
        return; /* a kind of tomorrow: read, never written */
    }
    struct adit_bytes written = write(&message, ADIT_SPAN_OF(first));
    struct adit_control again = {0};
    ADIT_ASSERT(adit_is_ok(adit_control_read(written, &again, &used, &parse)));
    ADIT_ASSERT(parse == ADIT_PARSE_FOUND && used == written.len);
    ADIT_ASSERT(adit_bytes_equal(write(&again, ADIT_SPAN_OF(second)), written));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t framed[ADIT_CONTROL_BYTES_MAX];
    struct adit_bytes input = {.ptr = data, .len = size};
    check(input);
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(framed)); /* and as a body */
    if (size > 0 && size <= ADIT_CONTROL_BODY_BYTES_MAX) {
        ADIT_ASSERT(adit_is_ok(adit_write_u32(&writer, (uint32_t)size)));
        ADIT_ASSERT(adit_is_ok(adit_write_bytes(&writer, input)));
        check(adit_writer_bytes(&writer));
    }
    return 0;
}
