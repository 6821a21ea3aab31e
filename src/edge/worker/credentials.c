/* Certificate and keys, from the supervisor. */
#include "edge/worker/worker.h"

#define CERTIFICATE_BYTES_MAX (64 * 1024)
#define KEY_BYTES_MAX (16 * 1024)

static struct adit_status read_token_key(int fd, struct adit_span out_key)
{
    uint8_t memory[2 * WORKER_TOKEN_KEY_BYTES + 1] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_file_read_fd(fd, &text));
    struct adit_bytes hex = adit_bytes_first(adit_writer_bytes(&text), 2 * WORKER_TOKEN_KEY_BYTES);
    struct adit_status status = adit_parse_hex(hex, out_key);
    adit_span_wipe(ADIT_SPAN_OF(memory));
    return status;
}

/* Both contexts, or none. */
static struct adit_status open_contexts(const struct adit_tls_server_options *agents,
                                        struct adit_tls_context **out_tls,
                                        struct adit_tls_context **out_visitor_tls)
{
    struct adit_tls_server_options visitors = *agents;
    struct adit_tls_context *tls = NULL;
    visitors.alpn = ADIT_BYTES("http/1.1");
    visitors.is_visitor = true;
    ADIT_TRY(adit_tls_server_open(agents, &tls));
    struct adit_status status = adit_tls_server_open(&visitors, out_visitor_tls);
    if (!adit_is_ok(status)) {
        adit_tls_context_close(&tls);
        return status;
    }
    *out_tls = tls;
    return adit_ok();
}

/* From the descriptors of certificate and key. */
static struct adit_status open_tls(const struct adit_message *message,
                                   struct adit_tls_context **out_tls,
                                   struct adit_tls_context **out_visitor_tls)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, CERTIFICATE_BYTES_MAX + KEY_BYTES_MAX, &memory));
    struct adit_writer certificate = adit_writer_of(adit_span_first(memory, CERTIFICATE_BYTES_MAX));
    struct adit_writer key = adit_writer_of(adit_span_from(memory, CERTIFICATE_BYTES_MAX));
    struct adit_status status = adit_file_read_fd(ADIT_AT(message->fds, 0), &certificate);
    if (adit_is_ok(status)) {
        status = adit_file_read_fd(ADIT_AT(message->fds, 1), &key);
    }
    if (adit_is_ok(status)) {
        const struct adit_tls_server_options options = {.certificate_pem =
                                                            adit_writer_bytes(&certificate),
                                                        .key_pem = adit_writer_bytes(&key),
                                                        .alpn = ADIT_BYTES("adit/1")};
        status = open_contexts(&options, out_tls, out_visitor_tls);
    }
    adit_span_wipe(memory);
    adit_memory_close(&memory);
    return status;
}

struct adit_status worker_credentials_take(struct worker *worker,
                                           const struct adit_message *message)
{
    struct adit_tls_context *tls = NULL;
    struct adit_tls_context *visitor_tls = NULL;
    uint8_t token_key[WORKER_TOKEN_KEY_BYTES] = {0};
    ADIT_TRY(read_token_key(ADIT_AT(message->fds, 2), ADIT_SPAN_OF(token_key)));
    struct adit_status status = open_tls(message, &tls, &visitor_tls);
    if (adit_is_ok(status)) {
        adit_tls_context_close(&worker->tls); /* connections that use it keep it */
        adit_tls_context_close(&worker->visitor_tls);
        worker->tls = tls;
        worker->visitor_tls = visitor_tls;
        if (worker->has_tickets) {
            adit_tls_tickets_set(visitor_tls, &worker->tickets);
        }
        status = adit_span_copy(ADIT_SPAN_OF(worker->token_key), ADIT_BYTES_OF(token_key));
    }
    adit_span_wipe(ADIT_SPAN_OF(token_key));
    return status;
}

static struct adit_status read_ticket_key(struct adit_reader *reader,
                                          struct adit_tls_ticket_key *out_key)
{
    ADIT_TRY(adit_read_copy(reader, ADIT_SPAN_OF(out_key->name)));
    ADIT_TRY(adit_read_copy(reader, ADIT_SPAN_OF(out_key->aes)));
    return adit_read_copy(reader, ADIT_SPAN_OF(out_key->hmac));
}

static struct adit_status read_tickets(struct adit_bytes secret,
                                       struct adit_tls_ticket_keys *out_keys)
{
    struct adit_reader reader = adit_reader_of(secret);
    ADIT_TRY(read_ticket_key(&reader, &out_keys->current));
    out_keys->has_previous = reader.rest.len > 0;
    if (out_keys->has_previous) {
        ADIT_TRY(read_ticket_key(&reader, &out_keys->previous));
    }
    return adit_read_end(&reader);
}

void worker_tickets_take(struct worker *worker, struct adit_message *message)
{
    struct adit_tls_ticket_keys keys = {0};
    struct adit_status status = read_tickets(adit_message_text_get(&message->secret), &keys);
    if (adit_is_ok(status)) {
        worker->tickets = keys;
        worker->has_tickets = true;
        adit_tls_tickets_set(worker->visitor_tls, &keys);
    } else {
        adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("tickets_kept"), status);
    }
    adit_span_wipe(ADIT_OBJECT_SPAN(keys));
    adit_span_wipe(ADIT_OBJECT_SPAN(message->secret));
}

void worker_credentials_close(struct worker *worker)
{
    adit_tls_context_close(&worker->tls);
    adit_tls_context_close(&worker->visitor_tls);
    adit_span_wipe(ADIT_SPAN_OF(worker->token_key));
    adit_span_wipe(ADIT_OBJECT_SPAN(worker->tickets));
}
