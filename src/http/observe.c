#include "http/observe.h"

#include "base/checked.h"
#include "http/fields.h"
#include "http/framing.h"

enum side_event {
    SIDE_NOTHING,
    SIDE_HEAD,     /* a head is whole: its text is in side->text */
    SIDE_TRAILERS, /* a body is over, with its trailers */
};

static void side_restart(struct adit_http_observe_side *side)
{
    side->phase = ADIT_HTTP_OBSERVE_HEAD;
    side->scan = (struct adit_http_scan){0};
    side->text.len = 0;
}

void adit_http_observe_init(struct adit_http_observer *observer, struct adit_span memory)
{
    size_t half = memory.len / 2;
    *observer = (struct adit_http_observer){0};
    observer->request.text = adit_writer_of(adit_span_first(memory, half));
    observer->response.text = adit_writer_of(adit_span_first(adit_span_from(memory, half), half));
}

/* Gathers a head or trailers. Fails where it cannot become one, or does not fit. */
static struct adit_status side_gather(struct adit_http_observe_side *side,
                                      struct adit_bytes *bytes, enum side_event *out_event)
{
    bool is_head = side->phase == ADIT_HTTP_OBSERVE_HEAD;
    size_t before = side->text.len;
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_bytes more = adit_bytes_first(*bytes, adit_writer_room(&side->text));
    ADIT_TRY(adit_write_bytes(&side->text, more));
    struct adit_bytes text = adit_writer_bytes(&side->text);
    ADIT_TRY(is_head ? adit_http_scan_head(&side->scan, text, ADIT_HTTP_HEAD_BYTES_MAX, &used,
                                           &parse)
                     : adit_http_scan_trailers(&side->scan, text, &used, &parse));
    if (parse == ADIT_PARSE_MORE) {
        ADIT_ENSURE(adit_writer_room(&side->text) > 0, LIMIT, "a head over what we keep");
        *bytes = adit_bytes_from(*bytes, more.len);
        *out_event = SIDE_NOTHING;
        return adit_ok();
    }
    side->text.len = used;
    *bytes = adit_bytes_from(*bytes, used - before);
    *out_event = is_head ? SIDE_HEAD : SIDE_TRAILERS;
    return adit_ok();
}

static void side_body_begin(struct adit_http_observe_side *side, enum adit_http_framing framing,
                            uint64_t length)
{
    side_restart(side);
    adit_http_body_init(&side->body, framing, length);
    if (side->body.state != ADIT_HTTP_BODY_END) {
        side->phase = ADIT_HTTP_OBSERVE_BODY;
    }
}

/* Steps over bytes of a body. */
static struct adit_status side_body(struct adit_http_observe_side *side, struct adit_bytes *bytes)
{
    struct adit_bytes payload = {0};
    ADIT_TRY(adit_http_body_read(&side->body, bytes, &payload));
    switch (side->body.state) {
    case ADIT_HTTP_BODY_MORE:
        break;
    case ADIT_HTTP_BODY_TRAILERS:
        side->phase = ADIT_HTTP_OBSERVE_TRAILERS;
        break;
    case ADIT_HTTP_BODY_END:
        side_restart(side);
        break;
    }
    return adit_ok();
}

/* Goes on to the next event, or to the end of *bytes. */
static struct adit_status side_step(struct adit_http_observe_side *side, struct adit_bytes *bytes,
                                    enum side_event *out_event)
{
    *out_event = SIDE_NOTHING;
    switch (side->phase) {
    case ADIT_HTTP_OBSERVE_HEAD:
        return side_gather(side, bytes, out_event);
    case ADIT_HTTP_OBSERVE_BODY:
        return side_body(side, bytes);
    case ADIT_HTTP_OBSERVE_TRAILERS:
        ADIT_TRY(side_gather(side, bytes, out_event));
        if (*out_event == SIDE_TRAILERS) {
            side_restart(side);
        }
        return adit_ok();
    }
    ADIT_FAIL(INTERNAL, "a phase that there is not");
}

/* What is said before it goes blind stays said. */
static bool is_idle(const struct adit_http_observer *observer)
{
    return !observer->is_waiting && observer->response.phase == ADIT_HTTP_OBSERVE_HEAD &&
           observer->response.text.len == 0;
}

static struct adit_status request_head(struct adit_http_observer *observer, uint64_t now_us)
{
    struct adit_http_head head = {0};
    struct adit_http_frame frame = {0};
    struct adit_http_seen seen = {0};
    ADIT_ENSURE(is_idle(observer), REFUSED, "a request before the answer to the last");
    ADIT_TRY(adit_http_request_parse(adit_writer_bytes(&observer->request.text), &head));
    ADIT_TRY(adit_http_frame_request(&head, &frame));
    ADIT_TRY(ADIT_FIELD_SET(seen.method, head.method));
    ADIT_TRY(ADIT_FIELD_SET(seen.target,
                            adit_bytes_first(head.target, ADIT_HTTP_OBSERVE_TARGET_MAX)));
    observer->seen = seen;
    observer->asked = (struct adit_http_request){
        .is_head = adit_bytes_equal(head.method, ADIT_BYTES("HEAD")),
        .is_upgrade = adit_http_field_is_there(&head, ADIT_HTTP_NAME_UPGRADE),
    };
    observer->asked_us = now_us;
    observer->is_waiting = true;
    side_body_begin(&observer->request, frame.framing, frame.length);
    return adit_ok();
}

static struct adit_status request_step(struct adit_http_observer *observer,
                                       struct adit_bytes *bytes, uint64_t now_us)
{
    enum side_event event = SIDE_NOTHING;
    ADIT_TRY(side_step(&observer->request, bytes, &event));
    return event == SIDE_HEAD ? request_head(observer, now_us) : adit_ok();
}

void adit_http_observe_request(struct adit_http_observer *observer, struct adit_bytes bytes,
                               uint64_t now_us)
{
    while (bytes.len > 0 && !observer->is_blind) {
        observer->is_blind = !adit_is_ok(request_step(observer, &bytes, now_us));
    }
}

static struct adit_status response_head(struct adit_http_observer *observer, uint64_t now_us,
                                        bool *out_is_answer)
{
    struct adit_http_head head = {0};
    struct adit_http_response response = {0};
    ADIT_ENSURE(observer->is_waiting, REFUSED, "an answer that nobody asked for");
    ADIT_TRY(adit_http_response_parse(adit_writer_bytes(&observer->response.text), &head));
    ADIT_TRY(adit_http_response_judge(&head, &observer->asked, &response));
    *out_is_answer = !response.is_interim;
    if (response.is_interim) {
        side_restart(&observer->response);
        return adit_ok();
    }
    observer->seen.status = head.status;
    observer->seen.took_us = adit_subtract_floor_u64(now_us, observer->asked_us);
    observer->is_waiting = false;
    observer->is_blind = response.framing == ADIT_HTTP_FRAMING_SWITCH;
    side_body_begin(&observer->response, response.framing, response.length);
    return adit_ok();
}

static struct adit_status response_step(struct adit_http_observer *observer,
                                        struct adit_bytes *bytes, uint64_t now_us,
                                        bool *out_is_answer)
{
    enum side_event event = SIDE_NOTHING;
    ADIT_TRY(side_step(&observer->response, bytes, &event));
    return event == SIDE_HEAD ? response_head(observer, now_us, out_is_answer) : adit_ok();
}

bool adit_http_observe_response(struct adit_http_observer *observer, struct adit_bytes bytes,
                                uint64_t now_us, struct adit_http_seen *out_seen)
{
    bool is_known = false;
    while (bytes.len > 0 && !observer->is_blind) {
        bool is_answer = false;
        if (!adit_is_ok(response_step(observer, &bytes, now_us, &is_answer))) {
            observer->is_blind = true;
        }
        if (is_answer) {
            *out_seen = observer->seen;
            is_known = true;
        }
    }
    return is_known;
}
