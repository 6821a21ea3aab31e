#include "mux/stream.h"

static enum adit_stream_link_kind kind_of(enum adit_session_list list)
{
    if (list <= ADIT_SESSION_LIST_TOMBSTONES) {
        return ADIT_STREAM_LINK_AGE;
    }
    return list <= ADIT_SESSION_LIST_RESTS ? ADIT_STREAM_LINK_TURN : ADIT_STREAM_LINK_CONTROL;
}

void adit_stream_delist(struct adit_session *session, struct adit_stream *stream,
                        enum adit_stream_link_kind kind)
{
    uint8_t *listed = &ADIT_AT(stream->listed, kind);
    if (*listed == ADIT_STREAM_NO_LIST) {
        return;
    }
    struct adit_stream_list *list = &ADIT_AT(session->lists, *listed);
    struct adit_stream_link *link = &ADIT_AT(stream->links, kind);
    if (link->prev) {
        ADIT_AT(link->prev->links, kind).next = link->next;
    } else {
        list->head = link->next;
    }
    if (link->next) {
        ADIT_AT(link->next->links, kind).prev = link->prev;
    } else {
        list->tail = link->prev;
    }
    *link = (struct adit_stream_link){0};
    *listed = ADIT_STREAM_NO_LIST;
}

void adit_stream_enlist(struct adit_session *session, struct adit_stream *stream,
                        enum adit_session_list list)
{
    enum adit_stream_link_kind kind = kind_of(list);
    struct adit_stream_list *target = &ADIT_AT(session->lists, list);
    if (target->tail == stream) {
        return; /* already where it goes */
    }
    adit_stream_delist(session, stream, kind);
    ADIT_AT(stream->links, kind).prev = target->tail;
    if (target->tail) {
        ADIT_AT(target->tail->links, kind).next = stream;
    } else {
        target->head = stream;
    }
    target->tail = stream;
    ADIT_AT(stream->listed, kind) = (uint8_t)list;
}
