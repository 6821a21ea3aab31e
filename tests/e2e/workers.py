"""Several workers: agents are spread over them, and it does not matter to anybody which has what."""
import contextlib
import os
import signal
import tempfile
import threading
import time

from bystanders import heads
from family import Family
from harness import (Agent, Program, Stopwatch, check, echo, free_port_block, pattern, receive_exactly,
                     running, visit, wait_for)
from messages import read_response
from programs import Tls, Web, turned
from raw_agent import SYN, RawAgent
from trouble import refused_with
from visitors import Visitor, fetch
from web import expect_error


@contextlib.contextmanager
def spread(server, program, names, **options):
    """An agent for each name, one account each; the workers take turns with them."""
    agents = []
    try:
        for name in names:
            token = server.token("--account", name)
            agents.append(Agent(server, program.port, kind="http", name=name, token=token,
                                **options))
            agents[-1].ready()
        yield agents
    finally:
        for agent in agents:
            agent.end()


def on_all(server, agents):
    """{worker: its agents}, where every worker must have one."""
    found = {}
    for agent in agents:
        found.setdefault(server.place(agent), []).append(agent)
    check(set(found) == set(server.pids("adit-worker")), f"agents only on {sorted(found)}")
    return found


def expect_unknown(server, host, **others):
    """404 for a name of nobody's, at once, however new the worker is."""
    expect_error(fetch(server, host, **others), 404, "tunnel_not_found")


def are_spread(context):
    """Agents go to the worker with the fewest; each worker answers for its own."""
    for workers in (2, 3):
        server = Family(context, workers)
        with running(server), running(Web()) as (program,):
            with spread(server, program, [f"even-{i}" for i in range(2 * workers)]) as agents:
                counted = list(server.counters("sessions").values())
                check(counted == [2] * workers, f"{counted} sessions on {workers} workers")
                on_all(server, agents)
                for _ in range(2):
                    for agent in agents:
                        answer = fetch(server, agent.host, f"/echo/{agent.name}")
                        check(answer.status == 200, f"{agent.name}: {answer.start!r}")
                        check(heads(answer)["target"] == f"/echo/{agent.name}", "another's answer")
                expect_unknown(server, f"nobody.adit.localhost:{server.port}")


def echo_works(s, times=20):
    for i in range(times):
        message = pattern(i, 8000)
        s.sendall(message)
        check(receive_exactly(s, len(message)) == message, "another echo")


def every_kind(context):
    """HTTP, TLS and TCP tunnels on each of two workers."""
    server = Family(context, 2)
    with running(server), tempfile.TemporaryDirectory() as folder, running(Web()) as (web,):
        with running(Program(echo)) as (plain,), contextlib.ExitStack() as stack:
            has, token = {"http": [], "tls": [], "tcp": []}, server.token()
            for kind in has:
                for side in (0, 1):
                    name, program = f"any-{kind}-{side}", {"http": web, "tcp": plain}.get(kind)
                    if kind == "tls":
                        os.mkdir(f"{folder}/{side}")
                        program = Tls(f"{folder}/{side}", f"{name}.adit.localhost", echo)
                        stack.enter_context(running(program))
                    agent = Agent(server, program.port, kind=kind, token=token,
                                  name=None if kind == "tcp" else name)
                    stack.enter_context(running(agent))
                    has[kind].append((agent.ready(), program))
            for kind, pairs in has.items():
                places = {server.place(agent) for agent, _ in pairs}
                check(len(places) == 2, f"both of kind {kind} are on one worker")
            for turn in range(3):
                for agent, _ in has["http"]:
                    with Visitor(server, agent.host) as visitor:
                        answer = visitor.ask("/same", "POST", body=turned(turn)[:300000])
                        check(answer.body == turned(turn)[:300000], "another body")
                        with Visitor(server, agent.host) as other:
                            other.upgrade().echo(pattern(turn, 70000))
                for agent, program in has["tls"]:
                    with program.visit(server.port, agent.host.split(":")[0]) as s:
                        echo_works(s)
                for agent, _ in has["tcp"]:
                    with visit(agent.port) as s:
                        echo_works(s)


def names_move(context):
    """An agent that comes back on another worker brings its name and port with it; a visitor who was
    on the old one is cut, and a new connection finds the new one."""
    server = Family(context, 2)
    with running(server), running(Web()) as (web,), running(Program(echo)) as (program,):
        token = server.token()
        with running(Agent(server, web.port, kind="http", name="moves", token=token),
                     Agent(server, program.port, token=token),
                     Agent(server, web.port, kind="http", name="stays", token=token)) as agents:
            for agent in agents:
                agent.ready()
            for agent in agents[:2]:
                wait_for("it has a session", lambda a=agent: server.places(a))
                old = server.place(agent)
                server.kill(old)
                wait_for("it is on another worker",
                         lambda a=agent, o=old: server.places(a) not in ([], [o]))
                server.whole_again()
            check(fetch(server, agents[0].host).status == 200, "its name does not answer")
            with visit(agents[1].port) as s:
                echo_works(s)
            for agent in (agents[0], agents[2]):
                check(fetch(server, agent.host).status == 200, f"{agent.name} does not answer")


def misdirected(context):
    """A visitor who uses one TLS connection for another host: served where the worker has it, 421
    where another has it, and then a new connection works."""
    server = Family(context, 2)
    with running(server), running(Web()) as (program,):
        with spread(server, program, ["one", "two", "three", "four"]) as agents:
            here, there = on_all(server, agents).values()
            with Visitor(server, here[0].host) as visitor:
                check(visitor.ask("/echo").status == 200, "its own host")
                answer = visitor.ask("/echo", host=here[1].host)
                check(answer.status == 200, f"another host of the same worker: {answer.start!r}")
                expect_error(visitor.ask("/echo", host=there[0].host), 421, "misdirected")
            with Visitor(server, here[0].host) as visitor:
                check(visitor.ask("/echo").status == 200, "its own host")
                answer = visitor.ask("/echo", host="elsewhere.test")
                check(answer.status in (404, 421), f"a host of nobody's: {answer.start!r}")
            for agent in agents:
                check(fetch(server, agent.host).status == 200, "a new connection does not help")


def plain_port(context):
    """HTTP at its own port: the door finds the worker by Host, also where it comes byte by byte."""
    server = Family(context, 2, mode="serve")
    with running(server), running(Web()) as (program,):
        with spread(server, program, ["left", "right"]) as agents:
            on_all(server, agents)
            hosts = [f"{agent.name}.adit.localhost:{server.http_port}" for agent in agents]
            for turn in range(4):
                for host in hosts:
                    with Visitor(server, host, plain=True) as visitor:
                        for i in range(3):
                            answer = visitor.ask(f"/echo/{turn}/{i}")
                            check(answer.status == 200, f"{host}: {answer.start!r}")
                            seen = {name.lower(): value for name, value in heads(answer)["fields"]}
                            check(seen["host"] == host, f"{seen}")
            for host in hosts:
                with Visitor(server, host, plain=True) as visitor:
                    for byte in f"GET /echo HTTP/1.1\r\nX-A: b\r\nHost: {host}\r\n\r\n".encode():
                        visitor.send(bytes([byte]))
                        time.sleep(0.001)
                    check(read_response(visitor).status == 200, "byte by byte")
            with Visitor(server, hosts[0], plain=True) as visitor:
                check(visitor.ask("/echo").status == 200, "its own host")
                expect_error(visitor.ask("/echo", host=hosts[1]), 421, "misdirected")
            expect_unknown(server, "nobody.adit.localhost", plain=True)
            with Visitor(server, hosts[0], plain=True) as visitor:
                visitor.send(b"GET / HTTP/1.1\r\n\r\n")
                check(read_response(visitor).status == 400, "a request without Host")
            with Visitor(server, hosts[0], plain=True) as visitor:
                visitor.send(b"GET / HTTP/1.1\r\nX: " + b"a" * 70000)
                check(read_response(visitor).status == 431, "a head without end")


def dashboard(context):
    """Its name is ours: a page says that there is none yet, with a code and nothing to retry."""
    server = Family(context, 2)
    with running(server):
        for _ in range(4):
            answer = fetch(server, f"dash.adit.localhost:{server.port}")
            check(answer.status == 404 and answer.get("adit-error") == "dashboard_missing"
                  and not answer.get("retry-after"), f"{answer.raw!r}")
        with running(Agent(server, 1, kind="http", name="dash")) as (agent,):
            refused_with(agent, "name_reserved")


def one_name_twice(context):
    """Two agents of one account want one name, or one port: the second is refused while the first
    lives, and has it within 1 to 2 s where the first is only silent."""
    server = Family(context, 2)
    with running(server), running(Web()) as (web,), running(Program(echo)) as (program,):
        token = server.token()
        for kind, behind, same in (("http", web, ("--name", "mine")), ("tcp", program, ())):
            with running(Agent(server, behind.port, *same, kind=kind, token=token)) as (first,):
                first.ready()
                code = "name_taken"
                if kind == "tcp":
                    same, code = ("--remote-port", str(first.port)), "port_taken"
                for _ in range(2):
                    with running(Agent(server, behind.port, *same, kind=kind,
                                       token=token)) as (second,):
                        refused_with(second, code)
                check(server.place(first), "the first lost its session")
                first.process.send_signal(signal.SIGSTOP)
                watch = Stopwatch()
                with running(Agent(server, behind.port, *same, kind=kind,
                                   token=token)) as (second,):
                    second.ready()
                    took = watch.s()
                    check(0.5 <= took and watch.own_s() <= 2.6, f"{kind}: it took {took:.1f} s")
                    context.say(f"{kind}: the silent one gave way after {took:.2f} s")
                    if kind == "http":
                        check(fetch(server, second.host).status == 200, "no answer")
                    else:
                        with visit(second.port) as s:
                            echo_works(s)


class Counting(RawAgent):
    """Counts the streams that visitors open, and resets each."""

    def __init__(self, server):
        super().__init__(server)
        self.opened = 0
        self.ending = None
        self.thread = None

    def listens(self):
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        seen = self.wire.exactly

        def counted(count):
            data = seen(count)
            if count == 12 and data[1] < 2 and data[3] & SYN:
                self.opened += 1
            return data
        self.wire.exactly = counted
        self.ending = self.how_ends()


def turns(context):
    """Two sessions of one agent, on two workers, own one name: visitors go to both in turn. A third
    with the slot of the first takes its place, and the first is ended."""
    server = Family(context, 2)
    with running(server):
        token, instance = server.token(), "ab" * 16
        sessions = []
        try:
            for slot in (0, 1):
                one = Counting(server)
                sessions.append(one)
                answer = one.login(token, instance=instance, slot=slot, features=["sessions"])
                check(answer["type"] == "welcome", f"{answer}")
                answer = one.bind(1, kind="http", name="both")
                check(answer["type"] == "bound", f"slot {slot}: {answer}")
            for one in sessions:
                one.wire.socket.settimeout(60)
                one.listens()
            host = f"both.adit.localhost:{server.port}"
            for _ in range(10):
                fetch(server, host)
            counts = [one.opened for one in sessions]
            check(min(counts) >= 4, f"visitors were shared {counts}")
            third = Counting(server)
            sessions.append(third)
            answer = third.login(token, instance=instance, slot=0, features=["sessions"])
            check(answer["type"] == "welcome", f"{answer}")
            answer = third.bind(1, kind="http", name="both")
            check(answer["type"] == "bound", f"the newer of slot 0: {answer}")
            wait_for("the older of slot 0 is ended", lambda: sessions[0].ending)
            check(sessions[1].ending is None, "slot 1 was ended too")
            third.listens()
            for _ in range(6):
                fetch(server, host)
            more = sessions[1].opened - counts[1]
            check(third.opened >= 2, f"then {third.opened} and {more}")
            # It went to the worker with fewer streams at that moment; one worker serves as it likes.
            is_apart = len({server.holder(one.wire.socket) for one in sessions[1:]}) == 2
            check(more > 0 or not is_apart, f"then {third.opened} and {more}, on two workers")
        finally:
            for one in sessions:
                one.end()


def busy_agent(context):
    """An agent with more traffic than one worker likes holds sessions on both, and new visitors go
    there too; nothing that runs is hurt."""
    server = Family(context, 2)
    with running(server), running(Web()) as (program,), running(
            Agent(server, program.port, kind="http", name="busy")) as (agent,):
        agent.ready()
        stop, wrong, count = threading.Event(), [], [0]

        def load():
            trust = server.trust()
            try:
                while not stop.is_set():
                    with Visitor(server, agent.host, context=trust, seconds=60) as visitor:
                        answer = visitor.ask("/down/length/32")
                        check(answer.digest == program.sent["/down/length/32"], "another hash")
                        count[0] += 1
            except Exception as error:  # whatever it is, it was hurt
                wrong.append(f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=load, daemon=True) for _ in range(6)]
        for thread in threads:
            thread.start()
        begin, most = time.monotonic(), 1
        while time.monotonic() - begin < 40 and most < 2 and not wrong:
            most = max(most, len(server.places(agent)))
            time.sleep(0.1)
        took = time.monotonic() - begin
        time.sleep(1)
        stop.set()
        for thread in threads:
            thread.join(30)
        check(not wrong, f"{len(wrong)} were hurt: {wrong[:2]}")
        check(most > 1, f"{count[0]} downloads, and it was never told to hold more sessions")
        context.say(f"{count[0]} downloads; after {took:.1f} s it had {most} sessions")


TESTS = [are_spread, every_kind, names_move, misdirected, plain_port, dashboard, one_name_twice,
         turns, busy_agent]
