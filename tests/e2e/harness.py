"""Real processes for the tests: a server, agents, sample programs. Nothing is mocked."""
import contextlib
import hashlib
import json
import os
import queue
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


# For what is not judged by its time: only a machine that does other things too takes so long.
PATIENCE_S = 30.0


class Failure(Exception):
    """What a test found wrong."""


def check(condition, sentence):
    if not condition:
        raise Failure(sentence)


def waited_us(resource):
    """How long something on this machine waited for it so far; 0 where the kernel does not count."""
    try:
        with open(f"/proc/pressure/{resource}", encoding="ascii") as f:
            return int(f.readline().rsplit("=", 1)[1])
    except OSError:
        return 0


class Stopwatch:
    """Runs from now on. A limit that the server promises is held against `own_s`: the time without
    that in which something, whoever's, had to wait for a processor or the disk."""

    def __init__(self):
        self.begin = time.monotonic()
        self.waited_us = waited_us("cpu") + waited_us("io")

    def s(self):
        return time.monotonic() - self.begin

    def own_s(self, until=None):
        """Until another began, or now."""
        end = until or Stopwatch()
        return max(0.0, end.begin - self.begin - (end.waited_us - self.waited_us) / 1e6)


def wait_for(what, predicate, seconds=PATIENCE_S):
    """Asks until it is true; fails with `what` after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if predicate():
            return
        time.sleep(0.02)
    raise Failure(f"not within {seconds} s: {what}")


def dead_port():
    """A port at which nothing listens, outside the ranges that servers of the tests give to
    tunnels: an agent must not find its own tunnel there."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def free_port_block(count):
    """The first of `count` consecutive free ports below the range of outgoing connections."""
    start = 20000 + (os.getpid() * 37) % 8000
    for first in range(start, start + 3000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                s = socket.socket()
                sockets.append(s)
                s.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise Failure("no free ports")


# What a sanitizer, or a broken rule of our own, said in any process of the run.
REPORTS = []
REPORT_WORDS = ("Sanitizer", "runtime error:", "broken rule")


class Process:
    """A program with its output collected line by line."""

    def __init__(self, arguments, env=None):
        self.lines = []
        self.arrived = queue.Queue()
        self.popen = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, env=env)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in self.popen.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self.lines.append(line)
            if any(word in line for word in REPORT_WORDS):
                REPORTS.append(line)
            self.arrived.put(line)

    @property
    def pid(self):
        return self.popen.pid

    def send_signal(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds=PATIENCE_S):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"process {self.pid} did not end within {seconds} s") from None

    def end(self):
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.popen.send_signal(signal.SIGCONT)
                self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(5)
        self.reader.join(2)


def children(pid):
    """{name: pid} of the processes whose parent is `pid`."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                text = f.read()
            name = text[text.index("(") + 1:text.rindex(")")]
            fields = text[text.rindex(")") + 2:].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[name] = int(entry)
        except (OSError, ValueError):
            continue
    return found


def is_running(pid):
    """False too for one that has ended and whose new parent has not noticed yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            text = f.read()
        return text[text.rindex(")") + 2] != "Z"
    except (OSError, ValueError):
        return False


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def fd_count(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        raise Failure("only root can count the descriptors of a process that is not dumpable: "
                      "run the tests as root") from None


class Server:
    """aditd with a data folder and ports of its own."""

    PORTS = 24

    def __init__(self, build, sandbox=True, arguments=(), mode="redirect", address="127.0.0.1"):
        self.build = build
        self.sandbox = sandbox
        self.data = tempfile.mkdtemp(prefix="adit-e2e-")
        block = free_port_block(self.PORTS)
        self.port = block
        self.tcp_from, self.tcp_to = block + 1, block + 20
        self.http_port, self.admin_port = block + 21, block + 22
        self.mode, self.address = mode, address
        self.extra = list(arguments)
        self.process = None
        self.start()

    def start(self):
        one = () if "--workers" in self.extra else ("--workers", "1")
        arguments = [f"{self.build}/aditd", "serve", "--data", self.data,
                     "--https", f"{self.address}:{self.port}", "--http", f"127.0.0.1:{self.http_port}",
                     "--http-mode", self.mode, "--admin", f"127.0.0.1:{self.admin_port}",
                     "--tcp-ports", f"{self.tcp_from}-{self.tcp_to}", *one, *self.extra]
        if not self.sandbox:
            arguments.append("--no-sandbox")
        self.process = Process(arguments)
        try:
            wait_for("the server listens and its processes are ready", self._is_ready, 20)
        except Failure as failure:
            self.process.end()
            raise Failure(f"{failure}; it said {self.process.lines[-5:]}") from None

    def _is_ready(self):
        check(self.process.popen.poll() is None, "the server ended at its start")
        return self.count("worker_ready") > 0 and self.count("door_ready") > 0

    def count(self, word):
        return sum(word in line for line in list(self.process.lines))

    def role(self, name):
        pid = children(self.process.pid).get(name)
        check(pid, f"{name} does not run")
        return pid

    def aditd(self, *arguments, seconds=20):
        """One of the commands that work beside a running server."""
        return subprocess.run([f"{self.build}/aditd", *arguments, "--data", self.data],
                              capture_output=True, text=True, timeout=seconds, check=False,
                              env={"PATH": os.environ["PATH"]})

    def token(self, *arguments):
        out = self.aditd("token", "create", *(arguments or ("--account", "test")))
        check(out.returncode == 0, f"token create failed: {out.stderr}")
        return out.stdout.strip()

    def trust(self):
        """TLS of a visitor that trusts this server's development CA and nothing else."""
        context = ssl.create_default_context(cafile=f"{self.data}/ca.pem")
        context.set_alpn_protocols(["http/1.1"])
        return context

    def end(self):
        self.process.end()
        shutil.rmtree(self.data, ignore_errors=True)


class Agent:
    """adit KIND TARGET --json, with its events. `environment` changes what it is started with."""

    def __init__(self, server, target, *arguments, token=None, ca=None, kind="tcp", name=None,
                 environment=None):
        self.server = server
        env = {"PATH": os.environ["PATH"], "ADIT_TOKEN": token or server.token(),
               "ADIT_CA": ca or f"{server.data}/ca.pem",
               "ADIT_SERVER": f"connect.adit.localhost:{server.port}", **(environment or {})}
        if name:
            arguments = ("--name", name, *arguments)
        if not server.sandbox:
            arguments = (*arguments, "--no-sandbox")
        self.process = Process([f"{server.build}/adit", kind, str(target), "--json", *arguments],
                               env=env)
        self.port = None
        self.name = None
        self.url = None

    def event(self, name, seconds=PATIENCE_S):
        """The next event of this name; others before it are passed over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line = self.process.arrived.get(timeout=0.05)
            except queue.Empty:
                if not self.process.reader.is_alive() and self.process.arrived.empty():
                    break
                continue
            with contextlib.suppress(json.JSONDecodeError):
                event = json.loads(line)
                if event.get("event") == name:
                    return event
        raise Failure(f"no event {name}; the agent said {self.process.lines[-3:]}")

    def ready(self, seconds=PATIENCE_S):
        event = self.event("ready", seconds)
        self.url, self.name = event["url"], event["name"]
        port = self.url.rsplit(":", 1)[1]
        self.port = int(port) if port.isdigit() else 443
        return self

    @property
    def host(self):
        """What a visitor writes into Host."""
        return self.url.split("://", 1)[1]

    def end(self):
        self.process.end()


class Program:
    """A sample program on a port of its own: `serve(connection)` in a thread for each visitor."""

    def __init__(self, serve, port=0):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=2048)
        self.port = self.listener.getsockname()[1]
        self.serve = serve
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            self.serve(connection)

    def end(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def echo(connection):
    """Sends back what comes, and its end."""
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


def visit(port, seconds=30.0):
    s = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def receive_exactly(s, count):
    parts, left = [], count
    while left > 0:
        data = s.recv(min(left, 1 << 20))
        check(data, f"the connection ended {left} bytes early")
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def pattern(index, size):
    """`size` bytes that are a function of `index`."""
    block = hashlib.sha256(struct.pack("<Q", index)).digest()
    return (block * (size // len(block) + 1))[:size]


class Bystander:
    """Somebody else's traffic: an echo connection with a counter, which must not notice a thing."""

    def __init__(self, port):
        self.connection = visit(port, 5.0)
        self.stop = threading.Event()
        self.count = 0
        self.wrong = None
        self.slowest_ms = 0.0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.stop.is_set():
                message = pattern(self.count, 200)
                begin = time.monotonic()
                self.connection.sendall(message)
                if receive_exactly(self.connection, len(message)) != message:
                    self.wrong = "other bytes came back"
                    return
                self.slowest_ms = max(self.slowest_ms, (time.monotonic() - begin) * 1000)
                self.count += 1
                time.sleep(0.02)
        except (OSError, Failure) as error:
            self.wrong = str(error) or type(error).__name__

    def finish(self):
        self.stop.set()
        self.thread.join(10)
        self.connection.close()
        check(self.wrong is None, f"the bystander was hurt after {self.count} echoes: {self.wrong}")
        check(self.count > 0, "the bystander did nothing")


@contextlib.contextmanager
def running(*things):
    """Ends whatever was started, the last first."""
    try:
        yield things
    finally:
        for thing in reversed(things):
            thing.end()
