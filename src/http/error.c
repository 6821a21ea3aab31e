#include "http/error.h"

#include "base/text.h"
#include "http/target.h"

#define BODY_MAX 2048
#define RETRY_AFTER "Retry-After: 1\r\n"

struct row {
    uint16_t status;
    struct adit_bytes code, reason, sentence, next_action;
};

static const struct row rows[] = {
#define ROW(NAME, number, word, phrase, text, next)                                             \
    [ADIT_HTTP_ERROR_##NAME] = {.status = (number),                                             \
                                .code = ADIT_BYTES_INIT(word),                                  \
                                .reason = ADIT_BYTES_INIT(phrase),                              \
                                .sentence = ADIT_BYTES_INIT(text),                              \
                                .next_action = ADIT_BYTES_INIT(next)},
    ADIT_HTTP_ERROR_TABLE(ROW)
#undef ROW
};

/* The whole of a page is constant but for the texts of a row, which hold no mark-up (the test
 * looks). */
static const struct adit_bytes page_start = ADIT_BYTES_INIT(
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;"
    "font:17px/1.5 system-ui,sans-serif;background:#fbfaf8;color:#23211e}\n"
    "main{max-width:34rem;padding:2rem}\n"
    "h1{font-size:1.4rem;line-height:1.3;margin:.2rem 0 .8rem}\n"
    "p{margin:0 0 1.2rem}\n"
    "small,code{color:#6b665f;font-size:.85rem}\n"
    "@media(prefers-color-scheme:dark){body{background:#191817;color:#ece9e4}"
    "small,code{color:#a29c93}}\n"
    "</style>\n<title>");

static const struct adit_bytes head_rest = ADIT_BYTES_INIT(
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n");

static const struct row *row_of(enum adit_http_error error)
{
    return &ADIT_AT(rows, error);
}

uint16_t adit_http_error_status(enum adit_http_error error)
{
    return row_of(error)->status;
}

struct adit_bytes adit_http_error_code(enum adit_http_error error)
{
    return row_of(error)->code;
}

enum adit_http_error adit_http_error_of(struct adit_status failure)
{
    static const enum adit_http_error answers[] = {
        ADIT_HTTP_ERROR_URI_TOO_LONG,
        ADIT_HTTP_ERROR_HEAD_TOO_LARGE,
        ADIT_HTTP_ERROR_VERSION_UNKNOWN,
        ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE,
    };
    for (size_t i = 0; i < ADIT_COUNT(answers); i++) {
        if (adit_http_error_status(ADIT_AT(answers, i)) == failure.detail) {
            return ADIT_AT(answers, i);
        }
    }
    return ADIT_HTTP_ERROR_BAD_REQUEST;
}

static struct adit_status write_all(struct adit_writer *writer, const struct adit_bytes *texts,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_SLOT(texts, count, i)));
    }
    return adit_ok();
}

static struct adit_status write_page(struct adit_writer *writer, const struct row *row)
{
    ADIT_TRY(adit_write_bytes(writer, page_start));
    ADIT_TRY(adit_write_decimal(writer, row->status));
    const struct adit_bytes texts[] = {
        ADIT_BYTES(" "), row->reason,
        ADIT_BYTES("</title>\n<main>\n<small>"), row->reason,
        ADIT_BYTES("</small>\n<h1>"), row->sentence,
        ADIT_BYTES("</h1>\n<p>"), row->next_action,
        ADIT_BYTES("</p>\n<code>"), row->code,
        ADIT_BYTES("</code>\n</main>\n</html>\n"),
    };
    return write_all(writer, texts, ADIT_COUNT(texts));
}

static struct adit_status write_json(struct adit_writer *writer, const struct row *row)
{
    const struct adit_bytes start[] = {
        ADIT_BYTES("{\"error\":{\"code\":\""), row->code, ADIT_BYTES("\",\"status\":"),
    };
    const struct adit_bytes rest[] = {
        ADIT_BYTES(",\"message\":\""), row->sentence,
        ADIT_BYTES("\",\"next_action\":\""), row->next_action,
        ADIT_BYTES("\"}}\n"),
    };
    ADIT_TRY(write_all(writer, start, ADIT_COUNT(start)));
    ADIT_TRY(adit_write_decimal(writer, row->status));
    return write_all(writer, rest, ADIT_COUNT(rest));
}

static struct adit_status write_status_line(struct adit_writer *writer, uint16_t status,
                                            struct adit_bytes reason)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("HTTP/1.1 ")));
    ADIT_TRY(adit_write_decimal(writer, status));
    const struct adit_bytes texts[] = {ADIT_BYTES(" "), reason, ADIT_BYTES("\r\n")};
    return write_all(writer, texts, ADIT_COUNT(texts));
}

static struct adit_status error_write(struct adit_writer *writer, enum adit_http_error error,
                                      const struct adit_http_error_form *form)
{
    uint8_t memory[BODY_MAX];
    struct adit_writer body = adit_writer_of(ADIT_SPAN_OF(memory));
    const struct row *row = row_of(error);
    bool is_later = row->status == 429 || row->status == 503;
    ADIT_TRY(form->is_json ? write_json(&body, row) : write_page(&body, row));
    ADIT_TRY(write_status_line(writer, row->status, row->reason));
    const struct adit_bytes texts[] = {
        form->is_json ? ADIT_BYTES("Content-Type: application/json\r\n")
                      : ADIT_BYTES("Content-Type: text/html; charset=utf-8\r\n"),
        head_rest,
        ADIT_BYTES("Adit-Error: "), row->code, ADIT_BYTES("\r\n"),
        row->status == 405 ? ADIT_BYTES("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n")
                           : ADIT_BYTES(""),
        is_later ? ADIT_BYTES(RETRY_AFTER) : ADIT_BYTES(""),
        form->is_closing ? ADIT_BYTES("Connection: close\r\n") : ADIT_BYTES(""),
        ADIT_BYTES("Content-Length: "),
    };
    ADIT_TRY(write_all(writer, texts, ADIT_COUNT(texts)));
    ADIT_TRY(adit_write_decimal(writer, body.len));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\r\n\r\n")));
    return form->is_head ? adit_ok() : adit_write_bytes(writer, adit_writer_bytes(&body));
}

/* Where it failed, nothing was appended. */
static struct adit_status undo(struct adit_writer *writer, size_t len, struct adit_status status)
{
    writer->len = adit_is_ok(status) ? writer->len : len;
    return status;
}

struct adit_status adit_http_error_write(struct adit_writer *writer, enum adit_http_error error,
                                         const struct adit_http_error_form *form)
{
    size_t len = writer->len;
    return undo(writer, len, error_write(writer, error, form));
}

static struct adit_status redirect_write(struct adit_writer *writer, struct adit_bytes host,
                                         uint16_t port, struct adit_bytes text)
{
    struct adit_http_target target = {0};
    ADIT_TRY(adit_http_target_split(text, &target));
    bool is_path = adit_bytes_starts_with(target.origin, ADIT_BYTES("/"));
    const struct adit_bytes start[] = {
        ADIT_BYTES("HTTP/1.1 308 Permanent Redirect\r\nLocation: https://"), host,
        port == 443 ? ADIT_BYTES("") : ADIT_BYTES(":"),
    };
    const struct adit_bytes rest[] = {
        is_path ? ADIT_BYTES("") : ADIT_BYTES("/"), target.origin,
        ADIT_BYTES("\r\nCache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    };
    ADIT_TRY(write_all(writer, start, ADIT_COUNT(start)));
    ADIT_TRY(port == 443 ? adit_ok() : adit_write_decimal(writer, port));
    return write_all(writer, rest, ADIT_COUNT(rest));
}

struct adit_status adit_http_redirect_write(struct adit_writer *writer, struct adit_bytes host,
                                            uint16_t port, struct adit_bytes target)
{
    size_t len = writer->len;
    return undo(writer, len, redirect_write(writer, host, port, target));
}
