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

static struct adit_status open_tls(int certificate_fd, int key_fd,
                                   struct adit_tls_context **out_tls)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, CERTIFICATE_BYTES_MAX + KEY_BYTES_MAX, &memory));
    struct adit_writer certificate = adit_writer_of(adit_span_first(memory, CERTIFICATE_BYTES_MAX));
    struct adit_writer key = adit_writer_of(adit_span_from(memory, CERTIFICATE_BYTES_MAX));
    struct adit_status status = adit_file_read_fd(certificate_fd, &certificate);
    if (adit_is_ok(status)) {
        status = adit_file_read_fd(key_fd, &key);
    }
    if (adit_is_ok(status)) {
        const struct adit_tls_server_options options = {.certificate_pem =
                                                            adit_writer_bytes(&certificate),
                                                        .key_pem = adit_writer_bytes(&key),
                                                        .alpn = ADIT_BYTES("adit/1")};
        status = adit_tls_server_open(&options, out_tls);
    }
    adit_span_wipe(memory);
    adit_memory_close(&memory);
    return status;
}

struct adit_status worker_credentials_take(struct worker *worker,
                                           const struct adit_message *message)
{
    struct adit_tls_context *tls = NULL;
    uint8_t token_key[WORKER_TOKEN_KEY_BYTES] = {0};
    ADIT_TRY(read_token_key(ADIT_AT(message->fds, 2), ADIT_SPAN_OF(token_key)));
    struct adit_status status =
        open_tls(ADIT_AT(message->fds, 0), ADIT_AT(message->fds, 1), &tls);
    if (adit_is_ok(status)) {
        adit_tls_context_close(&worker->tls); /* links that use it keep it */
        worker->tls = tls;
        status = adit_span_copy(ADIT_SPAN_OF(worker->token_key), ADIT_BYTES_OF(token_key));
    }
    adit_span_wipe(ADIT_SPAN_OF(token_key));
    return status;
}

static struct adit_status open_hub(struct worker *worker)
{
    const struct adit_hub_options options = {
        .loop = &worker->loop,
        .ops = &worker_hub_ops,
        .context = worker,
        .role = ADIT_SESSION_SERVER,
        .links_max = WORKER_AGENTS_MAX,
        .pumps_max = WORKER_PUMPS_MAX,
        .chunks_max = WORKER_CHUNKS_MAX,
        .growth_max = WORKER_GROWTH_MAX,
        .limits = adit_mux_limits_of(ADIT_SESSION_SERVER),
    };
    return adit_hub_init(&worker->hub, &options);
}

struct adit_status worker_start(struct worker *worker, struct adit_message *start)
{
    ADIT_ENSURE(start->type == ADIT_MESSAGE_WORKER_START, INVALID,
                "the first message is not the start message");
    ADIT_TRY(ADIT_FIELD_SET(worker->domain, adit_message_text_get(&start->domain)));
    ADIT_TRY(worker_credentials_take(worker, start));
    ADIT_TRY(adit_pool_init(&worker->agents, sizeof(struct agent), WORKER_AGENTS_MAX));
    ADIT_TRY(adit_pool_init(&worker->binds, sizeof(struct bind), WORKER_BINDS_MAX));
    ADIT_TRY(adit_pool_init(&worker->orphans, worker_orphan_size(), WORKER_ORPHANS_MAX));
    uint32_t watches =
        WORKER_AGENTS_MAX + WORKER_PUMPS_MAX + WORKER_BINDS_MAX + WORKER_ORPHANS_MAX + 16;
    uint32_t timers = 2 * WORKER_AGENTS_MAX + WORKER_BINDS_MAX + WORKER_ORPHANS_MAX + 16;
    ADIT_TRY(adit_loop_open(&worker->loop, watches, timers));
    worker->session_next = 1;
    return open_hub(worker);
}

void worker_close(struct worker *worker)
{
    struct adit_handle handle = {0};
    adit_hub_deinit(&worker->hub);
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        struct bind *bind = adit_pool_get(&worker->binds, handle);
        adit_socket_close(&bind->listener);
    }
    worker_orphans_close(worker);
    adit_channel_close(&worker->supervisor);
    adit_channel_close(&worker->door);
    adit_loop_close(&worker->loop);
    adit_tls_context_close(&worker->tls);
    adit_pool_deinit(&worker->agents);
    adit_pool_deinit(&worker->binds);
    adit_pool_deinit(&worker->orphans);
    adit_span_wipe(ADIT_SPAN_OF(worker->token_key));
}
