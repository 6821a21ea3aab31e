"""Somebody else's traffic while something hostile happens: it must not notice a thing.

One HTTP connection, one TCP connection and one WebSocket, each of another account, each with a
counter and a running SHA-256 of what it sent and of what came back."""
import hashlib
import json
import threading
import time

from harness import Agent, Failure, Program, check, children, echo, pattern, receive_exactly, visit
from messages import Ended
from programs import Web
from visitors import Visitor

# How often a message through a tunnel waits for a processor where one without waits once: worker,
# agent, program, agent, worker, visitor.
HOPS = 6


def scheduled(pid):
    """(seconds that a process ran, seconds that it waited for a processor) so far."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
            ran, waited, _ = map(int, f.read().split())
        return ran / 1e9, waited / 1e9
    except OSError:
        return 0.0, 0.0


class Stream:
    """One of them: `turn(index)` sends and receives once."""

    def __init__(self, name, pause, turn):
        self.name = name
        self.pause = pause
        self.turn = turn
        self.count = 0
        self.wrong = None
        self.times = []
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.stop.is_set():
                message = pattern(self.count, 100 + self.count * 37 % 3000)
                begin = time.monotonic()
                back = self.turn(self.count, message)
                self.times.append((time.monotonic() - begin) * 1000)
                self.sent.update(message)
                self.got.update(back)
                if back != message:
                    self.wrong = f"other bytes came back for number {self.count}"
                    return
                self.count += 1
                self.stop.wait(self.pause)
        except (Ended, OSError, Exception) as error:  # whatever it is, it was hurt
            self.wrong = f"{type(error).__name__}: {error}"

    def p99(self, since=0):
        """Of a few hundred turns the slowest few may be the machine's: the limit allows for that."""
        times = sorted(self.times[since:])
        return times[int(len(times) * 0.99)] if times else 0.0


class Bystanders:
    """All of them, behind agents of the account `bystander`."""

    def __init__(self, server, baseline_s=1.0):
        self.server = server
        self.web, self.echo = Web(), Program(echo)
        token = server.token("--account", "bystander")
        self.agents = [Agent(server, self.web.port, kind="http", token=token, name="bystander"),
                       Agent(server, self.echo.port, token=token)]
        try:
            for agent in self.agents:
                agent.ready()
        except Failure:
            for thing in (*self.agents, self.web, self.echo):
                thing.end()
            raise
        self.http = Visitor(server, self.agents[0].host)
        self.socket = Visitor(server, self.agents[0].host).upgrade()
        self.tcp = visit(self.agents[1].port, 10)
        self.streams = [Stream("HTTP", 0.02, self._http), Stream("TCP", 0.02, self._tcp),
                        Stream("WebSocket", 0.05, self._websocket)]
        # How slow the machine is meanwhile: the same program, without a tunnel.
        self.beside = visit(self.echo.port, 30)
        self.witness = Stream("beside", 0.02, self._beside)
        time.sleep(baseline_s)
        self.before = [stream.p99() for stream in self.streams]
        self.since = [len(stream.times) for stream in self.streams]
        worker = children(server.process.pid).get("adit-worker")
        self.scheduled = {pid: scheduled(pid)
                          for pid in (worker, *(agent.process.pid for agent in self.agents))}

    def _http(self, index, message):
        answer = self.http.ask(f"/same/{index}", "POST", body=message)
        check(answer.status == 200, f"number {index} was answered {answer.start!r}")
        return answer.body

    def _tcp(self, _, message):
        self.tcp.sendall(message)
        return receive_exactly(self.tcp, len(message))

    def _beside(self, _, message):
        self.beside.sendall(message)
        return receive_exactly(self.beside, len(message))

    def _websocket(self, _, message):
        self.socket.echo(message)
        return message

    def slowness(self):
        """How many times longer the slowest of worker and agents took than it ran: others had the
        processors meanwhile."""
        slowest = 1.0
        for pid, (ran, waited) in self.scheduled.items():
            ran, waited = scheduled(pid)[0] - ran, scheduled(pid)[1] - waited
            slowest = max(slowest, (ran + waited) / ran if ran > 0 else 1.0)
        return slowest

    def wrong(self):
        """What hurt one of them so far, or None."""
        return next((f"{stream.name}: {stream.wrong}" for stream in self.streams if stream.wrong),
                    None)

    def finish(self, context=None, judges_time=True):
        everybody = (*self.streams, self.witness)
        for stream in everybody:
            stream.stop.set()
        for stream in everybody:
            stream.thread.join(15)
            check(not stream.thread.is_alive(), f"the bystander's {stream.name} stands still")
        check(self.wrong() is None, f"a bystander was hurt: {self.wrong()}")
        said, slowness = [], self.slowness()
        for stream, before, since in zip(self.streams, self.before, self.since):
            check(stream.count > 0, f"the bystander's {stream.name} did nothing")
            check(stream.sent.digest() == stream.got.digest(), "hashes differ")
            after = stream.p99(since)
            said.append(f"{stream.name} {stream.count}, p99 {before:.1f} -> {after:.1f} ms")
            most = (max(2 * before, before + 50) + HOPS * self.witness.p99()) * slowness
            enough = len(stream.times) - since >= 100  # of fewer it is the slowest alone
            check(not judges_time or not enough or after <= most,
                  f"the bystander's {stream.name} slowed from {before:.1f} to {after:.1f} ms (p99)")
        if context:
            context.say("bystanders: " + "; ".join(said) +
                        f"; without a tunnel {self.witness.p99():.1f} ms, slowed {slowness:.1f} times")

    def end(self):
        for stream in (*self.streams, self.witness):
            stream.stop.set()
        for thing in (self.http, self.socket, self.tcp, self.beside):
            thing.close()
        for thing in (*self.agents, self.web, self.echo):
            thing.end()


def heads(answer):
    """What the program saw, from the JSON of /echo."""
    return json.loads(answer.body)
