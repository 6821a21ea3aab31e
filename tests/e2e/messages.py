"""HTTP/1.1 messages read strictly, byte for byte, for both ends of the wire; and WebSocket frames.

The reader of a test may not be kinder than a browser: bare line feeds, wrong lengths and missing
last chunks are failures here."""
import hashlib
import os
import struct

from harness import Failure, check


class Ended(Exception):
    """The connection ended within a message. `how`: "end", "ragged" (no close_notify), "reset"."""

    def __init__(self, how, got):
        super().__init__(f"{how} after {len(got)} bytes: {got[-120:]!r}")
        self.how = how
        self.got = got


class Wire:
    """A socket, plain or TLS, with what was read from it and not used yet."""

    def __init__(self, s):
        self.socket = s
        self.rest = b""
        self.seen = None  # a bytearray that keeps everything read, where one is wanted

    def send(self, data):
        self.socket.sendall(data)

    def more(self, most=1 << 16):
        """Reads on; Ended where the connection did."""
        how = "end"
        try:
            data = self.socket.recv(most)
        except ConnectionResetError:
            how, data = "reset", b""
        except OSError as error:
            if "EOF occurred" not in str(error):
                raise
            how, data = "ragged", b""
        if not data:
            raise Ended(how, self.rest)
        if self.seen is not None:
            self.seen += data
        self.rest += data

    def until(self, mark, limit=1 << 20):
        while mark not in self.rest:
            check(len(self.rest) < limit, f"no {mark!r} within {limit} bytes")
            self.more()
        used, self.rest = self.rest.split(mark, 1)
        return used

    def exactly(self, count):
        while len(self.rest) < count:
            self.more(max(1 << 16, count - len(self.rest)))
        used, self.rest = self.rest[:count], self.rest[count:]
        return used

    def how_ends(self):
        """Reads to the end; nothing may come before it."""
        try:
            self.more()
        except Ended as ended:
            check(not self.rest, f"bytes before the end: {self.rest[:120]!r}")
            return ended.how
        raise Failure(f"bytes where an end belongs: {self.rest[:120]!r}")

    def close(self):
        self.socket.close()


class Message:
    """A head, and its body once it was read."""

    def __init__(self, raw):
        check(b"\n" not in raw.replace(b"\r\n", b""), f"a bare line feed in {raw[:200]!r}")
        lines = raw.decode("latin-1").split("\r\n")
        self.raw = raw
        self.start = lines[0]
        self.fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            check(colon and name and name == name.strip(), f"a field {line!r}")
            self.fields.append((name, value.strip(" \t")))
        self.body = b""
        self.digest = None
        self.length = 0
        self.trailers = []

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def status(self):
        return int(self.start.split(" ", 2)[1])

    @property
    def method(self):
        return self.start.split(" ", 1)[0]

    @property
    def target(self):
        return self.start.split(" ")[1]

    def framing(self):
        check(len(self.all("content-length")) + len(self.all("transfer-encoding")) <= 1,
              f"two framings: {self.raw!r}")
        if self.all("transfer-encoding"):
            check(self.get("transfer-encoding") == "chunked", f"{self.get('transfer-encoding')!r}")
            return "chunked"
        return "length" if self.all("content-length") else "none"


def read_head(wire):
    return Message(wire.until(b"\r\n\r\n"))


def take(wire, left):
    """So many bytes, in pieces as they come."""
    while left > 0:
        if not wire.rest:
            wire.more()
        piece, wire.rest = wire.rest[:left], wire.rest[left:]
        left -= len(piece)
        yield piece


def chunks(wire, message):
    """The payload of a chunked body, chunk by chunk; the trailers into the message."""
    while True:
        size = int(wire.until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            break
        yield from take(wire, size)
        check(wire.exactly(2) == b"\r\n", "a chunk has no end")
    while line := wire.until(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        message.trailers.append((name, value.strip()))


def pieces(wire, message, to_end=False):
    """The payload in pieces as they come."""
    framing = message.framing()
    if framing == "chunked":
        yield from chunks(wire, message)
    elif framing == "length":
        yield from take(wire, int(message.get("content-length")))
    elif to_end:
        try:
            while True:
                if not wire.rest:
                    wire.more()
                piece, wire.rest = wire.rest, b""
                yield piece
        except Ended as ended:
            check(ended.how == "end", f"the body ended by {ended.how}")


def read_body(wire, message, to_end=False, keep=1 << 22):
    """Reads and hashes the body; the first `keep` bytes stay in message.body."""
    digest, kept = hashlib.sha256(), []
    for piece in pieces(wire, message, to_end):
        digest.update(piece)
        if message.length < keep:
            kept.append(piece)
        message.length += len(piece)
    message.body = b"".join(kept)
    message.digest = digest.hexdigest()
    return message


def has_body(status, method):
    return method != "HEAD" and status >= 200 and status not in (204, 304)


def read_response(wire, method="GET"):
    """One response with its body, 1xx included: a list of interim ones is in `.interim`."""
    interim = []
    while True:
        message = read_head(wire)
        check(message.start.startswith("HTTP/1."), f"no response: {message.start!r}")
        if message.status >= 200 or message.status == 101:
            break
        interim.append(message)
    message.interim = interim
    if has_body(message.status, method):
        read_body(wire, message, to_end=True)
    return message


# WebSocket, as RFC 6455 frames it.

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def upgrade_request(host, path="/ws", extra=""):
    return (f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extra}\r\n").encode()


def frame(payload, opcode=2, masked=True):
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, mask_bit | size)
    elif size < 65536:
        head = struct.pack(">BBH", 0x80 | opcode, mask_bit | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + unmask(payload, mask)


def unmask(payload, mask):
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big") if size else b""


def read_raw_frame(wire):
    """(first byte, mask bit, payload as it came) of the next frame."""
    first, second = wire.exactly(2)
    size = second & 0x7F
    if size == 126:
        size = struct.unpack(">H", wire.exactly(2))[0]
    elif size == 127:
        size = struct.unpack(">Q", wire.exactly(8))[0]
    mask = wire.exactly(4) if second & 0x80 else b""
    payload = wire.exactly(size)
    return first, second & 0x80, unmask(payload, mask) if mask else payload


def read_frame(wire):
    """(opcode, payload) of the next frame."""
    first, _, payload = read_raw_frame(wire)
    return first & 0xF, payload
