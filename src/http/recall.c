#include "http/recall.h"

/* With the empty line. */
static size_t length_of(const struct adit_http_head *head)
{
    size_t end = head->field_count == 0
                     ? head->lines_at
                     : ADIT_AT(head->fields, head->field_count - 1).line_end;
    return end + sizeof "\r\n" - 1;
}

void adit_http_recall_set(struct adit_http_recall *recall, const struct adit_http_head *head,
                          const struct adit_http_request *request, struct adit_bytes made)
{
    const size_t start_len = head->method.len + sizeof " " - 1;
    const size_t line_len = start_len + head->target.len;
    struct adit_bytes text = adit_bytes_first(head->text, length_of(head));
    struct adit_bytes line = adit_bytes_first(text, line_len);
    recall->rest.len = 0;
    if (!head->is_plain || !adit_bytes_starts_with(head->target, ADIT_BYTES("/")) ||
        !adit_bytes_starts_with(made, line) ||
        !adit_is_ok(ADIT_FIELD_SET(recall->start, adit_bytes_first(text, start_len + 1))) ||
        !adit_is_ok(ADIT_FIELD_SET(recall->made, adit_bytes_from(made, line_len)))) {
        return;
    }
    recall->request = *request;
    adit_status_ignore(ADIT_FIELD_SET(recall->rest, adit_bytes_from(text, line_len)),
                       "one that is too long stays empty");
}

size_t adit_http_recall_find(const struct adit_http_recall *recall, struct adit_bytes bytes,
                             struct adit_bytes *out_line)
{
    struct adit_bytes start = ADIT_FIELD_BYTES(recall->start);
    struct adit_bytes rest = ADIT_FIELD_BYTES(recall->rest);
    if (rest.len == 0 || !adit_bytes_starts_with(bytes, start)) {
        return 0;
    }
    size_t line_len = start.len + adit_http_target_len(adit_bytes_from(bytes, start.len));
    if (line_len >= start.len + ADIT_HTTP_TARGET_BYTES_MAX ||
        !adit_bytes_starts_with(adit_bytes_from(bytes, line_len), rest)) {
        return 0;
    }
    *out_line = adit_bytes_first(bytes, line_len);
    return line_len + rest.len;
}

bool adit_http_recall_suits(const struct adit_http_request *request)
{
    return request->is_persistent && !request->is_head && !request->is_upgrade;
}

void adit_http_recall_answer_set(struct adit_http_recall_answer *recall,
                                 const struct adit_http_head *head,
                                 const struct adit_http_response *response,
                                 struct adit_bytes made)
{
    recall->head.len = 0;
    if (response->is_interim || response->framing == ADIT_HTTP_FRAMING_SWITCH ||
        !adit_is_ok(ADIT_FIELD_SET(recall->made, made))) {
        return;
    }
    recall->response = *response;
    recall->status = head->status;
    adit_status_ignore(
        ADIT_FIELD_SET(recall->head, adit_bytes_first(head->text, length_of(head))),
        "one that is too long stays empty");
}

size_t adit_http_recall_answer_find(const struct adit_http_recall_answer *recall,
                                    struct adit_bytes bytes)
{
    struct adit_bytes head = ADIT_FIELD_BYTES(recall->head);
    return adit_bytes_starts_with(bytes, head) ? head.len : 0;
}
