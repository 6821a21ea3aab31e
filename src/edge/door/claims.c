#include "edge/door/claims.h"

#include "edge/door/peek.h"
#include "edge/door/probes.h"
#include "edge/door/workers.h"

#define WAITING_MAX 64 /* claims that wait for a snapshot */
_Static_assert(WAITING_MAX + ADIT_DOOR_PROBES_MAX + 2 * ADIT_DOOR_WAITING_MAX +
                       ADIT_DOOR_RECEIVE_MAX <=
                   ADIT_DOOR_ANSWERS_MAX,
               "answers to all of them have room");

#define TELL_WAITING_MAX 64 /* messages that wait for the supervisor; the rest of its room is for
                             * the others */

static void name_log(struct adit_door *door, enum adit_log_level level, struct adit_bytes event,
                     struct adit_bytes name)
{
    const struct adit_log_field field = adit_log_text(ADIT_BYTES("name"), name);
    adit_log_event(&door->log, level, event, &field, 1);
}

static struct adit_names_time time_now(const struct adit_door *door)
{
    return (struct adit_names_time){.wall_s = adit_clock_wall_ms() / 1000,
                                    .grace_end_us = door->loop.now_us + door->grace_us};
}

static struct adit_name_claim claim_of(uint32_t worker, const struct adit_message *message)
{
    return (struct adit_name_claim){.name = adit_message_text_get(&message->name),
                                    .account = adit_message_text_get(&message->account),
                                    .instance = adit_message_text_get(&message->instance),
                                    .seed = message->seed,
                                    .kind = message->kind,
                                    .owner = {.worker = worker,
                                              .slot = message->slot,
                                              .session = message->session}};
}

struct waiting {
    uint32_t worker;
    uint64_t wiring;
    struct adit_message message;
};

static struct waiting *waiting_at(const struct adit_door *door, uint32_t index)
{
    return adit_memory_at(door->claims, sizeof(struct waiting), index);
}

/* At a start of the whole server control and door begin together, and agents come back at once: the
 * first to ask may not be the one whose name it is. Nor where this door took another's place: what
 * that one told control last is in the second snapshot. What is known needs none. */
static bool must_wait(const struct adit_door *door, const struct adit_message *message)
{
    return door->snapshots_wanted > 0 && door->loop.now_us < door->claims_end_us &&
           message->name.len > 0 && door->claims_waiting < WAITING_MAX &&
           !adit_names_find(&door->names, adit_message_text_get(&message->name));
}

bool adit_claims_have_room(const struct adit_door *door)
{
    return door->claims_waiting + ADIT_DOOR_RECEIVE_MAX <= WAITING_MAX;
}

static void claim_park(struct adit_door *door, uint32_t worker, const struct adit_message *message)
{
    *waiting_at(door, door->claims_waiting) =
        (struct waiting){.worker = worker,
                         .wiring = ADIT_AT(door->workers, worker).wiring,
                         .message = *message};
    door->claims_waiting++;
}

static struct adit_status refuse(struct adit_door *door, uint32_t worker, uint64_t request,
                                 enum adit_name_refusal refusal)
{
    struct adit_message refused = {
        .type = ADIT_MESSAGE_CLAIM_REFUSED, .request = request, .name_refusal = refusal};
    return adit_door_worker_send(door, worker, &refused);
}

/* Is it known that the session which it takes the place of lives? Then nothing is asked. */
enum probing { PROBES, HAS_PROBED };

static bool owners_probe(struct adit_door *door, uint32_t worker,
                         const struct adit_message *message, struct adit_bytes name)
{
    const struct adit_named *entry = adit_names_find(&door->names, name);
    return entry && adit_probes_ask(door, worker, message, &entry->owners);
}

static struct adit_status claim_answer(struct adit_door *door, uint32_t worker,
                                       const struct adit_message *message, enum probing probing)
{
    const struct adit_name_claim claim = claim_of(worker, message);
    const struct adit_names_time time = time_now(door);
    struct adit_name_answer answer = {0};
    ADIT_TRY(adit_names_claim(&door->names, &claim, &time, &answer));
    if (answer.must_probe) {
        return probing == PROBES &&
                       owners_probe(door, worker, message, ADIT_FIELD_BYTES(answer.name))
                   ? adit_ok()
                   : refuse(door, worker, message->request, ADIT_NAME_REFUSAL_TAKEN);
    }
    if (!answer.is_granted) {
        return refuse(door, worker, message->request, answer.refusal);
    }
    if (answer.is_replaced) {
        adit_door_worker_evict(door, &answer.old);
    }
    struct adit_message claimed = {.type = ADIT_MESSAGE_CLAIMED,
                                   .request = message->request,
                                   .session = message->session};
    name_log(door, ADIT_LOG_INFO, ADIT_BYTES("name_claimed"), ADIT_FIELD_BYTES(answer.name));
    ADIT_TRY(adit_message_text_set(&claimed.name, ADIT_FIELD_BYTES(answer.name)));
    return adit_door_worker_send(door, worker, &claimed);
}

struct adit_status adit_claims_probed(struct adit_door *door, uint32_t worker,
                                      const struct adit_message *message, bool is_refused)
{
    return is_refused ? refuse(door, worker, message->request, ADIT_NAME_REFUSAL_TAKEN)
                      : claim_answer(door, worker, message, HAS_PROBED);
}

bool adit_claims_evict(struct adit_door *door, const struct adit_message *message,
                       const struct adit_owner *owner)
{
    const struct adit_names_time time = time_now(door);
    struct adit_name_claim claim = claim_of(owner->worker, message);
    claim.owner = *owner;
    return adit_names_release(&door->names, &claim, &time);
}

struct adit_status adit_claims_claim(struct adit_door *door, uint32_t worker,
                                     struct adit_message *message)
{
    const struct adit_name_claim claim = claim_of(worker, message);
    ADIT_TRY(adit_name_claim_check(&claim));
    if (must_wait(door, message)) {
        claim_park(door, worker, message);
        return adit_ok();
    }
    return claim_answer(door, worker, message, PROBES);
}

static void claims_resume(struct adit_door *door)
{
    for (uint32_t i = 0; i < door->claims_waiting; i++) {
        const struct waiting *waiting = waiting_at(door, i);
        const struct adit_door_worker *worker = &ADIT_AT(door->workers, waiting->worker);
        if (adit_channel_is_open(&worker->channel) && worker->wiring == waiting->wiring) {
            adit_log_failure(&door->log, ADIT_LOG_WARN, ADIT_BYTES("claim_failed"),
                             claim_answer(door, waiting->worker, &waiting->message, PROBES));
        }
    }
    door->claims_waiting = 0;
    adit_door_workers_renew(door);
    adit_loop_timer_cancel(&door->loop, &door->claims_timer);
    adit_peek_retry(door);
}

static void no_snapshot(void *context, uint64_t key)
{
    (void)key;
    claims_resume(context);
}

struct adit_status adit_claims_open(struct adit_door *door)
{
    ADIT_TRY(adit_memory_open(WAITING_MAX, sizeof(struct waiting), &door->claims));
    door->snapshots_wanted = door->is_told_more ? 2 : 1;
    door->claims_end_us = adit_clock_now_us() + ADIT_DOOR_SNAPSHOT_US;
    return adit_loop_timer_set(&door->loop, &door->claims_timer, door->claims_end_us, no_snapshot,
                               door, 0);
}

void adit_claims_close(struct adit_door *door)
{
    adit_loop_timer_cancel(&door->loop, &door->claims_timer);
    adit_memory_close(&door->claims);
    adit_names_deinit(&door->names);
}

/* Only an agent that went away may be back in a moment. */
struct adit_status adit_claims_release(struct adit_door *door, uint32_t worker,
                                       struct adit_message *message)
{
    const struct adit_name_claim claim = claim_of(worker, message);
    struct adit_names_time time = time_now(door);
    if (message->count == 0) {
        time.grace_end_us = 0;
    }
    if (adit_names_release(&door->names, &claim, &time)) {
        name_log(door, ADIT_LOG_INFO, ADIT_BYTES("name_released"), claim.name);
    }
    return adit_ok();
}

struct adit_status adit_claims_hold(struct adit_door *door, uint32_t worker,
                                    struct adit_message *message)
{
    const struct adit_name_claim claim = claim_of(worker, message);
    const struct adit_names_time time = time_now(door);
    struct adit_name_answer answer = {0};
    struct adit_status status = adit_names_hold(&door->names, &claim, &time, &answer);
    if (adit_status_error(status) == ADIT_ERROR_FULL) {
        name_log(door, ADIT_LOG_ERROR, ADIT_BYTES("name_lost"), claim.name);
        return adit_ok(); /* not the worker's fault; the agent's next session claims it again */
    }
    ADIT_TRY(status);
    if (answer.must_probe) { /* the door died before it could evict this one */
        adit_door_worker_evict(door, &claim.owner);
        return adit_ok();
    }
    ADIT_ENSURE(answer.is_granted, INVALID, "no door has granted the name to this session");
    if (answer.is_replaced) {
        adit_door_worker_evict(door, &answer.old);
    }
    name_log(door, ADIT_LOG_INFO, ADIT_BYTES("name_returned"), claim.name);
    return adit_ok();
}

void adit_claims_worker_gone(struct adit_door *door, uint32_t worker)
{
    const struct adit_names_time time = time_now(door);
    uint32_t gone = adit_names_worker_gone(&door->names, worker, &time);
    if (gone > 0) {
        ADIT_LOG(&door->log, INFO, "names_in_grace", adit_log_number(ADIT_BYTES("names"), gone));
    }
}

static struct adit_status snapshot_apply(struct adit_door *door, int fd, uint64_t version,
                                         struct adit_span memory)
{
    struct adit_writer whole = adit_writer_of(memory);
    struct adit_snapshot snapshot = {0};
    uint32_t skipped = 0;
    ADIT_TRY(adit_file_read_fd(fd, &whole));
    ADIT_TRY(adit_snapshot_read(adit_writer_bytes(&whole), &snapshot));
    ADIT_ENSURE(snapshot.version == version, INVALID, "the snapshot is another than it is said");
    ADIT_TRY(adit_names_apply(&door->names, &snapshot, adit_clock_wall_ms() / 1000, &skipped));
    ADIT_LOG(&door->log, INFO, "snapshot_taken", adit_log_number(ADIT_BYTES("version"), version),
             adit_log_number(ADIT_BYTES("names"), door->names.entries.used),
             adit_log_number(ADIT_BYTES("skipped"), skipped));
    return adit_ok();
}

void adit_claims_snapshot(struct adit_door *door, struct adit_message *message)
{
    struct adit_span memory = {0};
    struct adit_message taken = {.type = ADIT_MESSAGE_SNAPSHOT_TAKEN,
                                 .version = message->version};
    int fd = adit_message_fd_take(message, 0);
    struct adit_status status = adit_memory_open(ADIT_SNAPSHOT_BYTES_MAX, 1, &memory);
    if (adit_is_ok(status)) {
        status = snapshot_apply(door, fd, message->version, memory);
    }
    adit_memory_close(&memory);
    adit_socket_close(&fd);
    if (adit_is_ok(status)) {
        door->snapshots_wanted -= door->snapshots_wanted > 0 ? 1 : 0;
        if (door->snapshots_wanted == 0) {
            claims_resume(door);
        }
        status = adit_channel_send(&door->supervisor, &taken);
    }
    adit_log_failure(&door->log, ADIT_LOG_ERROR, ADIT_BYTES("snapshot_kept"), status);
}

static struct adit_status lease_tell(struct adit_door *door, const struct adit_names_lease *lease)
{
    struct adit_message message = {.type = ADIT_MESSAGE_LEASE, .count = lease->is_used ? 1 : 0};
    ADIT_TRY(adit_message_text_set(&message.name, lease->name));
    ADIT_TRY(adit_message_text_set(&message.account, lease->account));
    return adit_channel_send(&door->supervisor, &message);
}

/* What does not leave now stays in its line; the channel's next WRITE goes on. */
void adit_claims_tell(struct adit_door *door)
{
    struct adit_names_lease lease = {0};
    while (door->supervisor.waiting < TELL_WAITING_MAX &&
           adit_names_say_next(&door->names, &lease)) {
        if (!adit_is_ok(lease_tell(door, &lease))) {
            return; /* the supervisor's end is seen by reading */
        }
        adit_names_said(&door->names);
    }
}
