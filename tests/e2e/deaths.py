"""Each role of a server with two workers is killed, or stopped for a while, under load of every kind.
What may be lost is counted, and everything else compared byte for byte."""
import contextlib
import signal
import socket
import time

from crowd import Crowd
from family import Family, descendants
from harness import Agent, Stopwatch, check, is_running, running, wait_for
from visitors import fetch

STOPPED_S = 3.0
# Who waits for the one that is stopped does so nearly to its end; a busy machine takes less.
WAITED_S = STOPPED_S - 0.3


@contextlib.contextmanager
def loaded(context, before_s=0.7):
    """A server under load for a moment already."""
    server = Family(context, 2)
    with running(server), running(Crowd(server)) as (crowd,):
        load = crowd.load()
        try:
            time.sleep(before_s)
            yield server, crowd, load
        finally:
            for one in (*load.streams, *load.newcomers):
                one.stop.set()


@contextlib.contextmanager
def stopped(server, pid, seconds=STOPPED_S):
    """The process stands still meanwhile."""
    server.kill(pid, signal.SIGSTOP)
    try:
        yield time.monotonic() + seconds
    finally:
        server.kill(pid, signal.SIGCONT)


def killed(server, pid, words):
    """SIGKILL; when, and when the log of the others has these words once more, or the process has
    ended where there are none: what was handed to it until then may be lost with it."""
    before, begin = server.count(words or " "), time.monotonic()
    server.kill(pid)
    wait_for("it has ended", lambda: not is_running(pid))
    wait_for("the others have heard of it", lambda: not words or server.count(words) > before)
    return begin, time.monotonic()


def new_agent(server, token, name):
    """A known token binds; who is stopped goes on only afterwards."""
    begin = time.monotonic()
    with running(Agent(server, 1, kind="http", token=token, name=name)) as (agent,):
        agent.ready(8)
    return time.monotonic() - begin


def control(context):
    """Control killed, then stopped: no request fails, no stream notices, a known token binds."""
    with loaded(context) as (server, _, load):
        token = server.token("--account", "known")
        server.kill(server.pid("adit-control"))
        took = new_agent(server, token, "while-away")
        server.whole_again()
        with stopped(server, server.pid("adit-control")) as until:
            took = max(took, new_agent(server, token, "while-stopped"))
            time.sleep(max(0, until - time.monotonic()))
        time.sleep(0.5)
        load.finish().expect_whole()
        load.expect_served()
        context.say(f"{load.figures()}; a new agent was ready after {took:.2f} s")


def supervisor_stopped(context):
    """The supervisor stands still: nobody notices, and new agents log in."""
    with loaded(context) as (server, _, load):
        token = server.token("--account", "known")
        with stopped(server, server.process.pid) as until:
            new_agent(server, token, "no-supervisor")
            time.sleep(max(0, until - time.monotonic()))
        load.finish().expect_whole()
        load.expect_served()
        context.say(load.figures())


def door_killed(context):
    """The door dies: what is live goes on; who comes waits in the listen queue and is served; only
    what it was looking at is lost."""
    with loaded(context) as (server, _, load):
        old = server.pid("adit-door")
        begin, ended = killed(server, old, None)
        wait_for("a new door", lambda: old not in server.pids("adit-door") and
                 server.pids("adit-door"))
        time.sleep(1.5)
        load.finish().expect_whole()
        load.expect_served(between=(begin - 0.2, ended))
        lost = sum(len(one.failed) for one in load.newcomers)
        check(lost <= len(load.newcomers), f"{lost} newcomers were lost")
        server.whole_again()
        context.say(f"{load.figures()}; {lost} lost that the door was looking at")


def door_stopped(context):
    """The door stands still: what is live goes on, who comes waits."""
    with loaded(context) as (server, _, load):
        with stopped(server, server.pid("adit-door")) as until:
            time.sleep(max(0, until - time.monotonic()))
        time.sleep(0.7)
        load.finish().expect_whole()
        load.expect_served()
        slowest = max(stream.slowest_s for stream in load.streams)
        check(slowest < WAITED_S, f"a live stream waited {slowest:.1f} s for the door")
        context.say(f"{load.figures()}; slowest live turn {slowest:.2f} s")


def expect_cut(streams, watch, within_s=1.0):
    """Each was cut visibly, and soon. Python's TLS calls some resets a ragged end."""
    check(streams, "nothing ran there")
    for stream in streams:
        visible = ("reset",) if stream.name.startswith("TCP") else ("reset", "ragged")
        check(stream.how in visible, f"{stream.name}'s cut looks like {stream.how}")
        check(watch.own_s(stream.ended) < within_s,
              f"{stream.name} was cut after {stream.ended.begin - watch.begin:.1f} s")


def worker_killed(context):
    """One worker dies: its streams are reset, its agents are back within a second and meanwhile
    their visitors wait; nobody of the other worker notices."""
    with loaded(context) as (server, crowd, load):
        victim = load.a_worker()
        at = {agent: set(server.places(agent)) for agent in crowd.agents.values()}
        hers = [agent for agent in at if at[agent] == {victim}]
        watch = Stopwatch()
        begin, noticed = killed(server, victim, "event=worker_gone")
        back, slowest_s = [0.0], 0.0
        for agent in hers:
            agent.event("reconnected")
            back.append(watch.s())
            slowest_s = watch.own_s()
        time.sleep(1.5)
        load.finish()
        expect_cut(load.of(victim), watch)
        load.expect_whole(load.others(victim))
        load.expect_served(between=(begin - 0.2, noticed))
        lost = [how for one in load.newcomers if victim in at[one.agent] for _, how in one.failed]
        check(all(how in ("reset", "ragged") for how in lost), f"newcomers ended by {lost}")
        check(not any(one.failed for one in load.newcomers if victim not in at[one.agent]),
              "a newcomer of the other worker was hurt")
        # The last to come back shares two cores with all this load.
        check(slowest_s < 1.5, f"the agents were back after {max(back):.2f} s")
        server.whole_again()
        context.say(f"{load.figures()}; {len(load.of(victim))} streams and {len(lost)} newcomers "
                    f"cut; {len(hers)} agents back after {max(back):.2f} s")


def worker_stopped(context):
    """One worker stands still: what it has waits and then goes on whole; the other does not
    notice."""
    with loaded(context) as (server, _, load):
        victim = load.a_worker()
        with stopped(server, victim) as until:
            time.sleep(max(0, until - time.monotonic()))
        time.sleep(1)
        load.finish().expect_whole()
        load.expect_served()
        slowest = max(stream.slowest_s for stream in load.others(victim))
        check(slowest < WAITED_S, f"a stream of the other worker waited {slowest:.1f} s")
        context.say(f"{load.figures()}; slowest of the other worker {slowest:.2f} s")


def agent_killed(context):
    """An agent dies: its visitors are cut visibly, the others notice nothing; started again it has its
    name, and who came meanwhile was parked."""
    with loaded(context) as (server, crowd, load):
        victim = crowd.agents["http", 1]
        watch = Stopwatch()
        begin, noticed = killed(server, victim.process.pid, "event=session_close")
        time.sleep(0.3)
        again = Agent(server, crowd.web.port, kind="http", name=victim.name,
                      token=server.token("--account", "crowd"))
        crowd.things.append(again)
        crowd.agents["http", 1] = again.ready()
        time.sleep(1)
        load.finish()
        hers = [one for one in load.streams if one.name in ("HTTP 1.0", "HTTP 1.1", "WebSocket 1")]
        web = [one for one in hers if one.name.startswith("WebSocket")]
        expect_cut(web, watch)
        load.expect_whole([one for one in load.streams if one not in hers])
        for one in load.newcomers:
            check(one.name == "HTTP 1" or not one.failed, f"{one.name} was hurt: {one.failed[:2]}")
        late = [(round(when - begin, 2), how) for one in load.newcomers
                for when, how in one.failed if when > noticed]
        check(not late, f"who came while it was away: {late[:3]}")
        check(again.url == victim.url, "another address")
        check(fetch(server, again.host).status == 200, "its name does not answer")
        context.say(load.figures())


def agent_stopped(context):
    """An agent stands still: its own visitors wait and go on whole; nobody else notices."""
    with loaded(context) as (server, crowd, load):
        victim = crowd.agents["http", 0]
        pids = [pid for _, pid in descendants(victim.process.pid)]
        for pid in pids:
            server.kill(pid, signal.SIGSTOP)
        time.sleep(0.4)  # an agent that takes no stream within a second costs its visitor a 503
        for pid in pids:
            server.kill(pid, signal.SIGCONT)
        time.sleep(0.7)
        load.finish().expect_whole()
        load.expect_served()
        context.say(load.figures())


def supervisor_killed(context):
    """The supervisor dies: every role ends within 2 s, visitors are cut visibly, the ports are free."""
    with loaded(context) as (server, crowd, load):
        roles = descendants(server.process.pid)
        ports = [server.port, server.http_port, server.admin_port,
                 *(agent.port for (kind, _), agent in crowd.agents.items() if kind == "tcp")]
        watch = Stopwatch()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        wait_for("the roles have ended",
                 lambda: not any(is_running(pid) for _, pid in roles))
        took = watch.s()
        check(watch.own_s() < 2, f"the roles ended after {took:.1f} s")
        for port in ports:
            with socket.create_server(("127.0.0.1", port)):
                pass
        time.sleep(0.3)  # for each stream to take its next turn
        load.finish()
        expect_cut(load.streams, watch, 2.0)
        context.say(f"{len(roles)} processes had ended after {took:.2f} s")


TESTS = [control, supervisor_stopped, door_killed, door_stopped, worker_killed, worker_stopped,
         agent_killed, agent_stopped, supervisor_killed]
