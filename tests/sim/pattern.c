#include "pattern.h"

#include "random.h"

#define SIM_PATTERN_BYTES 65521u /* a prime, so no power of two hides a shift */
#define SIM_PATTERN_LAP 7919u

struct adit_status sim_pattern_init(struct sim_pattern *pattern)
{
    ADIT_TRY(adit_memory_open(SIM_PATTERN_BYTES, 1, &pattern->table));
    struct adit_jitter random = sim_random(0x5eed);
    for (size_t i = 0; i < pattern->table.len; i++) {
        ADIT_SLOT(pattern->table.ptr, pattern->table.len, i) =
            (uint8_t)(adit_jitter_next(&random) >> 40);
    }
    return adit_ok();
}

void sim_pattern_deinit(struct sim_pattern *pattern)
{
    adit_memory_close(&pattern->table);
}

/* The longest piece of the table that continues the stream at `offset`. */
static struct adit_bytes sim_pattern_piece(const struct sim_pattern *pattern, uint64_t seed,
                                           uint64_t offset, size_t max)
{
    uint64_t lap = offset / SIM_PATTERN_BYTES;
    uint64_t inside = offset % SIM_PATTERN_BYTES;
    uint64_t begin = seed % SIM_PATTERN_BYTES + lap * SIM_PATTERN_LAP;
    uint64_t start = (begin + inside) % SIM_PATTERN_BYTES;
    size_t room = adit_min_size(max, (size_t)(SIM_PATTERN_BYTES - inside));
    return adit_bytes_first(adit_bytes_from(adit_span_bytes(pattern->table), (size_t)start), room);
}

void sim_pattern_fill(const struct sim_pattern *pattern, uint64_t seed, uint64_t offset,
                      struct adit_span out)
{
    size_t done = 0;
    while (done < out.len) {
        struct adit_bytes piece = sim_pattern_piece(pattern, seed, offset + done, out.len - done);
        adit_status_ignore(adit_span_copy(adit_span_from(out, done), piece), "piece is no longer");
        done += piece.len;
    }
}

bool sim_pattern_check(const struct sim_pattern *pattern, uint64_t seed, uint64_t offset,
                       struct adit_bytes bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        struct adit_bytes piece = sim_pattern_piece(pattern, seed, offset + done, bytes.len - done);
        if (!adit_bytes_equal(piece, adit_bytes_first(adit_bytes_from(bytes, done), piece.len))) {
            return false;
        }
        done += piece.len;
    }
    return true;
}
