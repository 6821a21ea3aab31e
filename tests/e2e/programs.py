"""Programs that stand behind HTTP and TLS tunnels: a web server with a route for each thing that
HTTP/1.1 can do, one that says exactly the bytes it is told to, and one with TLS of its own."""
import base64
import contextlib
import hashlib
import json
import os
import queue
import socket
import ssl
import struct
import subprocess
import threading

from harness import Program
from messages import Ended, Wire, frame, pieces, read_body, read_frame, read_head

BLOCK = os.urandom(1 << 20)


def turned(index):
    """A mebibyte that differs for each index."""
    shift = index % 4096
    return BLOCK[shift:] + BLOCK[:shift]


def answer(status, body=b"", *fields, close=False):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    if close:
        head.append("Connection: close")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def switch(request):
    """The answer that makes a WebSocket of a connection (RFC 6455 section 4.2.2)."""
    key = request.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


class Web(Program):
    """Answers as its path says; keeps every request it got, and every byte that came."""

    def __init__(self, keeps_bytes=False):
        self.requests = []       # heads, as they came
        self.complete = []       # targets of requests whose body came whole
        self.connections = 0
        self.received = bytearray() if keeps_bytes else None
        self.events = queue.Queue()   # what /events says next
        self.sent = {}           # path: hash of what was sent
        self.endings = queue.Queue()  # how WebSocket connections ended
        self.lock = threading.Lock()
        super().__init__(self._connection)

    def _connection(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.connections += 1
        wire = Wire(connection)
        wire.seen = self.received
        with contextlib.suppress(Ended):
            while self._request(wire):
                pass

    def _request(self, wire):
        """False: the connection ends."""
        request = read_head(wire)
        with self.lock:
            self.requests.append(request)
        path = request.target.split("?")[0].split("/")
        route = getattr(self, "do_" + path[1], None) if len(path) > 1 and path[1] else None
        goes_on = (route or self.do_echo)(wire, request)
        return goes_on and request.get("connection", "").lower() != "close"

    def _read(self, wire, request):
        read_body(wire, request)
        with self.lock:
            self.complete.append(request.target)
        return request

    # One function for each first part of a path; true: the connection can be used again.

    def do_echo(self, wire, request):
        """What came, as JSON: the program's view of the request."""
        if request.get("expect", "").lower() == "100-continue":
            wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._read(wire, request)
        seen = {"method": request.method, "target": request.target, "fields": request.fields,
                "length": request.length, "sha256": request.digest, "trailers": request.trailers}
        body = json.dumps(seen).encode()
        wire.send(answer("200 OK", b"" if request.method == "HEAD" else body,
                         "Content-Type: application/json"))
        return True

    def do_same(self, wire, request):
        """The body back, chunk for chunk."""
        self._read(wire, request)
        wire.send(answer("200 OK", request.body))
        return True

    def do_down(self, wire, request):
        """/down/length/64: 64 MiB; /down/chunked/64 in chunks; /down/close/64 to the end."""
        self._read(wire, request)
        _, _, framing, mib = request.target.split("/")
        field = {"length": f"Content-Length: {int(mib) << 20}",
                 "chunked": "Transfer-Encoding: chunked", "close": "Connection: close"}[framing]
        wire.send(f"HTTP/1.1 200 OK\r\n{field}\r\n\r\n".encode())
        digest = hashlib.sha256()
        for i in range(int(mib)):
            block = turned(i)
            digest.update(block)
            if framing == "chunked":
                wire.send(b"%x\r\n" % len(block))
            wire.send(block)
            if framing == "chunked":
                wire.send(b"\r\n")
        self.sent[request.target] = digest.hexdigest()
        if framing == "chunked":
            wire.send(b"0\r\nX-Sha256: %s\r\n\r\n" % digest.hexdigest().encode())
        return framing != "close"

    def do_events(self, wire, request):
        """Server-sent events, each when the test puts it into the queue; None ends them."""
        self._read(wire, request)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n")
        while (event := self.events.get(timeout=90)) is not None:
            data = f"data: {event}\n\n".encode()
            wire.send(b"%x\r\n%s\r\n" % (len(data), data))
        wire.send(b"0\r\n\r\n")
        return True

    def do_status(self, wire, request):
        """/status/204: that, without a body."""
        self._read(wire, request)
        status = request.target.split("/")[2]
        wire.send(f"HTTP/1.1 {status} Whatever\r\nX-Kept: yes\r\n\r\n".encode())
        return True

    def do_head(self, wire, request):
        """A HEAD that tells the length a GET would have."""
        self._read(wire, request)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
        return True

    def do_hints(self, wire, request):
        """Two interim responses, then the answer."""
        self._read(wire, request)
        wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
                  b"HTTP/1.1 102 Processing\r\n\r\n" + answer("200 OK", b"after hints"))
        return True

    def do_trailers(self, wire, request):
        self._read(wire, request)
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n"
                  b"5\r\nhello\r\n0\r\nX-After: it\r\n\r\n")
        return True

    def do_early(self, wire, request):
        """Answers before it has read the body, and never reads it."""
        wire.send(answer("413 Content Too Large", b"too large", close=True))
        wire.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Ended, OSError):
            wire.socket.settimeout(2)
            while True:
                wire.rest = b""
                wire.more()
        return False

    def do_slow(self, wire, request):
        """Half of the body at once, the other when the test says so."""
        self._read(wire, request)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        self.events.get(timeout=90)
        wire.send(b"other")
        return True

    def do_old(self, wire, request):
        """A program that speaks HTTP/1.0."""
        self._read(wire, request)
        wire.send(b"HTTP/1.0 200 OK\r\n\r\nold but fine")
        return False

    def do_ws(self, wire, request):
        """A WebSocket echo. The first frame comes in the same packet as the 101."""
        wire.send(switch(request) + frame(b"welcome", masked=False))
        try:
            while True:
                opcode, payload = read_frame(wire)
                wire.send(frame(payload, opcode, masked=False))
                if opcode == 8:
                    break
        except Ended as ended:
            self.endings.put(ended.how)
        except OSError:
            self.endings.put("reset")
        return False


class Hostile(Program):
    """Reads a request, then says the bytes that belong to its path, and ends or stays."""

    def __init__(self):
        self.answers = {}    # path: (bytes, stays)
        self.connections = 0
        self.second = []     # what came on a connection after a hostile answer
        super().__init__(self._connection)

    def _connection(self, connection):
        self.connections += 1
        wire = Wire(connection)
        with contextlib.suppress(Ended):
            while True:
                request = read_head(wire)
                for _ in pieces(wire, request):
                    pass
                data, stays = self.answers.get(request.target, (answer("200 OK", b"plain"), True))
                wire.send(data)
                if not stays:
                    return


class Tls(Program):
    """A program that ends TLS itself, with a certificate that only this test knows."""

    def __init__(self, folder, host, serve):
        self.certificate = f"{folder}/passthrough.pem"
        key = f"{folder}/passthrough.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=passthrough",
                        "-addext", f"subjectAltName=DNS:{host}", "-days", "2",
                        "-keyout", key, "-out", self.certificate],
                       check=True, capture_output=True, timeout=20)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(self.certificate, key)
        self.serve_inside = serve
        super().__init__(self._connection)

    def _connection(self, connection):
        with contextlib.suppress(ssl.SSLError):
            with self.context.wrap_socket(connection, server_side=True) as inside:
                self.serve_inside(inside)

    def visit(self, port, host, seconds=120):
        """A visitor that trusts this program's certificate alone."""
        context = ssl.create_default_context(cafile=self.certificate)
        raw = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        return context.wrap_socket(raw, server_hostname=host, suppress_ragged_eofs=False)


def send_counted(s, mib):
    """Sends so many MiB after their count; the hash of them."""
    s.sendall(struct.pack(">I", mib))
    digest = hashlib.sha256()
    for i in range(mib):
        block = turned(i)
        digest.update(block)
        s.sendall(block)
    return digest.digest()


def receive_counted(s):
    """Receives what send_counted sends; the hash of it."""
    def exactly(count, into):
        got = 0
        while got < count:
            n = s.recv_into(into[got:count])
            if n == 0:
                raise Ended("end", b"")
            got += n
    memory = memoryview(bytearray(1 << 20))
    exactly(4, memory)
    mib = struct.unpack(">I", memory[:4])[0]
    digest = hashlib.sha256()
    for _ in range(mib):
        exactly(1 << 20, memory)
        digest.update(memory)
    return digest.digest(), mib << 20
