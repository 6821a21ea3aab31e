/* Counters: what a role tells of itself in STATUS, as one table a role. A row is an index into the
 * values of the message and a metric of `GET /metrics`: add rows at the end of a table.
 *
 * ROW(NAME, metric, GAUGE or COUNTER, help). A GAUGE is what there is now, a COUNTER a total since
 * the role's start. */
#ifndef ADIT_IPC_COUNTERS_H
#define ADIT_IPC_COUNTERS_H

#define ADIT_COUNTERS_DOOR(ROW)                                                                 \
    ROW(PENDING, "adit_door_pending", GAUGE, "Connections being looked at, or waiting.")        \
    ROW(ACCEPTED, "adit_door_accepted_total", COUNTER, "Connections accepted.")                 \
    ROW(DROPPED, "adit_door_dropped_total", COUNTER, "Connections turned away by the door.")    \
    ROW(PORTS, "adit_door_ports", GAUGE, "Ports of TCP tunnels in use or in their grace.")      \
    ROW(NAMES, "adit_door_names", GAUGE, "Names in use, or held for their accounts.")           \
    ROW(SNAPSHOT, "adit_door_snapshot", GAUGE, "Version of the snapshot that the door acts by.")\
    ROW(PARKED, "adit_door_parked", GAUGE, "Visitors that wait for an agent to come back.")

#define ADIT_COUNTERS_WORKER(ROW)                                                               \
    ROW(SESSIONS, "adit_sessions", GAUGE, "Sessions of agents.")                                \
    ROW(STREAMS, "adit_streams", GAUGE, "Streams to agents.")                                   \
    ROW(TUNNELS, "adit_tunnels", GAUGE, "Tunnels bound.")                                       \
    ROW(CHUNKS, "adit_chunks", GAUGE, "Chunks of queued bytes.")                                \
    ROW(LOGINS, "adit_logins_total", COUNTER, "Agents that logged in.")                         \
    ROW(LOGINS_REFUSED, "adit_logins_refused_total", COUNTER, "Agents that were refused.")      \
    ROW(EVICTIONS, "adit_evictions_total", COUNTER, "Sessions that gave way to a newer one.")   \
    ROW(VISITORS, "adit_visitors_total", COUNTER, "Visitors of TCP and TLS tunnels.")           \
    ROW(TURNED_AWAY, "adit_visitors_turned_away_total", COUNTER, "Visitors without a stream.")  \
    ROW(ORPHANS, "adit_orphans_total", COUNTER, "Connections that nobody owns.")                \
    ROW(TO_VISITORS, "adit_bytes_to_visitors_total", COUNTER, "Bytes from agents to visitors.") \
    ROW(FROM_VISITORS, "adit_bytes_from_visitors_total", COUNTER, "Bytes from visitors.")       \
    ROW(WEB_NOW, "adit_http_connections", GAUGE, "HTTP connections of visitors.")               \
    ROW(WEB, "adit_http_connections_total", COUNTER, "HTTP connections accepted.")              \
    ROW(REQUESTS, "adit_http_requests_total", COUNTER, "HTTP requests passed on.")              \
    ROW(HTTP_ERRORS, "adit_http_errors_total", COUNTER, "HTTP requests that we answered.")      \
    ROW(UPGRADES, "adit_http_upgrades_total", COUNTER, "HTTP connections upgraded (WebSocket).")\
    ROW(SNAPSHOT, "adit_worker_snapshot", GAUGE, "Version of the snapshot of this worker.")     \
    ROW(POLL_HITS, "adit_poll_hits_total", COUNTER, "Polls that an event ended.")               \
    ROW(POLL_MISSES, "adit_poll_misses_total", COUNTER, "Polls in vain, followed by sleep.")    \
    ROW(POLL_CROWDS, "adit_poll_crowds_total", COUNTER, "Polls given up: others need the core.")\
    ROW(POLL_US, "adit_poll_microseconds_total", COUNTER, "Time spent polling.")                   \
    ROW(WAITS, "adit_visitor_waits_total", COUNTER, "Times that visitors waited for a stream.")

enum adit_counter_door {
#define ADIT_COUNTER_ENUM(NAME, metric, kind, help) ADIT_COUNTER_DOOR_##NAME,
    ADIT_COUNTERS_DOOR(ADIT_COUNTER_ENUM)
#undef ADIT_COUNTER_ENUM
};
#define ADIT_COUNTERS_DOOR_COUNT (ADIT_COUNTER_DOOR_PARKED + 1)

enum adit_counter_worker {
#define ADIT_COUNTER_ENUM(NAME, metric, kind, help) ADIT_COUNTER_WORKER_##NAME,
    ADIT_COUNTERS_WORKER(ADIT_COUNTER_ENUM)
#undef ADIT_COUNTER_ENUM
};
#define ADIT_COUNTERS_WORKER_COUNT (ADIT_COUNTER_WORKER_WAITS + 1)

#endif
