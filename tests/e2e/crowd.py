"""Traffic of every kind over every worker, counted and hashed: for tests that hurt a process under
load and say exactly who may notice."""
import errno
import hashlib
import os
import ssl
import tempfile
import threading
import time

from harness import Agent, Failure, Program, Stopwatch, check, echo, pattern, receive_exactly, visit
from messages import Ended
from programs import Tls, Web
from visitors import Visitor


def ending(error):
    """How a connection ended for its visitor: reset, ragged, end, timeout, refused or else."""
    if isinstance(error, Ended):
        return error.how
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLEOFError):
        return "ragged"
    if isinstance(error, Failure) and "ended" in str(error):
        return "end"
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return "reset"
    return f"{type(error).__name__}: {error}"


class Stream:
    """One connection that sends and compares again and again, until it is stopped or hurt.
    `worker`: who has it."""

    def __init__(self, name, worker, turn, close):
        self.name, self.worker = name, worker
        self.turn, self.close = turn, close
        self.count, self.slowest_s = 0, 0.0
        self.how = None             # how it ended, where it did before its time
        self.ended = None           # when, as a Stopwatch
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.stop.is_set():
                message = pattern(self.count, 100 + self.count * 37 % 9000)
                begin = time.monotonic()
                back = self.turn(self.count, message)
                self.slowest_s = max(self.slowest_s, time.monotonic() - begin)
                self.sent.update(message)
                self.got.update(back)
                check(back == message, "other bytes came back")
                self.count += 1
                self.stop.wait(0.01)
        except Exception as error:  # whatever it is, it was hurt
            self.how, self.ended = ending(error), Stopwatch()
        finally:
            self.close()

    def is_whole(self):
        return self.how is None and self.count > 0 and self.sent.digest() == self.got.digest()


class Newcomers:
    """Visitors that come one after another, each on a connection of its own, each asking once."""

    def __init__(self, name, agent, visit_once):
        self.name, self.agent = name, agent
        self.visit_once = visit_once
        self.served = []            # (when it came, how long it took)
        self.failed = []            # (when it came, how)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        index = 0
        while not self.stop.is_set():
            begin, message = time.monotonic(), pattern(index, 2000)
            try:
                check(self.visit_once(index, message) == message, "other bytes came back")
                self.served.append((begin, time.monotonic() - begin))
            except Exception as error:  # whatever it is, it was not served
                self.failed.append((begin, ending(error)))
            index += 1
            self.stop.wait(0.02)

    def slowest_s(self):
        return max((took for _, took in self.served), default=0.0)


class Crowd:
    """For each worker an agent of each kind: HTTP, TCP and TLS."""

    def __init__(self, server):
        self.server = server
        self.folder = tempfile.TemporaryDirectory()
        self.web, self.echo = Web(), Program(echo)
        self.things, self.agents = [self.web, self.echo], {}   # {(kind, side): agent}
        self.tls = {}
        token = server.token("--account", "crowd")
        try:
            for kind in ("http", "tcp", "tls"):
                for side in range(server.workers):
                    self._add(kind, side, token)
        except BaseException:
            self.end()
            raise

    def _add(self, kind, side, token):
        name = f"crowd-{kind}-{side}"
        program = {"http": self.web, "tcp": self.echo}.get(kind)
        if kind == "tls":
            os.mkdir(f"{self.folder.name}/{side}")
            program = self.tls[side] = Tls(f"{self.folder.name}/{side}", f"{name}.adit.localhost", echo)
            self.things.append(program)
        agent = Agent(self.server, program.port, kind=kind, token=token,
                      name=None if kind == "tcp" else name)
        self.things.append(agent)
        self.agents[kind, side] = agent.ready()

    def load(self):
        return Load(self)

    def end(self):
        for thing in reversed(self.things):
            thing.end()
        self.folder.cleanup()


class Load:
    """Of each agent: a stream (HTTP two and a WebSocket), and visitors who come anew."""

    def __init__(self, crowd):
        self.crowd, self.server = crowd, crowd.server
        self.trust = self.server.trust()
        self.streams, self.newcomers = [], []
        for (kind, side), agent in crowd.agents.items():
            getattr(self, f"_{kind}")(agent, side)

    def _add(self, name, turn, s):
        self.streams.append(Stream(name, self.server.holder(s), turn, s.close))

    def _http(self, agent, side):
        def ask(visitor, index, message):
            answer = visitor.ask(f"/same/{index}", "POST", body=message)
            check(answer.status == 200, f"answered {answer.start!r}")
            return answer.body

        def once(index, message):
            with Visitor(self.server, agent.host, context=self.trust, seconds=15) as visitor:
                return ask(visitor, index, message)

        for number in range(2):
            visitor = Visitor(self.server, agent.host, context=self.trust, seconds=15)
            self._add(f"HTTP {side}.{number}",
                      lambda index, message, v=visitor: ask(v, index, message), visitor.socket)
        socket = Visitor(self.server, agent.host, context=self.trust, seconds=15).upgrade()

        def echoed(_, message):
            socket.echo(message)
            return message
        self._add(f"WebSocket {side}", echoed, socket.socket)
        self.newcomers.append(Newcomers(f"HTTP {side}", agent, once))

    def _plain(self, name, agent, connect):
        def turn(s, message):
            s.sendall(message)
            return receive_exactly(s, len(message))

        def once(_, message):
            with connect() as s:
                return turn(s, message)
        live = connect()
        self._add(name, lambda _, message: turn(live, message), live)
        self.newcomers.append(Newcomers(name, agent, once))

    def _tcp(self, agent, side):
        self._plain(f"TCP {side}", agent, lambda: visit(agent.port, 15))

    def _tls(self, agent, side):
        host = agent.host.split(":")[0]
        self._plain(f"TLS {side}", agent,
                    lambda: self.crowd.tls[side].visit(self.server.port, host, 15))

    def a_worker(self):
        """One that has the first of the streams."""
        return self.streams[0].worker

    def of(self, worker):
        return [stream for stream in self.streams if stream.worker == worker]

    def others(self, worker):
        return [stream for stream in self.streams if stream.worker != worker]

    def finish(self):
        """Ends all; everybody must be at an end within a while."""
        for one in (*self.streams, *self.newcomers):
            one.stop.set()
        for one in (*self.streams, *self.newcomers):
            one.thread.join(20)
            check(not one.thread.is_alive(), f"{one.name} stands still")
        return self

    def expect_whole(self, streams=None):
        """These ended only now, with equal hashes."""
        hurt = [f"{one.name}: {one.how or 'did nothing'} after {one.count}"
                for one in (self.streams if streams is None else streams) if not one.is_whole()]
        check(not hurt, f"{len(hurt)} streams were hurt: {hurt[:4]}")

    def expect_served(self, between=None):
        """Newcomers were all served; `between`: those who came then may have been cut."""
        first, last = between or (0, 0)
        bad = [(one.name, round(when - first, 3), how) for one in self.newcomers
               for when, how in one.failed if not first <= when <= last]
        check(not bad, f"{len(bad)} newcomers were not served: {bad[:4]}")
        check(all(one.served for one in self.newcomers), "a newcomer never came")

    def figures(self):
        turns = sum(stream.count for stream in self.streams)
        served = sum(len(one.served) for one in self.newcomers)
        slowest = max(one.slowest_s() for one in self.newcomers)
        return f"{turns} turns of {len(self.streams)} streams, {served} newcomers " \
               f"(slowest {slowest:.2f} s)"
