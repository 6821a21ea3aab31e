"""SIGTERM: what runs is finished, nothing new begins, and then everything has ended; SIGHUP: nothing
is dropped."""
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time

from crowd import Crowd
from family import Family
from harness import (Agent, Program, Stopwatch, check, echo, receive_exactly, running, visit,
                     wait_for)
from messages import read_head
from programs import Web
from raw_agent import RawAgent
from visitors import Visitor
from web import certificate

DOWNLOAD_MIB = 20
SHORT_S = 8  # the download takes one of them, on a slow machine a few


def is_refused(port):
    try:
        visit(port, 1).close()
        return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False


def write_config(path, **values):
    """A configuration file; values as they stand."""
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f"{key}: {value}\n" for key, value in values.items())


class Busy:
    """A server with a slow download, events, a WebSocket, an idle visitor and a TCP connection."""

    def __init__(self, context, arguments=()):
        self.server = Family(context, 2, arguments)
        self.stack = contextlib.ExitStack()
        try:
            self._begin()
        except BaseException:
            self.end()
            raise

    def _begin(self):
        enter = self.stack.enter_context
        self.web, self.echo = enter(running(Web(), Program(echo)))
        token = self.server.token()
        self.agents = [Agent(self.server, self.web.port, kind="http", name="drained", token=token),
                       Agent(self.server, self.echo.port, token=token)]
        enter(running(*self.agents))
        for agent in self.agents:
            agent.ready()
        host = self.agents[0].host
        self.download, self.events, self.socket, self.idle = [
            enter(Visitor(self.server, host, seconds=60)) for _ in range(4)]
        self.tcp = enter(visit(self.agents[1].port, 60))
        self.download.request(f"/down/length/{DOWNLOAD_MIB}")
        self.events.request("/events")
        check(read_head(self.events).status == 200, "no events")
        self.socket.upgrade()
        check(self.idle.ask("/echo").status == 200, "no answer")
        self.tcp.sendall(b"hello")
        check(receive_exactly(self.tcp, 5) == b"hello", "a wrong echo")

    def event_arrives(self, text):
        self.web.events.put(text)
        size = int(self.events.until(b"\r\n"), 16)
        check(text in self.events.exactly(size).decode(), "another event")
        check(self.events.exactly(2) == b"\r\n", "a chunk has no end")

    def read_slowly(self, seconds):
        """The whole download, in so many seconds; checks its hash."""
        head = read_head(self.download)
        check(head.status == 200, f"{head.start!r}")
        left, digest, begin = DOWNLOAD_MIB << 20, hashlib.sha256(), time.monotonic()
        size = left
        while left:
            if not self.download.rest:
                self.download.more()
            piece, self.download.rest = self.download.rest[:left], b""
            digest.update(piece)
            left -= len(piece)
            ahead = (size - left) / size * seconds - (time.monotonic() - begin)
            time.sleep(max(0, ahead))
        check(digest.hexdigest() == self.web.sent[f"/down/length/{DOWNLOAD_MIB}"], "another hash")

    def ports(self):
        return [self.server.port, self.server.http_port]

    def end(self):
        for _ in range(2):
            with contextlib.suppress(AttributeError):
                self.web.events.put(None)
        self.stack.close()
        self.server.end()


def finishes(context):
    """A download goes on to its end, events and a WebSocket too, an idle visitor is let go, new ones
    are refused at once; when all is done the server ends, long before it would have to."""
    with running(Busy(context)) as (busy,):
        server = busy.server
        begin, watch = time.monotonic(), Stopwatch()
        server.process.send_signal(signal.SIGTERM)
        wait_for("new connections are refused", lambda: all(map(is_refused, busy.ports())))
        refused_s = watch.s()
        check(watch.own_s() < 1, f"new connections were refused after {refused_s:.1f} s")
        how = busy.idle.how_ends()
        check(how == "end", f"the idle visitor's connection ended by {how}")
        busy.event_arrives("during the drain")
        busy.socket.echo(b"during the drain")
        busy.tcp.sendall(b"still")
        check(receive_exactly(busy.tcp, 5) == b"still", "the TCP connection was hurt")
        busy.read_slowly(2.5)
        check(server.process.popen.poll() is None, "it ended too early")
        busy.event_arrives("after the download")
        busy.web.events.put(None)
        check(busy.events.until(b"\r\n\r\n") == b"0", "the events have no end")
        busy.socket.echo(b"at the end")
        busy.socket.close()
        busy.tcp.shutdown(socket.SHUT_WR)
        check(busy.tcp.recv(1) == b"", "the TCP connection has no end")
        busy.tcp.close()
        last, watch = time.monotonic(), Stopwatch()
        code = server.process.wait()
        check(code == 0, f"exit code {code}")
        took = watch.s()
        check(watch.own_s() < 3, f"it ended {took:.1f} s after the last visitor")
        context.say(f"new ones were refused after {refused_s:.2f} s; it ended {took:.2f} s after the "
                    f"last visitor, {last - begin:.1f} s after SIGTERM")


def agents_are_told(context):
    """An agent of a server that ends is told, waits, and is there for the next one."""
    server = Family(context, 2)
    with running(server), running(Web()) as (program,), running(
            Agent(server, program.port, kind="http", name="patient"),
            RawAgent(server).welcomed(server.token())) as (agent, raw):
        agent.ready()
        server.process.send_signal(signal.SIGTERM)
        watch = Stopwatch()
        told = raw.hear()
        check(told["type"] == "drain" and told["seconds"] == 30, f"an agent was told {told}")
        agent.event("disconnected")
        code = server.process.wait()
        took = watch.s()
        check(code == 0, f"exit code {code}")
        check(watch.own_s() < 2, f"an idle server took {took:.1f} s to end")
        server.start()
        begin = time.monotonic()
        agent.event("reconnected")
        context.say(f"an idle server ended in {took:.2f} s; its agent was at the next one "
                    f"{time.monotonic() - begin:.2f} s after that served")


def cut_at_the_end(context):
    """What is not done when the time is over is cut visibly, and the exit code is 0."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        write_config(f"{folder}/adit.yaml", drain=f"{SHORT_S}s")
        with running(Busy(context, ("--config", f"{folder}/adit.yaml"))) as (busy,):
            begin, watch = time.monotonic(), Stopwatch()
            busy.server.process.send_signal(signal.SIGTERM)
            busy.read_slowly(1)
            busy.socket.echo(b"nearly")
            for name, visitor in (("WebSocket", busy.socket), ("events", busy.events)):
                how = visitor.how_ends()
                check(how in ("reset", "ragged"), f"the {name}'s cut looks like {how}")
            took = watch.s()
            check(SHORT_S - 0.5 <= took and watch.own_s() <= SHORT_S + 1.5, f"they were cut after {took:.1f} s")
            code = busy.server.process.wait()
            check(code == 0, f"exit code {code}")
            context.say(f"cut after {took:.2f} s, ended after {time.monotonic() - begin:.2f} s")


def second_signal(context):
    """A second SIGTERM ends at once."""
    with running(Busy(context)) as (busy,):
        busy.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        busy.socket.echo(b"still here")
        pids = [pid for name in ("adit-worker", "adit-door", "adit-control")
                for pid in busy.server.pids(name)]
        watch = Stopwatch()
        busy.server.process.send_signal(signal.SIGTERM)
        code = busy.server.process.wait()
        check(code == 0, f"exit code {code}")
        check(watch.own_s() < 1, f"it took {watch.s():.1f} s")
        check(not any(os.path.exists(f"/proc/{pid}") for pid in pids), "a role is left")
        how = busy.socket.how_ends()
        check(how in ("reset", "ragged"), f"the WebSocket's cut looks like {how}")


def reload_of_all(context):
    """SIGHUP with another certificate and another configuration, under load of every kind on both
    workers: nothing is dropped."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for number in (1, 2):
            certificate(folder, number)
        both = b"".join(open(f"{folder}/{number}.pem", "rb").read() for number in (1, 2))
        for ending in ("pem", "key"):
            shutil.copy(f"{folder}/1.{ending}", f"{folder}/now.{ending}")
        config = {"cert": f"{folder}/now.pem", "key": f"{folder}/now.key", "name_hold": "30d"}
        write_config(f"{folder}/adit.yaml", **config)
        server = Family(context, 2, ("--config", f"{folder}/adit.yaml"))
        with running(server):
            with open(f"{server.data}/ca.pem", "wb") as f:
                f.write(both)  # what agents and visitors of the test trust
            with running(Crowd(server)) as (crowd,):
                load = crowd.load()
                for turn in range(4):
                    for ending in ("pem", "key"):
                        shutil.copy(f"{folder}/{1 + (turn + 1) % 2}.{ending}",
                                    f"{folder}/now.{ending}")
                    write_config(f"{folder}/adit.yaml", **{**config, "name_hold": f"{31 + turn}d"})
                    server.process.send_signal(signal.SIGHUP)
                    wait_for("both workers take it",
                             lambda t=turn: server.count("credentials_renewed") == 2 * (t + 1))
                    time.sleep(0.3)
                with open(f"{folder}/adit.yaml", "a", encoding="utf-8") as f:
                    f.write("no such key: 1\n")
                server.process.send_signal(signal.SIGHUP)
                time.sleep(0.5)
                load.finish().expect_whole()
                load.expect_served()
                trust = ssl.create_default_context(cafile=f"{server.data}/ca.pem")
                agent = crowd.agents["http", 0]
                with Visitor(server, agent.host, context=trust) as visitor:
                    check(visitor.ask("/echo").status == 200, "a broken file did harm")
                context.say(f"{load.figures()} over 5 signals")


TESTS = [finishes, agents_are_told, cut_at_the_end, second_signal, reload_of_all]
