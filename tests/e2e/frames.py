"""WebSocket frames of every family through a tunnel: what a known good server makes of them must be what
it makes of them without one. Case 139."""
import collections
import hashlib
import os
import queue
import socket
import threading

from frame_cases import CLOSE, MIB, all_cases, frame
from harness import HERE, Agent, Failure, Process, Server, check, running, visit
from messages import ACCEPT, Ended, Wire, read_head, read_raw_frame, upgrade_request

PYTHON = "/usr/bin/python3"  # Debian's, which has python3-websockets
ROUNDS_MAX = 6               # a server that answers now so, now so, is asked again, both ways
PATIENCE_S = 20


class Client:
    """One connection that has been upgraded. Frames are gathered by a thread; the server's close is
    answered, as a good client does."""

    def __init__(self, raw, host, offer):
        self.raw = raw
        self.raw.settimeout(PATIENCE_S)
        self.wire = Wire(raw)
        self.frames = []
        self.has_closed = False
        self.turn = threading.Condition()
        self.ended = None
        extra = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
        self.raw.sendall(upgrade_request(host, "/echo", extra))
        head = read_head(self.wire)
        check(head.status == 101 and head.get("sec-websocket-accept") == ACCEPT,
              f"no upgrade: {head.start!r}")
        self.agreed = head.get("sec-websocket-extensions", "")
        self.thread = threading.Thread(target=self._gather, daemon=True)
        self.thread.start()

    def _gather(self):
        try:
            while True:
                first, mask, payload = read_raw_frame(self.wire)
                shown = payload if len(payload) <= 130 else hashlib.sha256(payload).hexdigest()
                if first & 0xf == CLOSE and not self.has_closed:
                    self.send(frame(CLOSE, payload[:2]))
                with self.turn:
                    self.frames.append((first, mask, len(payload), shown))
                    self.turn.notify()
        except TimeoutError:
            ended = "silence"
        except (Ended, OSError):  # the end, or a reset: which of them is a race of the server's
            ended = "end"
        with self.turn:
            self.ended = ended
            self.turn.notify()

    def send(self, data, chop=0):
        try:
            for at in range(0, len(data), chop or len(data)):
                self.raw.sendall(data[at:at + chop] if chop else data)
        except OSError:
            pass  # the server has closed: what it said before counts

    def play(self, case):
        """The verdict: the extension agreed on, every message in order, every control frame in order,
        and how it ended. Whether a
        pong overtakes a message is the server's scheduling."""
        for step in case.steps:
            if isinstance(step, bytes):
                self.has_closed |= step[0] & 0xf == CLOSE
                self.send(step, case.chop)
                continue
            with self.turn:
                self.turn.wait_for(lambda step=step: self.ended or len(self.frames) >= step, PATIENCE_S)
        with self.turn:
            self.turn.wait_for(lambda: self.ended, PATIENCE_S)
            kinds = [[shown for shown in self.frames if bool(shown[0] & 8) == is_control]
                     for is_control in (False, True)]
            return (self.agreed, *map(tuple, kinds), self.ended or "silence")

    def end(self):
        self.raw.close()


def verdict_of(raw, host, case):
    try:
        client = Client(raw, host, case.offer)
        return client.play(case)
    finally:
        raw.close()


def direct_once(port, case):
    raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return verdict_of(raw, f"127.0.0.1:{port}", case)


def tunnelled_once(server, agent, case):
    """By the port without TLS: Python's TLS cannot be read and written by two threads."""
    return verdict_of(visit(server.http_port, PATIENCE_S), agent.host, case)


def judge(server, agent, port, case):
    """None, or what is other through the tunnel."""
    direct, through = set(), set()
    for _ in range(ROUNDS_MAX):
        direct.add(direct_once(port, case))
        through.add(tunnelled_once(server, agent, case))
        same = direct & through
        if same:
            check(all(verdict[-1] == "end" for verdict in same), "the server itself never ends it")
            check(all(bool(verdict[0]) == case.is_agreed for verdict in same),
                  f"the server itself agrees on {[verdict[0] for verdict in same]}")
            return None
    return f"direct {direct}, through the tunnel {through}"


def echo_port(process):
    try:
        return int(process.arrived.get(timeout=20))
    except (queue.Empty, ValueError):
        raise Failure(f"no echo server (python3-websockets): {process.lines[-2:]}") from None


def verdicts(context):
    """Every case, to the known good server directly and through the tunnel: the same verdict."""
    server = Server(context.build, context.server.sandbox, mode="serve")
    most = 16 * MIB if context.is_long else MIB
    counts = collections.Counter()
    process = Process([PYTHON, os.path.join(HERE, "echo_server.py")])

    class Ending:
        def end(self):
            process.end()

    with running(server, Ending()):
        port = echo_port(process)
        with running(Agent(server, port, kind="http")) as (agent,):
            agent.ready()
            for family, case in all_cases(most):
                wrong = judge(server, agent, port, case)
                check(wrong is None, f"{family}: {case.name}: {wrong}"[:1500])
                counts[family] += 1
    context.say(f"{sum(counts.values())} cases: "
                + ", ".join(f"{family} {count}" for family, count in counts.items()))


TESTS = [verdicts]
