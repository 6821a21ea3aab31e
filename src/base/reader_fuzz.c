/* Reader and writer: a script of the input's first half reads its second half; each thing that was
 * read is written, and the written bytes must be the read ones. Nothing passes an end. */
#include "base/reader.h"

#include "base/writer.h"
#include "fuzz.h"

enum { OUT_MAX = 2048 };

struct world {
    struct adit_reader reader;
    struct adit_writer writer;
};

#define STEP(width, type, get, put)                                                             \
    do {                                                                                        \
        type value = 0;                                                                         \
        bool is_read = adit_is_ok(get(&world->reader, &value));                                 \
        ADIT_ASSERT(is_read == (left >= (width)));                                              \
        bool is_written = is_read && adit_is_ok(put(&world->writer, value));                    \
        ADIT_ASSERT(!is_read || is_written == (room >= (width)));                               \
        return is_written;                                                                      \
    } while (0)

/* True where something was both read and written; else the writer has not moved. */
static bool step(struct world *world, uint8_t choice)
{
    size_t left = world->reader.rest.len;
    size_t room = adit_writer_room(&world->writer);
    struct adit_bytes view = {0};
    uint8_t copy[7] = {0};
    switch (choice % 8) {
    case 0:
        STEP(1, uint8_t, adit_read_u8, adit_write_u8);
    case 1:
        STEP(2, uint16_t, adit_read_u16, adit_write_u16);
    case 2:
        STEP(3, uint32_t, adit_read_u24, adit_write_u24);
    case 3:
        STEP(4, uint32_t, adit_read_u32, adit_write_u32);
    case 4:
        STEP(8, uint64_t, adit_read_u64, adit_write_u64);
    case 5:
        return adit_is_ok(adit_read_bytes(&world->reader, choice >> 3, &view)) &&
               adit_is_ok(adit_write_bytes(&world->writer, view));
    case 6:
        return adit_is_ok(adit_read_copy(&world->reader, ADIT_SPAN_OF(copy))) &&
               adit_is_ok(adit_write_bytes(&world->writer, ADIT_BYTES_OF(copy)));
    default:
        if (left >= 4 && room >= 4) { /* a hole that is filled later */
            struct adit_span hole = {0};
            uint32_t value = 0;
            ADIT_ASSERT(adit_is_ok(adit_read_u32(&world->reader, &value)));
            ADIT_ASSERT(adit_is_ok(adit_write_reserve_u32(&world->writer, &hole)));
            ADIT_ASSERT(!adit_is_ok(adit_write_fill(hole, (uint64_t)value + ((uint64_t)1 << 32))));
            ADIT_ASSERT(adit_is_ok(adit_write_fill(hole, value)));
            return true;
        }
        return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[OUT_MAX];
    struct adit_bytes all = {.ptr = data, .len = size};
    struct adit_reader script = adit_reader_of(adit_bytes_first(all, size / 2));
    struct adit_bytes source = adit_bytes_from(all, size / 2);
    size_t out_len = source.len - adit_min_size(source.len, fuzz_byte(&script) % 8);
    struct world world = {
        .reader = adit_reader_of(source),
        .writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), out_len)),
    };
    while (script.rest.len > 0) {
        size_t left = world.reader.rest.len;
        size_t len = world.writer.len;
        if (!step(&world, fuzz_byte(&script))) {
            ADIT_ASSERT(world.writer.len == len);
            if (world.reader.rest.len != left) {
                break; /* read, and no room to write it */
            }
        }
        ADIT_ASSERT(world.writer.len + world.reader.rest.len == source.len);
        ADIT_ASSERT(adit_bytes_starts_with(source, adit_writer_bytes(&world.writer)));
        ADIT_ASSERT(adit_is_ok(adit_read_end(&world.reader)) == (world.reader.rest.len == 0));
    }
    return 0;
}
