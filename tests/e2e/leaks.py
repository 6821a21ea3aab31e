"""After many sessions, binds and deaths every process is as it was: descriptors, memory, streams."""
import threading
import time

from family import Family
from harness import (Agent, Program, check, echo, fd_count, is_running, receive_exactly, rss_kib,
                     running, visit, wait_for)
from programs import Web
from raw_agent import RawAgent
from visitors import Visitor, fetch

# (in ./test, with --long)
SESSIONS = (200, 10000)
BINDS = (200, 10000)
DEATHS = (4, 1000)
CROWD = (600, 3000)     # visitors over TLS at once
BINDS_A_SESSION = 100  # more, and faster, and it would be refused for flooding

# Memory that may stay: pages touched for the first time, and what malloc keeps.
GROWN_KIB = 1500
CROWD_KIB = 12         # that each of a crowd takes while it is there, at least
GIVEN_BACK_S = 60      # and within which most of that is given back
GAUGES = ("sessions", "streams", "tunnels", "chunks", "web_now")


def count_of(context, pair):
    return pair[1] if context.is_long else pair[0]


class Books:
    """What each process held at one moment."""

    def __init__(self, server):
        self.server = server
        self.roles = {name: server.pids(name) for name in ("adit-control", "adit-door",
                                                           "adit-worker")}
        self.roles["aditd"] = [server.process.pid]
        self.fds, self.rss = self._now(fd_count), self._now(rss_kib)
        self.gauges = self._gauges()

    def _now(self, ask):
        """Of all processes of a role together: agents may have moved between workers."""
        return {name: sum(ask(pid) for pid in pids) for name, pids in self.roles.items()}

    def _gauges(self):
        sums = dict.fromkeys(GAUGES, 0)
        for role in self.server.status()["roles"]:
            for gauge in GAUGES:
                sums[gauge] += role["counters"].get(gauge, 0)
        return sums

    def differences(self):
        """What is more now than it was; empty where nothing is."""
        now = Books(self.server)
        found = [f"{name}: {now.fds[name]} descriptors, were {count}"
                 for name, count in self.fds.items() if now.fds[name] > count]
        return found + [f"{gauge}: {now.gauges[gauge]}, were {count}"
                        for gauge, count in self.gauges.items() if now.gauges[gauge] > count]

    def expect_same(self, grown_kib=GROWN_KIB, seconds=15):
        end = time.monotonic() + seconds
        while (found := self.differences()) and time.monotonic() < end:
            time.sleep(0.2)
        check(not found, f"after {seconds} s: {found}")
        now = Books(self.server).rss
        growth = {name: now[name] - kib for name, kib in self.rss.items()}
        name = max(growth, key=growth.get)
        # Sanitizers, which run without the sandbox, keep what was given back.
        check(growth[name] <= grown_kib or not self.server.sandbox, f"{name} grew by {growth[name]} KiB")
        return f"{name} grew most, by {growth[name]} KiB"


def one_round(server, token, count):
    """So many sessions, each with a tunnel, four at a time."""
    wrong = []

    def some(number):
        try:
            for _ in range(number):
                agent = RawAgent(server).welcomed(token)
                answer = agent.bind(1, kind="tcp")
                check(answer["type"] == "bound", f"{answer}")
                agent.say(type="unbind", bind=1)
                agent.end()
        except Exception as error:  # whatever it is, it counts
            wrong.append(f"{type(error).__name__}: {error}")
    threads = [threading.Thread(target=some, args=(count // 4,), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not wrong, f"{len(wrong)} of 4 broke off: {wrong[:2]}")


def sessions(context):
    """Agents that come, bind, and go."""
    server = Family(context, 2)
    with running(server):
        token, count = server.token(), count_of(context, SESSIONS)
        one_round(server, token, 40)
        wait_for("they are gone", lambda: sum(server.counters("sessions").values()) == 0)
        books, begin = Books(server), time.monotonic()
        one_round(server, token, count)
        took = time.monotonic() - begin
        context.say(f"{count} sessions in {took:.1f} s: {books.expect_same()}")


def binds(context):
    """Sessions that ask for many names and ports and give them back."""
    server = Family(context, 2)
    with running(server):
        token = server.token()

        def some(count):
            for first in range(0, count, BINDS_A_SESSION):
                agent = RawAgent(server).welcomed(token)
                for i in range(first, first + BINDS_A_SESSION):
                    kind = {"kind": "tcp"} if i % 2 else {"kind": "http", "name": f"n-{i % 50}"}
                    answer = agent.bind(i + 1, **kind)
                    check(answer["type"] == "bound", f"bind {i}: {answer}")
                    agent.say(type="unbind", bind=i + 1)
                agent.end()
        count = count_of(context, BINDS)
        some(BINDS_A_SESSION)
        wait_for("it is gone", lambda: sum(server.counters("sessions").values()) == 0)
        books, begin = Books(server), time.monotonic()
        some(count)
        took = time.monotonic() - begin
        context.say(f"{count} binds in {took:.1f} s: {books.expect_same()}")


def deaths(context):
    """Workers that die again and again, under agents and visitors: the other roles do not grow, and
    it is the same each time. One is left alive each time; each restart waits longer."""
    workers = 8 if context.is_long else 2
    server = Family(context, workers)
    with running(server), running(Web()) as (web,), running(Program(echo)) as (program,):
        token, count, died = server.token(), count_of(context, DEATHS), 0

        def kill_some():
            """All but the one that was started last; agents of their own each time, since those
            that are cut again and again wait longer each time."""
            with running(Agent(server, web.port, kind="http", name="mortal", token=token),
                         Agent(server, program.port, token=token)) as agents:
                for agent in agents:
                    agent.ready()
                check(fetch(server, agents[0].host).status == 200, "no answer")
                with visit(agents[1].port) as s:
                    s.sendall(b"hello")
                    check(receive_exactly(s, 5) == b"hello", "a wrong echo")
                    pids = server.pids("adit-worker")[:workers - 1]
                    for pid in pids:
                        server.kill(pid)
                    wait_for("they have ended", lambda: not any(map(is_running, pids)))
            server.whole_again(20)
            return len(pids)

        kill_some()
        books = Books(server)
        while died < count:
            died += kill_some()
        context.say(f"{died} deaths: {books.expect_same(GROWN_KIB * workers)}")



def crowd(context):
    """Many visitors at once, who go: the worker's memory goes back to the system."""
    server = Family(context, 1)
    with running(server), running(Web()) as (web,):
        with running(Agent(server, web.port, kind="http", name="crowd")) as (agent,):
            host, trust = agent.ready().host, server.trust()
            for _ in range(20):
                check(fetch(server, host, context=trust).status == 200, "no answer")
            worker, count = server.pids("adit-worker")[0], count_of(context, CROWD)
            before, visitors = rss_kib(worker), []
            try:
                for _ in range(count):
                    visitors.append(Visitor(server, host, context=trust))
                check(visitors[-1].ask().status == 200, "no answer")
                taken = rss_kib(worker) - before
            finally:
                for visitor in visitors:
                    visitor.close()
            begin = time.monotonic()
            if server.sandbox:  # sanitizers keep what was given back
                check(taken > count * CROWD_KIB, f"{count} visitors took {taken} KiB")
                wait_for("their memory is given back",
                         lambda: rss_kib(worker) - before < taken // 4, GIVEN_BACK_S)
            took = time.monotonic() - begin
            check(fetch(server, host, context=trust).status == 200, "no answer")
            context.say(f"{count} took {taken} KiB, and after {took:.0f} s "
                        f"{rss_kib(worker) - before} KiB")


TESTS = [sessions, binds, deaths, crowd]
