#include "load.h"

#include "common.h"

static const char help[] =
    "usage: bench-load JOB --port P [OPTION]...\n"
    "\n"
    "  requests    closed loop of HTTP requests        down, up    bulk over plain TCP\n"
    "  paced       open loop at --rate a second        http-down, http-up    bulk over HTTP\n"
    "  websocket   closed loop of echoed messages      idle        holds connections\n"
    "  handshakes  TLS connections, a request each     library     the TLS library alone\n"
    "\n"
    "  --port P          of 127.0.0.1, or of --address A\n"
    "  --host H          whom to ask for (" LOAD_HOST ")\n"
    "  --path /P         what to ask for (by --body)\n"
    "  --connections N   64; of websocket, idle and handshakes too\n"
    "  --ms T            how long (1000); the first fifth warms up\n"
    "  --body 2|1024     bytes of an answer (2); of websocket: of a message, 2 to 4096\n"
    "  --close           a connection for each request\n"
    "  --tls             over TLS; with --resume sessions go on, else each begins anew\n"
    "  --rate R          requests a second, of paced\n"
    "  --streams N       connections of a bulk transfer (1); of idle: opened at once (1)\n"
    "  --bytes B         of a bulk transfer, all streams together (2^28)\n"
    "  --send B          bytes of one send of it (32768)\n"
    "  --tell            of a download: a line on standard input asks what has come so far\n";

/* Options with a value, by number in this list; the flags behind them. */
enum option {
    OPTION_PORT, OPTION_ADDRESS, OPTION_HOST, OPTION_PATH, OPTION_CONNECTIONS, OPTION_MS,
    OPTION_BODY, OPTION_RATE, OPTION_STREAMS, OPTION_BYTES, OPTION_SEND,
    OPTION_CLOSE, OPTION_TLS, OPTION_RESUME, OPTION_TELL, OPTIONS
};

static const char *const option_names[OPTIONS] = {
    "--port", "--address", "--host", "--path", "--connections", "--ms",
    "--body", "--rate", "--streams", "--bytes", "--send",
    "--close", "--tls", "--resume", "--tell"};

_Noreturn static void usage(void)
{
    fprintf(stderr, "%s", help);
    exit(2);
}

static bool is_text(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static size_t option_of(const char *word)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (is_text(word, ADIT_AT(option_names, i))) {
            return i;
        }
    }
    usage();
}

/* The words of the command line by option; null where nobody says. */
struct words {
    const char *all[OPTIONS];
};

static const char *word(const struct words *words, enum option option, const char *usual)
{
    const char *said = ADIT_AT(words->all, option);
    return said ? said : usual;
}

static bool has(const struct words *words, enum option option)
{
    return word(words, option, NULL) != NULL;
}

static uint64_t number(const struct words *words, enum option option, uint64_t usual, uint64_t max)
{
    const char *said = word(words, option, NULL);
    uint64_t got = said ? bench_number(said, max) : usual;
    if (got == 0) {
        usage();
    }
    return got;
}

static struct load_options options_of(const struct words *words)
{
    struct load_options options = {
        .host = word(words, OPTION_HOST, LOAD_HOST),
        .path = word(words, OPTION_PATH, NULL),
        .connections = number(words, OPTION_CONNECTIONS, 64, LOAD_CONNECTIONS_MAX),
        .streams = number(words, OPTION_STREAMS, 1, LOAD_CONNECTIONS_MAX),
        .ms = number(words, OPTION_MS, 1000, 3600000),
        .body = number(words, OPTION_BODY, 2, 4096),
        .rate = number(words, OPTION_RATE, 1000, 10000000),
        .bytes = number(words, OPTION_BYTES, 1 << 28, 1ull << 40),
        .send = number(words, OPTION_SEND, 32768, BENCH_BLOCK_BYTES),
        .is_close = has(words, OPTION_CLOSE),
        .is_tls = has(words, OPTION_TLS),
        .is_resume = has(words, OPTION_RESUME),
        .is_telling = has(words, OPTION_TELL),
    };
    options.address.sin_family = AF_INET;
    options.address.sin_port = htons((uint16_t)number(words, OPTION_PORT, 1, UINT16_MAX));
    if (inet_pton(AF_INET, word(words, OPTION_ADDRESS, "127.0.0.1"), &options.address.sin_addr) !=
        1) {
        usage();
    }
    return options;
}

void load_aim(struct stream_target *target, const struct load_options *options)
{
    target->address = options->address;
    if (options->is_tls) {
        stream_target_tls(target, options->host, options->is_resume);
    }
}

static void run(const char *job, struct load_options *options)
{
    if (is_text(job, "requests")) {
        load_requests(options, LOAD_HTTP);
    } else if (is_text(job, "handshakes")) {
        options->is_tls = true;
        options->is_close = true;
        load_requests(options, LOAD_HTTP);
    } else if (is_text(job, "websocket") && !options->is_close && options->body >= 2) {
        load_requests(options, LOAD_WEBSOCKET);
    } else if (is_text(job, "paced")) {
        load_paced(options);
    } else if (is_text(job, "idle") && !options->is_close) {
        load_idle(options);
    } else if (is_text(job, "down") && !options->is_tls) {
        load_bulk(options, LOAD_DOWN);
    } else if (is_text(job, "up") && !options->is_tls) {
        load_bulk(options, LOAD_UP);
    } else if (is_text(job, "http-down")) {
        load_bulk(options, LOAD_HTTP_DOWN);
    } else if (is_text(job, "http-up")) {
        load_bulk(options, LOAD_HTTP_UP);
    } else if (is_text(job, "library")) {
        load_library(options);
    } else {
        usage();
    }
}

int main(int argc, char **argv)
{
    size_t count = (size_t)argc;
    struct words words = {0};
    if (count < 2 || is_text(ADIT_SLOT(argv, count, 1), "--help")) {
        usage();
    }
    const char *job = ADIT_SLOT(argv, count, 1);
    for (size_t i = 2; i < count; i++) {
        size_t option = option_of(ADIT_SLOT(argv, count, i));
        bool is_flag = option >= OPTION_CLOSE;
        i += is_flag ? 0 : 1;
        if (i >= count) {
            usage();
        }
        ADIT_AT(words.all, option) = ADIT_SLOT(argv, count, i);
    }
    struct load_options options = options_of(&words);
    bench_start();
    run(job, &options);
    return 0;
}
