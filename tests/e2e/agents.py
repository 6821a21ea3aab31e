"""The agent: through a proxy, with a key log, on a terminal, and how it ends."""
import base64
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import fcntl
import termios

from harness import (Agent, Failure, Program, Server, check, echo, dead_port, receive_exactly,
                     running, visit, wait_for)
from messages import Ended, Wire, read_head
from programs import Web
from visitors import Visitor, fetch
from web import tunnel


class ConnectProxy(Program):
    """HTTP CONNECT, with a password where one is given."""

    def __init__(self, password=None, answer=None):
        self.password = password
        self.answer = answer     # said in place of doing it
        self.targets = []
        super().__init__(self._tunnel)

    def _tunnel(self, connection):
        wire = Wire(connection)
        try:
            request = read_head(wire)
        except Ended:
            return
        self.targets.append(request.target)
        if self.answer is not None:
            wire.send(self.answer)
            return
        if self.password:
            wanted = "Basic " + base64.b64encode(self.password.encode()).decode()
            if request.get("proxy-authorization") != wanted:
                wire.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
        check(request.method == "CONNECT", request.start)
        with visit(int(request.target.rsplit(":", 1)[1])) as behind:
            wire.send(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            back = threading.Thread(target=carry, args=(behind, connection), daemon=True)
            back.start()
            carry(connection, behind)
            back.join(10)


def carry(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def proxies(context):
    """HTTPS_PROXY with and without a password; proxies that say no; NO_PROXY. The domain is one
    that no resolver knows: only the proxy can find it, and *.localhost is never proxied."""
    server = Server(context.build, context.server.sandbox, ("--domain", "tunnels.test"))
    there = {"ADIT_SERVER": f"connect.tunnels.test:{server.port}"}
    with running(server), running(Web()) as (program,):
        for password, login in ((None, ""), ("user:pa ss", "user:pa%20ss@")):
            with running(ConnectProxy(password)) as (proxy,):
                environment = {**there, "HTTPS_PROXY": f"http://{login}127.0.0.1:{proxy.port}"}
                with running(Agent(server, program.port, kind="http", environment=environment)) as (agent,):
                    agent.ready()
                    check(fetch(server, agent.host).status == 200, "no answer")
                    check(proxy.targets == [there["ADIT_SERVER"]], f"asked for {proxy.targets}")
        for answer in (b"HTTP/1.1 407 Who are you\r\n\r\n", b"HTTP/1.1 503 No\r\n\r\n",
                       b"SSH-2.0-OpenSSH\r\n\r\n", b"x" * 20000, b""):
            with running(ConnectProxy(answer=answer)) as (proxy,):
                environment = {**there, "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
                with running(Agent(server, program.port, environment=environment)) as (agent,):
                    check(agent.event("disconnected")["reason"], "no reason")
                    check(proxy.targets, "it did not ask the proxy")
                    check(agent.process.popen.poll() is None, "it gave up")
        with running(ConnectProxy()) as (proxy,):
            environment = {**there, "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
                           "NO_PROXY": "example.org, .tunnels.test"}
            with running(Agent(server, program.port, environment=environment)) as (agent,):
                agent.event("disconnected")
                check(not proxy.targets, "NO_PROXY was not heard")
    with running(Web()) as (program,), running(ConnectProxy()) as (proxy,):
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        with running(Agent(context.server, program.port, environment=environment)) as (agent,):
            agent.ready()
            check(not proxy.targets, "*.localhost went through the proxy")


def key_log(context):
    """SSLKEYLOGFILE: what Wireshark needs, and only where it is asked for."""
    with tempfile.TemporaryDirectory() as folder, running(Program(echo)) as (program,):
        os.chmod(folder, 0o777)
        path = f"{folder}/keys"
        with running(Agent(context.server, program.port, environment={"SSLKEYLOGFILE": path})) as (agent,):
            agent.ready()
            with open(path, encoding="ascii") as f:
                words = {line.split(" ")[0] for line in f if not line.startswith("#")}
            check({"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= words, f"{words}")


def targets(context):
    """TARGET in each of its forms, and what is refused at once."""
    server = context.server
    with running(Web()) as (program,):
        for target in (str(program.port), f"127.0.0.1:{program.port}", f"localhost:{program.port}",
                       f"http://127.0.0.1:{program.port}", f"http://localhost:{program.port}"):
            with running(Agent(server, target, kind="http")) as (agent,):
                check(fetch(server, agent.ready().host).status == 200, f"{target}: no answer")
        with running(Agent(server, program.port, kind="http", name="events")) as (agent,):
            event = agent.event("ready")
            check(set(event) >= {"name", "url", "forwards_to"}, f"{event}")
            check(event["name"] == "events" and str(program.port) in event["forwards_to"], f"{event}")
    token = server.token()
    for arguments in (["http", "https://localhost:1"], ["http", "3000/path"], ["http", "http://x:1/path"],
                      ["tcp", "http://localhost:1"], ["tcp", "3000", "--name", "x"],
                      ["http", "3000", "--remote-port", "20000"], ["tls", "3000", "--host-header", "x"],
                      ["http", "3000", "--host-header", "a b"], ["http", "0"], ["http", "70000"],
                      ["http", "3000", "--name", "Bad_Name"], ["http"]):
        out = subprocess.run([f"{server.build}/adit", *arguments], capture_output=True, text=True,
                             timeout=10, check=False,
                             env={"PATH": os.environ["PATH"], "ADIT_TOKEN": token})
        check(out.returncode == 2, f"{arguments}: exit status {out.returncode}")
        check(out.stderr.count("\n") == 1, f"{arguments}: said {out.stderr!r}")


def exits(context):
    """0 by a signal, 3 for good, and an unreachable server is waited for."""
    server = context.server
    with running(Agent(server, 1, kind="http", name="exits")) as (agent,):
        agent.ready()
        agent.process.send_signal(signal.SIGINT)
        check(agent.process.wait() == 0, "SIGINT: not 0")
    with running(Agent(server, 1, kind="http", name="dash")) as (agent,):
        check(agent.process.wait() == 3, "a refusal: not 3")
    nowhere = {"ADIT_SERVER": f"connect.adit.localhost:{dead_port()}"}
    with running(Agent(server, 1, kind="http", environment=nowhere)) as (agent,):
        agent.event("disconnected")
        time.sleep(1)
        check(agent.process.popen.poll() is None, "it gave up on an unreachable server")
        agent.process.send_signal(signal.SIGTERM)
        check(agent.process.wait() == 0, "SIGTERM while waiting: not 0")


class Terminal:
    """The agent on a terminal of its own; `text()` is what it has written."""

    def __init__(self, server, *arguments, columns=80, environment=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "ADIT_TOKEN": server.token(),
               "ADIT_CA": f"{server.data}/ca.pem",
               "ADIT_SERVER": f"connect.adit.localhost:{server.port}", **(environment or {})}
        if not server.sandbox:
            arguments = (*arguments, "--no-sandbox")
        self.popen = subprocess.Popen([f"{server.build}/adit", *arguments], stdin=slave, stdout=slave,
                                      stderr=slave, env=env, start_new_session=True)
        os.close(slave)
        self.data = b""

    def text(self, seconds=0.3):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.data += os.read(self.master, 65536)
                except OSError:
                    break
        return self.data.decode("utf-8", "replace")

    def shows(self, pattern, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.text()):
                return found
        raise Failure(f"the screen never showed {pattern!r}: {self.data[-600:]!r}")

    def end(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        os.close(self.master)


def screen(context):
    """On a terminal: the address, the requests as they come, nothing of a visitor's escapes."""
    server = context.server
    with running(Web()) as (program,):
        with running(Terminal(server, "http", str(program.port), "--name", "screen")) as (terminal,):
            url = terminal.shows(r"https://screen\.adit\.localhost:\d+")[0]
            with Visitor(server, url.split("://")[1]) as visitor:
                check(visitor.ask("/echo/seen-on-screen").status == 200, "no answer")
                check(visitor.ask("/status/204").status == 204, "no answer")
            terminal.shows(r"/echo/seen-on-screen")
            terminal.shows(r"204")
            calm = len(terminal.data)
            terminal.text(2.0)
            check(len(terminal.data) - calm < 4096, f"{len(terminal.data) - calm} bytes in 2 s of rest")
            check("\x1b[?1049h" not in terminal.text(0), "it uses the other screen")
            terminal.popen.send_signal(signal.SIGINT)
            terminal.text(1.0)
            check(terminal.popen.wait(5) == 0, "its exit status is not 0")
            check(terminal.data.count(b"\x1b[?25l") == terminal.data.count(b"\x1b[?25h")
                  or terminal.data.rstrip().endswith(b"\x1b[?25h") or b"\x1b[?25l" not in terminal.data,
                  "the cursor stays hidden")
        with running(Terminal(server, "http", str(program.port), "--name", "plain",
                              environment={"TERM": "dumb"})) as (terminal,):
            terminal.shows(r"https://plain\.adit\.localhost")
            check("\x1b" not in terminal.text(0.5), "escapes on a dumb terminal")


def comes_back(context):
    """After the worker was killed: the same name, told as disconnected and reconnected."""
    server = context.server
    with tunnel(server, name="back") as (_, agent):
        os.kill(server.role("adit-worker"), signal.SIGKILL)
        check(agent.event("disconnected")["reason"], "no reason")
        agent.event("reconnected")
        wait_for("the name is served", lambda: fetch(server, agent.host).status == 200, 10)
    with running(Program(echo)) as (program,), running(Agent(server, program.port)) as (agent,):
        agent.ready()
        with visit(agent.port) as s:
            s.sendall(b"still tcp")
            check(receive_exactly(s, 9) == b"still tcp", "no echo")
        check(json.loads(agent.process.lines[0])["event"] == "ready", f"{agent.process.lines}")


TESTS = [targets, exits, proxies, key_log, screen, comes_back]
