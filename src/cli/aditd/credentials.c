#include "cli/aditd/credentials.h"

#include "cli/output.h"
#include "net/pair.h"

#define CERTIFICATE_BYTES_MAX (64u * 1024u) /* the worker's limits */
#define KEY_BYTES_MAX (16u * 1024u)

struct pair {
    struct adit_writer certificate, key;
    const char *wrong; /* the file that the failure is about */
};

static void reason_log(struct adit_log *log, const struct adit_serve_settings *settings,
                       const struct adit_pair_facts *facts)
{
    const struct {
        bool is_so;
        struct adit_bytes reason;
    } reasons[] = {
        {!facts->covers_names, ADIT_BYTES_INIT("it is not for the names of tunnels: *.DOMAIN")},
        {facts->is_early, ADIT_BYTES_INIT("its time has not begun")},
        {facts->is_expired, ADIT_BYTES_INIT("it has expired")},
        {facts->expires_soon && !facts->is_expired,
         ADIT_BYTES_INIT("it expires within 14 days; renew it, then 'aditd reload'")},
    };
    for (size_t i = 0; i < ADIT_COUNT(reasons); i++) {
        if (ADIT_AT(reasons, i).is_so) {
            ADIT_LOG(log, WARN, "certificate",
                     adit_log_text(ADIT_BYTES("file"), adit_bytes_of_text(settings->certificate)),
                     adit_log_text(ADIT_BYTES("domain"), settings->domain),
                     adit_log_text(ADIT_BYTES("reason"), ADIT_AT(reasons, i).reason));
        }
    }
}

static struct adit_status pair_check(const struct adit_serve_settings *settings,
                                     struct adit_log *log, struct pair *pair)
{
    struct adit_pair_facts facts = {0};
    pair->wrong = settings->certificate;
    ADIT_TRY(adit_file_read(settings->certificate, &pair->certificate));
    ADIT_TRY(adit_pair_certificate_check(adit_writer_bytes(&pair->certificate), settings->domain,
                                         &facts));
    pair->wrong = settings->key;
    ADIT_TRY(adit_file_read(settings->key, &pair->key));
    ADIT_TRY(adit_pair_key_check(adit_writer_bytes(&pair->certificate),
                                 adit_writer_bytes(&pair->key)));
    reason_log(log, settings, &facts);
    return adit_ok();
}

struct adit_status adit_credentials_check(const struct adit_serve_settings *settings,
                                          struct adit_log *log, const char **out_wrong)
{
    struct adit_span memory = {0};
    struct pair pair = {.wrong = "serve"};
    if (!settings->certificate) {
        return adit_ok();
    }
    struct adit_status status =
        adit_memory_open(1, CERTIFICATE_BYTES_MAX + KEY_BYTES_MAX, &memory);
    if (adit_is_ok(status)) {
        pair.certificate = adit_writer_of(adit_span_first(memory, CERTIFICATE_BYTES_MAX));
        pair.key = adit_writer_of(adit_span_from(memory, CERTIFICATE_BYTES_MAX));
        status = pair_check(settings, log, &pair);
        adit_span_wipe(memory);
        adit_memory_close(&memory);
    }
    *out_wrong = pair.wrong;
    return status;
}

bool adit_credentials_are_good(const struct adit_serve_settings *settings)
{
    struct adit_log log = {0};
    const char *wrong = "";
    adit_log_init(&log, STDERR_FILENO, settings->format, ADIT_BYTES("supervisor"));
    struct adit_status status = adit_credentials_check(settings, &log, &wrong);
    if (!adit_is_ok(status)) {
        adit_output_failure(adit_aditd_program.name, adit_bytes_of_text(wrong), status);
    }
    return adit_is_ok(status);
}
