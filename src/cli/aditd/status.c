#include "cli/aditd/ask.h"
#include "cli/aditd/command.h"
#include "cli/aditd/overview.h"

static struct adit_status overview_print(struct adit_bytes json, int *out_code)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_overview overview = {0};
    ADIT_TRY(adit_overview_read(json, &overview));
    ADIT_TRY(adit_overview_write(&text, &overview));
    *out_code = adit_aditd_print(adit_writer_bytes(&text));
    return adit_ok();
}

/* Asks, and prints for whoever wants to know. */
static struct adit_status status_print(const char *folder, bool is_json,
                                       struct adit_writer *answer, int *out_code)
{
    ADIT_TRY(adit_ask(folder, ADIT_BYTES("status"), ADIT_ASK_MS, answer));
    if (!is_json) {
        return overview_print(adit_writer_bytes(answer), out_code);
    }
    ADIT_TRY(adit_write_u8(answer, '\n'));
    *out_code = adit_aditd_print(adit_writer_bytes(answer));
    return adit_ok();
}

/* The socket is there, so the server is; control, which answers, hangs, or the database keeps it
 * from its start: then what is wrong with that is the reason. */
static struct adit_status control_blame(const struct adit_data_path *folder,
                                        struct adit_status status)
{
    if (adit_status_error(status) == ADIT_ERROR_TIMEOUT) {
        struct adit_store store = {0};
        ADIT_TRY(adit_data_require(folder));
        ADIT_TRY(adit_aditd_store_open(folder, &store));
        adit_store_close(&store);
        ADIT_FAIL(TIMEOUT, "control does not answer; tunnels go on without it, and it is replaced "
                           "within 12 s; the log says more");
    }
    return status;
}

int adit_aditd_status(const struct adit_args *args)
{
    struct adit_data_path folder = {0};
    struct adit_span memory = {0};
    int code = 0;
    if (!adit_is_ok(adit_aditd_data_find(adit_args_value(args, ADIT_BYTES("data")), &folder))) {
        return ADIT_ADITD_FAILED;
    }
    struct adit_status status = adit_memory_open(1, ADIT_ASK_ANSWER_MAX, &memory);
    if (adit_is_ok(status)) {
        struct adit_writer answer = adit_writer_of(memory);
        status = status_print(folder.text, adit_args_is_given(args, ADIT_BYTES("json")), &answer,
                              &code);
        status = control_blame(&folder, status);
        adit_memory_close(&memory);
    }
    return adit_is_ok(status) ? code
                              : adit_aditd_failure(adit_bytes_of_text(folder.text), status);
}

static struct adit_status hang_up(const char *folder)
{
    uint64_t pid = 0;
    ADIT_TRY(adit_ask_pid(folder, &pid));
    if (kill((pid_t)pid, SIGHUP) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the server cannot be signalled", errno);
    }
    return adit_ok();
}

int adit_aditd_reload(const struct adit_args *args)
{
    struct adit_data_path folder = {0};
    if (!adit_is_ok(adit_aditd_data_find(adit_args_value(args, ADIT_BYTES("data")), &folder))) {
        return ADIT_ADITD_FAILED;
    }
    struct adit_status status = hang_up(folder.text);
    return adit_is_ok(status) ? adit_aditd_print(ADIT_BYTES("reload sent\n"))
                              : adit_aditd_failure(adit_bytes_of_text(folder.text), status);
}
