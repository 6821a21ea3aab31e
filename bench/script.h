/* Script: a whole worker and a whole agent in one process, with everything around them fixed: the
 * clock, the random numbers, what the kernel says about sockets, and the order of all turns. What
 * passes is the same to the byte in each run, so instructions can be counted and compared.
 *
 * The script plays the door, the visitors and the local program. Only what happens inside
 * script_worker_turn and script_agent_turn is counted, and that only between script_phase_begin and
 * script_phase_end: bench/instructions tells callgrind their names. */
#ifndef ADIT_BENCH_SCRIPT_H
#define ADIT_BENCH_SCRIPT_H

#include "agent/agent.h"
#include "edge/worker/worker.h"

#define SCRIPT_VISITORS 64
#define SCRIPT_LOCALS 256
#define SCRIPT_PIECE_BYTES (16 * 1024) /* of a transfer, sent in one go */
/* Pieces by as many streams, where there are, until all have arrived. Together they fit one segment
 * of loopback's, 65,483 bytes: the second of two the kernel may hold back for a moment. */
#define SCRIPT_PIECES 3
#define SCRIPT_HEAD_END "\r\n\r\n"
#define SCRIPT_BODY_END "ok"

enum script_job {
    SCRIPT_ASK,  /* the program answers each head */
    SCRIPT_DOWN, /* the program sends `bytes` and ends */
    SCRIPT_UP,   /* the program reads to the end, and ends */
};

/* A visitor, or a connection of the local program. */
struct script_end {
    int fd; /* -1: none */
    struct adit_handle watch;
    struct adit_tls *tls; /* null: in clear */
    uint64_t to_send;     /* of a transfer */
    uint64_t heard;       /* bytes, TLS taken off */
    bool is_sender;       /* ends its direction after that */
    bool is_done;         /* what it waited for has come */
    bool is_up;           /* the handshake of `tls` is over */
};

struct script {
    struct worker *worker;
    struct adit_channel supervisor, door; /* our ends */
    struct adit_loop agent_loop, outside; /* the agent's; the visitors' and the program's */
    struct adit_agent agent;
    struct adit_agent_tunnel tunnels[2]; /* a port, a name */
    int ready;                           /* how many of them are */
    int front, port, program;            /* listeners: for agents, of the tunnel, of the program */
    struct adit_address front_at, port_at, program_at;
    struct adit_tls_context *agent_tls, *visitor_tls;
    struct adit_chunk_pool chunks; /* of the visitors' TLS */
    enum script_job job;
    uint64_t bytes;       /* of a transfer, each stream */
    uint64_t sent, heard; /* of all its streams: the next pieces when all have arrived */
    bool is_held;         /* the transfer has not begun */
    size_t turn;          /* the stream that sends next */
    struct script_end visitors[SCRIPT_VISITORS];
    struct script_end locals[SCRIPT_LOCALS]; /* more than visitors: some idle, some ending */
};

/* Ends the program where the status is not ok; at `where`. */
void script_must(struct adit_status status, const char *where);
_Noreturn void script_die(const char *why);

/* --- script_turns.c: what is counted --- */
void script_phase_begin(void);
/* Prints what the phase did: its name, how many units of what, and the system calls of worker and
 * agent. */
void script_phase_end(const char *name, uint64_t units, const char *unit);
void script_worker_turn(struct adit_loop *loop);
void script_agent_turn(struct adit_loop *loop);

/* --- script_fixed.c: what does not differ from run to run --- */
void script_time_pass(uint64_t us);
/* Waits until what was sent has arrived. Needs the process to stay on one processor. */
void script_settle(void);
/* System calls of all of our own code since the start. */
uint64_t script_calls(void);
/* A listener on loopback. What it accepts has buffers of a fixed size, as what connects. */
int script_listen(struct adit_address *out_address);
int script_connect(const struct adit_address *address);
/* The connection that is on its way. */
int script_accept(int listener);

/* --- script_stage.c: worker, door and agent, with both tunnels bound --- */
void script_open(struct script *script, struct adit_bytes folder);
void script_close(struct script *script);
/* The door hears what the worker says, and answers. */
void script_door_turn(struct script *script);
/* The door hands a visitor's socket over. */
void script_door_web(struct script *script, int fd, bool is_plain);

/* --- script_ends.c: visitors and the program --- */
void script_ends_open(struct script *script);
void script_ends_close(struct script *script);
/* Everybody's part of a round once: visitors, worker, program, agent. */
void script_round(struct script *script);
/* Rounds until the visitors from `first` on, `count` of them, have what they wait for. */
void script_rounds_until_done(struct script *script, size_t first, size_t count);

enum script_way { SCRIPT_TCP, SCRIPT_HTTP, SCRIPT_HTTPS };
/* A new visitor at that place, connected. */
void script_visit(struct script *script, size_t place, enum script_way way);
/* It asks, and waits for the answer. */
void script_ask(struct script *script, size_t place);
/* It begins the transfer that the script's job says. */
void script_transfer(struct script *script, size_t place);
void script_leave(struct script *script, size_t place);

#endif
