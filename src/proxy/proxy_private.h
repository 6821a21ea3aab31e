/* Proxy, private: what the files of src/proxy share and nobody else sees.
 *
 * A *web* is one visitor's connection. All its work is done once a turn, in web_work: events and
 * the hub's calls only leave bytes and flags, and mark it. What a turn has for the visitor is
 * gathered in one scratch of the proxy and sent at once. */
#ifndef ADIT_PROXY_PROXY_PRIVATE_H
#define ADIT_PROXY_PROXY_PRIVATE_H

#include "http/body.h"
#include "http/forward.h"
#include "http/recall.h"
#include "proxy/proxy.h"
#include "tunnel/link.h"

#define WEB_GATHER_BYTES (64 * 1024) /* at least a whole head, four records */
#define WEB_UP_MAX (96 * 1024)       /* a request's head, and a chunk of its body */
#define RECALLS 128 /* a power of two: connections whose last head is kept */
#define WEB_NEVER UINT64_MAX
#define WEB_ANSWER_ROOM (16 * 1024) /* free in the scratch before a request is looked at */
#define WEB_RETRY_US (10 * ADIT_MS_US) /* between two looks for a free stream */
/* Or for an agent: an eighth of the time waited so far, within these. */
#define WEB_AWAY_LEAST_US (2 * ADIT_MS_US)
#define WEB_AWAY_MOST_US (50 * ADIT_MS_US)
#define ADIT_PROXY_LINGER_US (2 * ADIT_SECOND_US) /* for the visitor to end too */
#define WEB_LINGER_BYTES (8 * 1024 * 1024)        /* dropped meanwhile, at most */
#define WEB_PART_BYTES (64 * 1024) /* of an answer's body that the kernel may be left alone with */

enum web_state {
    WEB_HANDSHAKE, /* TLS is not up yet */
    WEB_HEAD,      /* a request's head has not come, or not all of it */
    WEB_QUEUED,    /* the head is there, a stream is not */
    WEB_EXCHANGE,  /* the request is on its way, or the answer */
    WEB_SWITCHED,  /* after 101: bytes both ways */
    WEB_FLUSH,     /* what waits is sent, then our end of the connection */
    WEB_LINGER,    /* read and dropped until the visitor ends too */
    WEB_GONE,      /* released at the end of this turn */
};

enum answer_state {
    ANSWER_HEAD,     /* of an interim answer or the final one */
    ANSWER_BODY,
    ANSWER_TRAILERS,
};

/* One request and its answer; zeros between two. A visitor who asks nothing holds none: it is lent
 * to a web for its turns, and kept by it as long as there is something in it. */
struct exchange {
    struct exchange *free_next; /* of those that are lent to nobody */
    struct adit_http_request request;
    struct adit_http_body up, down; /* of the request, of the answer */
    struct adit_http_scan scan;     /* of the answer's heads and trailers */
    struct adit_http_scan up_scan;  /* of the request's trailers */
    struct adit_handle pipe;
    uint64_t tunnel;
    uint64_t start_us, pipe_us; /* when the head was whole; when the pipe was opened */
    uint64_t body_mark_us, body_mark; /* bytes of the body that had come by then */
    uint64_t bytes_in, bytes_out;
    size_t consumed;  /* bytes of the pipe that are used, and that it was not told of */
    size_t head_kept; /* bytes of the head at the front of `in`, for a second try */
    enum answer_state answer;
    enum adit_http_framing framing; /* of the answer as the visitor gets it */
    uint32_t pipe_uses; /* requests that the pipe has carried, with this one */
    uint16_t status;
    uint8_t interims;
    bool is_http10;
    bool is_reused;       /* the pipe came from the idle list, and a second try is safe */
    bool has_retried;
    bool has_waited;      /* for its agent */
    bool is_dialled;      /* the agent's verdict has come */
    bool is_up_done;      /* the request is whole, and in `up` or sent */
    bool is_down_ended;   /* SWITCHED: the program's end was passed on */
    bool is_continued;    /* 100 was passed on */
    bool is_begun;        /* bytes of the final head are gathered */
    bool is_closing;      /* the visitor was told that the connection ends after this */
    bool is_persistent;   /* the pipe can be used again */
    bool is_pipe_ended;   /* the program's end came */
    bool is_pipe_closed;  /* the pipe is gone: `pipe_error` says why, where it was too early */
    bool is_pipe_complete;
    bool has_failed;      /* `error` is the answer, unless one is begun */
    bool is_refused;      /* `error` was the answer */
    enum adit_http_error error, pipe_error;
};

struct web {
    enum web_state state;
    int fd;
    struct adit_handle self, watch, timer, dirty_next;
    struct adit_tls *tls; /* null: plain */
    struct adit_queue in;   /* the visitor's bytes, not yet used */
    struct adit_queue out;  /* plain: on their way to the visitor */
    struct adit_queue up;   /* made for the pipe, not yet filled */
    struct adit_queue back; /* from the pipe, not yet worked on */
    struct adit_http_scan scan; /* of the request's head */
    struct exchange *exchange;  /* null where nothing is asked; never in web_work */
    struct adit_address peer;
    ADIT_FIELD(48) address; /* of the visitor, as text without the port */
    ADIT_FIELD(ADIT_PROXY_SERVER_NAME_MAX) server_name;
    uint64_t tunnel;        /* of the last request */
    uint64_t since_us;      /* when this state's clock began */
    uint64_t armed_us;      /* when the timer fires; 0: none */
    uint64_t sent_us;       /* when the socket last took something, or nothing waited */
    uint64_t retry_us;      /* QUEUED: when to ask again */
    size_t lingered;
    bool is_redirect;
    bool is_unknown;  /* its server name was nobody's when it came */
    bool is_dirty;
    bool is_wide;     /* the socket carries bulk, and was given room for it */
    bool can_read;    /* the socket may have bytes */
    bool has_hangup;  /* its end was announced: read on until it is there */
    bool is_in_done;  /* the visitor's end has come */
    bool is_blocked;  /* the socket takes no more; an event will say when it does */
    bool is_out_ended; /* SWITCHED: our end was sent */
    bool is_broken;   /* the connection failed: nothing can be sent */
    bool is_first;    /* no request has come yet */
    bool is_parting;  /* by its own word the visitor sends nothing more, and has its answer */
    bool has_new_ticket; /* the handshake ended in this turn */
    bool wants_room;  /* this turn's scratch was too small for what there is */
};

/* An idle pipe, or one that ends in order. */
struct idle {
    struct adit_handle self, pipe;
    struct adit_handle newer, older;   /* by age, all tunnels together */
    struct adit_handle above, below;   /* of one tunnel: the newest on top */
    uint64_t tunnel, since_us, until_us;
    uint32_t depth; /* of its tunnel's list below it */
    uint32_t uses;  /* requests that it has carried */
    bool is_leaving;
};

/* The newest idle pipe of a tunnel that was busy a moment ago; the table's word for it is old. */
struct idle_top {
    uint64_t tunnel;
    struct adit_handle top; /* none: it has no idle pipe */
    bool is_used;
};

#define IDLE_TOPS 16 /* a power of two */

/* Whose heads stand in a place of `recalls`: the connection's that last came to it. They are kept
 * from a second request on: who asks once, and stays, costs nothing. */
struct recall_place {
    struct adit_handle web;
    bool is_set;
};

struct recall {
    struct adit_http_recall request;
    struct adit_http_recall_answer answer;
};

struct proxy_times {
    uint64_t head_us, idle_us, body_us, stuck_us, queued_us, away_us, ack_us, idle_pipe_us,
        linger_us, fresh_us, proven_us;
};

struct adit_proxy {
    struct adit_loop *loop;
    struct adit_hub *hub;
    const struct adit_proxy_ops *ops;
    void *context;
    uint16_t https_port;
    bool is_draining;
    struct proxy_times times;
    struct adit_pool webs;
    struct adit_pool exchanges; /* one for each web */
    struct exchange *free_exchange; /* the one that came back last, or null; all are zeros */
    struct adit_pool idles;
    struct adit_table tunnels; /* tunnel -> its newest idle pipe, where it is not in `tops` */
    struct idle_top tops[IDLE_TOPS];
    struct adit_handle oldest, newest; /* idle pipes */
    struct adit_handle idle_timer;
    struct adit_handle dirty_head, dirty_tail; /* webs with something to do */
    uint32_t dirty_count;
    struct adit_handle again;   /* a timer: work without waiting */
    struct adit_span cipher_in; /* scratch, used within one call only */
    struct adit_span joined;    /* a head that lies in several chunks */
    struct adit_span written;   /* a head that is made */
    struct adit_span gathered;  /* for the web that is worked on */
    struct adit_writer gather;
    struct adit_http_head head; /* the one that is looked at */
    struct adit_bytes line;     /* where it is one recalled: its method and target alone */
    struct adit_span recalls;   /* struct recall, by place */
    struct recall_place recall_places[RECALLS];
    struct adit_proxy_counters counters;
};

/* Names in `user` of a pipe: bit 63 says that it is ours, 62 that it is an idle one. */
#define USER_IDLE (UINT64_C(1) << 62)
#define USER_INDEX_BITS 24
uint64_t proxy_user(struct adit_handle handle, uint64_t kind);

/* proxy.c */
struct web *proxy_web(const struct adit_proxy *proxy, struct adit_handle handle);
/* The front of a queue in one piece: at most `max` bytes, joined in scratch where need be. */
struct adit_bytes proxy_front(struct adit_proxy *proxy, const struct adit_queue *queue,
                              size_t max);
/* Memory is full: the web, or the pump, that holds most is cut. False where none holds any. */
bool proxy_cut_largest(struct adit_proxy *proxy);

/* web.c: life and time. */
void web_mark(struct adit_proxy *proxy, struct web *web);
/* The next turn does not wait. */
void web_turn_again(struct adit_proxy *proxy);
void web_work(struct adit_proxy *proxy, struct web *web);
/* Sends what waits, then ends the connection in order. */
void web_finish(struct adit_proxy *proxy, struct web *web);
/* Ends it at once; the visitor sees a reset. */
void web_cut(struct adit_proxy *proxy, struct web *web);
/* The next request may come, or has. */
void web_next(struct adit_proxy *proxy, struct web *web);
/* Ends it at once. */
void web_close(struct adit_proxy *proxy, struct web *web);
/* It is GONE, and nobody works on it: its slot is free. */
void web_free(struct adit_proxy *proxy, struct web *web);
struct adit_status web_open(struct adit_proxy *proxy, const struct adit_proxy_visitor *visitor);

/* web_time.c: deadlines. */
void web_arm(struct adit_proxy *proxy, struct web *web);

/* web_io.c: reading and sending, over TLS or plain. */
void web_read(struct adit_proxy *proxy, struct web *web);
void web_gather_begin(struct adit_proxy *proxy, struct web *web);
/* Encrypts and sends what was gathered, and what waited. */
void web_flush(struct adit_proxy *proxy, struct web *web);
/* What the socket said to a send: where it is full, an event will tell that it takes more. */
void web_sent(struct adit_proxy *proxy, struct web *web, enum adit_io io);
bool web_is_out_empty(const struct web *web);
/* Sends bytes at once where nothing waits before them, or keeps what the socket does not take, in
 * what waits; how many. A failure breaks the web. */
size_t web_pass(struct adit_proxy *proxy, struct web *web, struct adit_bytes bytes);
/* Reads from a visitor without TLS, past its queue; how many bytes. */
size_t web_take(struct adit_proxy *proxy, struct web *web, struct adit_span room);
void web_linger(struct adit_proxy *proxy, struct web *web);

/* direct.c: bytes of a pipe that go to the visitor at once; what is left of them. */
struct adit_bytes direct_pass(struct adit_proxy *proxy, struct web *web, struct adit_bytes bytes);
/* The same for those that wait in `back`, to a visitor without TLS, before anything is gathered. */
void direct_back(struct adit_proxy *proxy, struct web *web);
/* True where the next bytes of a visitor without TLS are counted ones of a request's body: they are
 * read into the frame that carries them. */
bool direct_takes(const struct web *web);
/* Reads them; what is left of the room. */
struct adit_span direct_fill(struct adit_proxy *proxy, struct web *web, struct adit_span room);

/* recall.c: the last heads of the connection, or null. */
struct recall *recall_of(const struct adit_proxy *proxy, const struct web *web);
/* Where this request's head is to be kept; null for a first one, which only takes the place. */
struct recall *recall_begin(struct adit_proxy *proxy, const struct web *web);

/* request.c: from the visitor to the pipe. True where something moved. */
bool request_next(struct adit_proxy *proxy, struct web *web);
/* Finds a pipe and makes the head; again where the session had no stream. */
bool request_send(struct adit_proxy *proxy, struct web *web);
struct adit_pipe_filled request_fill(struct adit_proxy *proxy, struct web *web,
                                     struct adit_span room);
/* The idle pipe was dead: once more, over a new one. */
void request_retry(struct adit_proxy *proxy, struct web *web);
/* The program has said something: there will be no second try. */
void request_commit(struct adit_proxy *proxy, struct web *web);
/* The visitor ended before its request did. */
bool request_is_cut(const struct web *web);
/* New bytes or the end came from the visitor. */
void request_moved(struct adit_proxy *proxy, struct web *web);

/* response.c: from the pipe to the visitor. True where something moved. */
bool response_work(struct adit_proxy *proxy, struct web *web);

/* answer.c: what we say ourselves. */
void answer_error(struct adit_proxy *proxy, struct web *web, enum adit_http_error error);
void answer_redirect(struct adit_proxy *proxy, struct web *web);
void answer_options(struct adit_proxy *proxy, struct web *web);
/* The pipe is told what was used of it. */
void exchange_consumed(struct adit_proxy *proxy, struct exchange *exchange);
/* The exchange is over: told, and forgotten. */
void exchange_end(struct adit_proxy *proxy, struct web *web, bool is_cut);

/* idle.c: pipes between two requests. The exchange gets one, where there is one for it. */
bool idle_take(struct adit_proxy *proxy, uint64_t tunnel, struct exchange *exchange);
/* Keeps the exchange's pipe for the next request, or ends it in order. */
void idle_put(struct adit_proxy *proxy, struct exchange *exchange, bool is_leaving);
void idle_tunnel_gone(struct adit_proxy *proxy, uint64_t tunnel);
void idle_close_all(struct adit_proxy *proxy);
struct idle *idle_of(const struct adit_proxy *proxy, struct adit_handle handle,
                     struct adit_handle pipe);
void idle_finished(struct adit_proxy *proxy, struct idle *idle);
/* Takes it from the lists; its pipe is somebody else's now, or gone. */
void idle_remove(struct adit_proxy *proxy, struct idle *idle);

#endif
