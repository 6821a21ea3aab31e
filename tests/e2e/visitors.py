"""Visitors that say exactly the bytes they are given, over TLS or plain, and read strictly."""
import socket
import ssl
import struct

from harness import check, visit
from messages import (ACCEPT, Wire, frame, read_frame, read_head, read_response, upgrade_request)


class Visitor(Wire):
    """One connection to the server. `host`: whom it asks for, and its server name."""

    def __init__(self, server, host, plain=False, seconds=20.0, context=None, server_name=None):
        self.server = server
        self.host = host
        if plain:
            super().__init__(visit(server.http_port, seconds))
            return
        raw = visit(server.port, seconds)
        name = server_name or host.split(":")[0]
        super().__init__((context or server.trust()).wrap_socket(
            raw, server_hostname=name, suppress_ragged_eofs=False))

    def request(self, target="/", method="GET", *fields, body=None, version="1.1", host=None):
        """Sends a request as most clients write it; a body gets its Content-Length."""
        lines = [f"{method} {target} HTTP/{version}", f"Host: {host or self.host}", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def ask(self, target="/", method="GET", *fields, body=None, **others):
        """A request and its response."""
        self.request(target, method, *fields, body=body, **others)
        return read_response(self, method)

    def reset(self):
        """Goes away rudely."""
        # The option acts at the close of the descriptor, so TLS cannot say goodbye before it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def upgrade(self, path="/ws", at_once=b"", extra=""):
        """Becomes a WebSocket; `at_once` travels in the same packet as the request."""
        self.send(upgrade_request(self.host, path, extra) + at_once)
        head = read_head(self)
        check(head.status == 101, f"the upgrade was answered {head.start!r}")
        check(head.get("sec-websocket-accept") == ACCEPT, "a wrong Sec-WebSocket-Accept")
        check(read_frame(self) == (2, b"welcome"), "the first frame is lost")
        return self

    def echo(self, payload):
        self.send(frame(payload))
        check(read_frame(self) == (2, payload), "another frame came back")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fetch(server, host, target="/", **others):
    """One GET on a connection of its own."""
    with Visitor(server, host, **others) as visitor:
        return visitor.ask(target, "GET", "Connection: close")


def tls_hello(name="connect.adit.localhost", alpn=None):
    """A real ClientHello, from Python's own TLS."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()
