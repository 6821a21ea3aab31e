#include "answer.h"

#define ANSWER_BYTES_MAX (1ull << 40)

size_t head_length(struct adit_bytes bytes)
{
    const uint8_t *end = memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4);
    return end ? (size_t)(end - bytes.ptr) + 4 : 0;
}

struct adit_bytes head_field(struct adit_bytes head, struct adit_bytes name)
{
    while (head.len > 2) {
        size_t end = adit_bytes_find(head, '\n');
        struct adit_bytes line = adit_bytes_first(head, end);
        head = adit_bytes_from(head, end + 1);
        if (line.len > name.len && adit_bytes_at(line, name.len) == ':' &&
            adit_bytes_equal_nocase(adit_bytes_first(line, name.len), name)) {
            struct adit_bytes value = adit_bytes_from(line, name.len + 1);
            while (value.len > 0 && adit_bytes_at(value, 0) == ' ') {
                value = adit_bytes_from(value, 1);
            }
            return adit_bytes_first(value, adit_bytes_find(value, '\r'));
        }
    }
    return (struct adit_bytes){0};
}

enum answer_state answer_http(struct adit_bytes bytes, uint64_t *out_length)
{
    uint64_t body = 0;
    size_t head = head_length(bytes);
    if (head == 0) {
        return ANSWER_SHORT;
    }
    if (!adit_bytes_starts_with(bytes, ADIT_BYTES("HTTP/1.1 200")) ||
        !adit_is_ok(adit_parse_decimal(
            head_field(adit_bytes_first(bytes, head), ADIT_BYTES("content-length")),
            ANSWER_BYTES_MAX, &body))) {
        return ANSWER_WRONG;
    }
    *out_length = head + body;
    return ANSWER_HEAD;
}

enum answer_state answer_upgrade(struct adit_bytes bytes, uint64_t *out_length)
{
    *out_length = head_length(bytes);
    if (*out_length == 0) {
        return ANSWER_SHORT;
    }
    return adit_bytes_starts_with(bytes, ADIT_BYTES("HTTP/1.1 101")) ? ANSWER_HEAD : ANSWER_WRONG;
}

enum answer_state answer_frame(struct adit_bytes bytes, uint64_t *out_length)
{
    enum { LONG = 126 }; /* two bytes of length follow */
    if (bytes.len < 4) {
        return ANSWER_SHORT; /* messages of less than two bytes are not sent */
    }
    uint8_t first = adit_bytes_at(bytes, 0);
    uint8_t length = adit_bytes_at(bytes, 1);
    if ((first != 0x81 && first != 0x82) || length > LONG) {
        return ANSWER_WRONG;
    }
    *out_length = length < LONG
                      ? 2u + length
                      : 4u + (uint64_t)(adit_bytes_at(bytes, 2) << 8 | adit_bytes_at(bytes, 3));
    return ANSWER_HEAD;
}
