/* Visitors: connections that ask, are answered, and ask again, on one epoll. What a visitor does
 * when it has its answer is the mode's; a fault is counted, and its connection is opened anew a
 * moment later. */
#ifndef ADIT_BENCH_VISITORS_H
#define ADIT_BENCH_VISITORS_H

#include "histogram.h"
#include "load.h"

enum {
    VISITOR_HEAD_MAX = 1024,       /* of an answer that comes in pieces */
    VISITORS_REQUEST_MAX = 8192,
    VISITORS_SCRATCH = 64 * 1024,
};

enum visitors_mode {
    VISITORS_LOOP,  /* asks again at once */
    VISITORS_PACED, /* waits until a request is due */
    VISITORS_IDLE,  /* asks once, then stays */
};

enum visitor_state {
    VISITOR_CLOSED,
    VISITOR_RESTING,    /* after a fault: opens again at the next tick */
    VISITOR_CONNECTING,
    VISITOR_SHAKING,
    VISITOR_UPGRADING,
    VISITOR_FREE,       /* open, nothing asked */
    VISITOR_WAITING,    /* for its answer */
    VISITOR_ENDING,     /* answered; waits for the other side to close */
};

struct visitor {
    struct stream stream;
    enum visitor_state state;
    bool has_request;
    uint64_t since_ns; /* where the latency of the request counts from */
    uint64_t begun_ns; /* when it began what it now does */
    uint64_t left;     /* bytes of the answer still to come, once its head is there */
    size_t held;       /* bytes of an incomplete head */
    uint32_t index;
    uint8_t head[VISITOR_HEAD_MAX];
};

struct visitors {
    enum visitors_mode mode;
    enum load_kind kind;
    bool is_close;
    int epoll;
    struct stream_target target;
    struct visitor *all;
    size_t count;
    struct adit_bytes request, upgrade;

    uint64_t begin_ns; /* of what is measured, after the warm-up */
    uint64_t end_ns;
    uint64_t tick_ns;  /* when to look after those that rest or wait too long */
    bool is_over;      /* nobody asks again */
    bool is_running;   /* LOOP: they may ask */
    size_t opened;     /* connections that became ready with nothing to ask yet */

    uint32_t *free;    /* PACED: a ring of `count` */
    size_t free_first, free_count;
    double interval_ns;
    uint64_t start_ns; /* of request 0 */
    uint64_t due;      /* requests that are in the schedule */
    uint64_t sent;     /* of them, begun */
    uint64_t behind_max_ns;

    uint64_t answered; /* warm-up included, for CPU per request */
    uint64_t measured;
    uint64_t errors;
    uint64_t lost;     /* requests that a fault ended */
    uint64_t resumed;  /* connections that went on with a TLS session */
    struct histogram histogram;
    size_t known; /* bytes of the last answer that came at once */
    uint8_t known_answer[VISITOR_HEAD_MAX];
    uint8_t scratch[VISITORS_SCRATCH];
    uint8_t first_text[VISITORS_REQUEST_MAX], second_text[VISITORS_REQUEST_MAX];
};

/* Makes the visitors of a job; all are closed. */
void visitors_init(struct visitors *visitors, const struct load_options *options,
                   enum load_kind kind, enum visitors_mode mode);

/* Begins a request whose latency counts from `since_ns`; opens the connection if need be. */
void visitor_ask(struct visitors *visitors, struct visitor *visitor, uint64_t since_ns);

/* Opens a connection without asking. */
void visitor_open(struct visitors *visitors, struct visitor *visitor);

/* Waits for events until `until_ns` at most and lets the visitors act on them. */
void visitors_turn(struct visitors *visitors, uint64_t until_ns);

/* Opens all, and waits until all are open; dies where that takes ten seconds. */
void visitors_open_all(struct visitors *visitors);

/* What a job of requests says of itself, without the last brace. */
void visitors_print(const struct visitors *visitors);

#endif
