/* World: two sessions joined by two links under virtual time, and what each of their streams is
 * meant to do. One seed fixes everything.
 *
 * plan.c draws a world from a seed, app.c plays the programs at the ends of the streams, end.c is
 * the driver of one session, world.c runs the clock and judges. */
#ifndef ADIT_TESTS_SIM_WORLD_H
#define ADIT_TESTS_SIM_WORLD_H

#include "link.h"
#include "mux/mux.h"
#include "pattern.h"
#include "random.h"
#include "sniffer.h"

#define SIM_STREAMS_MAX 4096u
#define SIM_STAGE_BYTES 65536u
#define SIM_REASON_BYTES 256u

/* Refusals of streams wait in a map of so many ids, beside the queue of control frames. */
#define SIM_REFUSALS_MAX 1024u

enum sim_start { SIM_START_NOW, SIM_START_AFTER_BYTES, SIM_START_AFTER_FIN };

/* What one end of a stream is meant to do. */
struct sim_side_plan {
    uint64_t send_total;       /* bytes, then FIN */
    uint64_t burst;            /* bytes the source has at a time; 0: all at once */
    uint64_t burst_every_us;
    enum sim_start start;      /* what the source waits for from the peer */
    bool is_fin_apart;         /* the FIN comes in a frame of its own */
    uint64_t read_chunk;       /* bytes the reader takes at a time; 0: all as they come */
    uint64_t read_every_us;
    uint64_t read_from_us;     /* reads nothing before */
    uint64_t accept_delay_us;
    uint64_t release_delay_us;
    uint64_t reset_us;         /* gives up so long after the start; SIM_NEVER */
    uint64_t reset_sent;       /* gives up once so many bytes are sent; SIM_NEVER */
    uint64_t reset_received;   /* likewise */
};

struct sim_side {
    struct sim_side_plan plan;
    struct adit_handle handle;
    uint64_t seed;          /* of the bytes this side sends */
    bool is_seen;           /* opened here, or OPENED came */
    bool is_live;           /* the handle is good */
    bool is_accepted;
    bool is_started;        /* the source may send */
    bool has_released;      /* gave up before both sides had finished */
    bool was_reset;         /* RESET came */
    bool has_sent_fin, has_fin;
    uint64_t sent, available, received, consumed;
    uint64_t begun_us, accept_us, source_next_us, read_next_us, release_us;
    uint64_t ended_us;
    uint64_t wake_us;       /* the first of them, and of the time to give up */
    uint64_t credit_granted; /* on the wire, by this side */
    uint64_t wire_sent;      /* payload on the wire, from this side */
    bool is_wire_over;       /* FIN or RST from this side is on the wire */
    uint32_t active_slot;
};

struct sim_stream {
    uint32_t number;
    uint32_t id; /* 0 until its SYN is on the wire */
    uint8_t opener;
    bool is_dropped; /* never opened: the session had said GOAWAY */
    uint64_t open_us;
    uint64_t wire_open, wire_first; /* payload sent by the opener's end before the open, the SYN */
    struct sim_side side[2];
};

struct sim_end {
    struct adit_mux mux;
    struct adit_session session;
    bool has_mux, has_session;
    struct adit_span stage; /* output that the link has not taken yet */
    size_t stage_max, stage_head, stage_len;
    size_t read_max;        /* bytes given to receive at once */
    struct sim_sniffer in, out;
    uint32_t *active; /* streams that are live here */
    uint32_t active_count;
    struct adit_span active_memory;
    uint32_t open_next;     /* the next stream of the world that this end may have to open */
    uint64_t wake_us;       /* when an application next has something to do */
    uint64_t goaway_us;     /* says GOAWAY then; SIM_NEVER */
    bool has_goaway;
    uint64_t ping_us;       /* asks for a sign of life then */
    uint64_t consumed_total;
    uint64_t payload_total; /* bytes put into frames */
};

struct sim_world_plan {
    struct adit_mux_limits limits;
    uint64_t growth_max;
    uint32_t pool_max;
    struct sim_link_plan link[2];
    uint64_t rtt_us;
    size_t stage_max, read_max;
    uint64_t goaway_us[2];
    uint32_t stream_count;
    bool may_time_out;      /* streams may run into a deadline of the mux */
    const char *style;
};

struct sim_world {
    uint64_t seed;
    struct adit_jitter random;
    const struct sim_pattern *pattern;
    struct sim_world_plan plan;
    uint64_t now_us, start_us;
    struct sim_end end[2];
    struct sim_link link[2]; /* link[i] carries what end i says */
    struct adit_span stream_memory;
    struct sim_stream *streams;
    struct adit_span id_memory;
    uint32_t *ids; /* id on the wire -> stream number + 1 */
    uint64_t progress, progress_us;
    uint64_t steps;
    bool is_verbose, is_long;
    bool has_failed;
    char reason[SIM_REASON_BYTES];
    /* Totals of the run, for the report. */
    uint64_t bytes_total, resets_total, refused_total, opened_total;
};

struct sim_options {
    uint64_t seed;
    bool is_long, is_verbose;
    const struct sim_pattern *pattern;
};

/* --- plan.c ---------------------------------------------------------------------------------- */

/* Draws the limits, the links and the streams. */
void sim_plan_draw(struct sim_world *world, bool is_long);

/* --- world.c --------------------------------------------------------------------------------- */

/* Memory for a world; a plan is drawn, or the caller writes one, before sim_world_begin. */
struct adit_status sim_world_init(struct sim_world *world, const struct sim_options *options);
struct adit_status sim_world_begin(struct sim_world *world);
void sim_world_deinit(struct sim_world *world);

/* Runs until `until_us` of virtual time, or until all is done. */
void sim_world_run(struct sim_world *world, uint64_t until_us);

/* True where every stream has ended and nothing is on the way. */
bool sim_world_is_done(const struct sim_world *world);

/* Lets late timers pass, then checks that every counter is back to zero. */
void sim_world_finish(struct sim_world *world);

/* Notes the first failure; the world then stops. */
__attribute__((format(printf, 2, 3)))
void sim_fail(struct sim_world *world, const char *format, ...);

/* One line of the story, where --verbose asked for it. */
__attribute__((format(printf, 2, 3)))
void sim_tell(struct sim_world *world, const char *format, ...);

struct sim_stream *sim_stream_at(struct sim_world *world, uint32_t number);
struct sim_side *sim_side_at(struct sim_world *world, uint32_t number, unsigned e);

/* The stream with this id on the wire, or null. */
struct sim_stream *sim_stream_by_id(struct sim_world *world, uint32_t id);
void sim_stream_named(struct sim_world *world, struct sim_stream *stream, uint32_t id);

/* --- end.c ----------------------------------------------------------------------------------- */

/* All that end `e` can do now. True where it did something. */
bool sim_end_input(struct sim_world *world, unsigned e);
bool sim_end_output(struct sim_world *world, unsigned e);
void sim_end_tick(struct sim_world *world, unsigned e);

/* --- app.c ----------------------------------------------------------------------------------- */

/* Opens what is due, feeds sources, reads, gives up. */
bool sim_app_run(struct sim_world *world, unsigned e);
void sim_app_opened(struct sim_world *world, unsigned e, struct sim_stream *stream);
void sim_app_data(struct sim_world *world, unsigned e, struct sim_stream *stream,
                  struct adit_bytes data);
void sim_app_finished(struct sim_world *world, unsigned e, struct sim_stream *stream);
void sim_app_reset(struct sim_world *world, unsigned e, struct sim_stream *stream);

/* After bytes or the FIN of `side` were sent. */
void sim_app_sent(struct sim_world *world, unsigned e, struct sim_stream *stream);

/* --- wire check (wire_check.c) --------------------------------------------------------------- */

/* Judges what end `e` has put on the wire, without asking the session. */
void sim_wire_check(struct sim_world *world, unsigned e, struct adit_bytes bytes);

#endif
