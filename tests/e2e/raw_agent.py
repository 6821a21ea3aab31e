"""An agent made of bytes: for logins and binds that no honest agent would send."""
import json
import os
import ssl
import struct

from harness import check, visit
from messages import Ended, Wire

SYN, ACK, FIN, RST = 1, 2, 4, 8


def yamux(kind, flags, stream, length):
    return struct.pack(">BBHII", 0, kind, flags, stream, length)


class RawAgent:
    """A TLS session that speaks yamux and control messages by hand."""

    def __init__(self, server, seconds=10.0):
        tls = ssl.create_default_context(cafile=f"{server.data}/ca.pem")
        tls.set_alpn_protocols(["adit/1"])
        raw = visit(server.port, seconds)
        self.wire = Wire(tls.wrap_socket(raw, server_hostname="connect.adit.localhost",
                                         suppress_ragged_eofs=False))
        self.has_opened = False
        self.inbox = b""

    def say_bytes(self, data):
        """Bytes on the control stream."""
        flags = 0 if self.has_opened else SYN
        self.has_opened = True
        self.wire.send(yamux(0, flags, 1, len(data)) + data)

    def say(self, **message):
        body = json.dumps(message).encode()
        self.say_bytes(struct.pack(">I", len(body)) + body)

    def hear(self):
        """The next control message. Pings are answered, visitors' streams reset."""
        while len(self.inbox) < 4 or len(self.inbox) < 4 + struct.unpack(">I", self.inbox[:4])[0]:
            _, kind, flags, stream, length = struct.unpack(">BBHII", self.wire.exactly(12))
            if kind == 0:
                payload = self.wire.exactly(length)
                if stream == 1:
                    self.inbox += payload
                    if length:
                        self.wire.send(yamux(1, 0, 1, length))
                elif flags & SYN:
                    self.wire.send(yamux(1, RST, stream, 0))
                if flags & (FIN | RST) and stream == 1:
                    raise Ended("end", self.inbox)
            elif kind == 2 and flags & SYN:
                self.wire.send(yamux(2, ACK, 0, length))
            elif kind == 3:
                raise Ended(f"goaway {length}", self.inbox)
        size = struct.unpack(">I", self.inbox[:4])[0]
        message, self.inbox = json.loads(self.inbox[4:4 + size]), self.inbox[4 + size:]
        return message

    def login(self, token, **changes):
        """Says hello; the server's answer."""
        self.say(**{"type": "hello", "version": 1, "token": token,
                    "instance": os.urandom(16).hex(), "agent": "raw", **changes})
        return self.hear()

    def welcomed(self, token):
        answer = self.login(token)
        check(answer["type"] == "welcome", f"login: {answer}")
        return self

    def bind(self, number, **message):
        """Asks for a tunnel: bound or refused."""
        self.say(type="bind", bind=number, **message)
        while True:
            answer = self.hear()
            if answer["type"] in ("bound", "refused"):
                return answer

    def how_ends(self):
        """Hears everything until the session ends."""
        try:
            while True:
                self.hear()
        except Ended as ended:
            return ended.how
        except (OSError, ValueError) as error:
            return type(error).__name__

    def end(self):
        self.wire.close()


def refusal(server, token, **bind):
    """The code by which a login, or a bind after it, is refused; None where it is not."""
    agent = RawAgent(server)
    try:
        answer = agent.login(token)
        if answer["type"] == "welcome" and bind:
            answer = agent.bind(1, **bind)
        return answer.get("code")
    finally:
        agent.end()
