#include "mux_peer.h"

#define AGE ADIT_STREAM_LINK_AGE

static void begin(struct adit_stream *stream)
{
    *stream = (struct adit_stream){0};
    adit_span_fill(ADIT_SPAN_OF(stream->listed), ADIT_STREAM_NO_LIST);
}

static size_t length_of(const struct adit_session *session, enum adit_session_list list)
{
    size_t count = 0;
    const struct adit_stream *prev = NULL;
    const struct adit_stream *stream = adit_session_first(session, list);
    while (stream) {
        assert_ptr_equal(ADIT_AT(stream->links, AGE).prev, prev);
        prev = stream;
        stream = ADIT_AT(stream->links, AGE).next;
        count++;
    }
    assert_ptr_equal(ADIT_AT(session->lists, list).tail, prev);
    return count;
}

static void streams_move_between_lists(void **state)
{
    (void)state;
    static struct adit_session session;
    struct adit_stream streams[3];
    for (size_t i = 0; i < 3; i++) {
        begin(&ADIT_AT(streams, i));
        adit_stream_enlist(&session, &ADIT_AT(streams, i), ADIT_SESSION_LIST_OPEN);
    }
    assert_int_equal(length_of(&session, ADIT_SESSION_LIST_OPEN), 3);
    adit_stream_enlist(&session, &ADIT_AT(streams, 1), ADIT_SESSION_LIST_TOMBSTONES);
    assert_int_equal(length_of(&session, ADIT_SESSION_LIST_OPEN), 2);
    assert_int_equal(length_of(&session, ADIT_SESSION_LIST_TOMBSTONES), 1);
    adit_stream_enlist(&session, &ADIT_AT(streams, 0), ADIT_SESSION_LIST_OPEN);
    assert_ptr_equal(adit_session_first(&session, ADIT_SESSION_LIST_OPEN), &ADIT_AT(streams, 2));
    assert_int_equal(length_of(&session, ADIT_SESSION_LIST_OPEN), 2);
    adit_stream_delist(&session, &ADIT_AT(streams, 2), AGE);
    adit_stream_delist(&session, &ADIT_AT(streams, 2), AGE); /* twice is once */
    adit_stream_delist(&session, &ADIT_AT(streams, 0), AGE);
    adit_stream_delist(&session, &ADIT_AT(streams, 1), AGE);
    assert_int_equal(length_of(&session, ADIT_SESSION_LIST_OPEN), 0);
    assert_int_equal(length_of(&session, ADIT_SESSION_LIST_TOMBSTONES), 0);
}

static void the_three_links_do_not_disturb_each_other(void **state)
{
    (void)state;
    static struct adit_session session;
    struct adit_stream stream;
    begin(&stream);
    adit_stream_enlist(&session, &stream, ADIT_SESSION_LIST_HALF_CLOSED);
    adit_stream_enlist(&session, &stream, ADIT_SESSION_LIST_FRESH);
    adit_stream_enlist(&session, &stream, ADIT_SESSION_LIST_RESETS);
    adit_stream_enlist(&session, &stream, ADIT_SESSION_LIST_OLD);
    assert_null(adit_session_first(&session, ADIT_SESSION_LIST_FRESH));
    assert_ptr_equal(adit_session_first(&session, ADIT_SESSION_LIST_OLD), &stream);
    adit_stream_delist(&session, &stream, ADIT_STREAM_LINK_TURN);
    assert_ptr_equal(adit_session_first(&session, ADIT_SESSION_LIST_HALF_CLOSED), &stream);
    assert_ptr_equal(adit_session_first(&session, ADIT_SESSION_LIST_RESETS), &stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_move_between_lists),
        cmocka_unit_test(the_three_links_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("mux/list", tests, NULL, NULL);
}
