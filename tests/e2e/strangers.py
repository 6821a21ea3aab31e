"""Strangers before HTTP: ClientHellos of every kind, and agents that break the rules of the login."""
import contextlib
import os
import select
import socket
import ssl
import struct
import subprocess
import threading

from bystanders import Bystanders
from harness import (Agent, Program, Server, check, children, fd_count, running, visit, wait_for)
from messages import Wire, read_response
from raw_agent import RawAgent, refusal, yamux
from trouble import send_raw
from visitors import fetch, tls_hello
from web import tunnel

PROTOCOL_VERSION = bytes.fromhex("15030300020246")
NO_PROTOCOL = bytes.fromhex("15030300020278")


def with_extensions(hello, extensions):
    """The ClientHello with more extensions behind its own, as one record."""
    body = hello[9:]
    position = 2 + 32
    position += 1 + body[position]
    position += 2 + struct.unpack(">H", body[position:position + 2])[0]
    position += 1 + body[position]
    size = struct.unpack(">H", body[position:position + 2])[0]
    own = body[position + 2:position + 2 + size]
    more = b"".join(struct.pack(">HH", kind, len(data)) + data for kind, data in extensions)
    body = body[:position] + struct.pack(">H", len(own) + len(more)) + own + more
    return record(b"\x01" + len(body).to_bytes(3, "big") + body)


def record(data):
    return b"\x16\x03\x01" + struct.pack(">H", len(data)) + data


def deliver(port, parts):
    """Sends the parts as segments of their own; the first byte of the answer."""
    with visit(port, 10) as s:
        for part in parts:
            s.sendall(part)
        try:
            return s.recv(1)
        except ConnectionResetError:
            return b"reset"


def client_hellos(context):
    """Cases 151 to 155: split anywhere, big, greased, too big, too old."""
    server = context.server
    with running(Bystanders(server, 0.3)) as (bystanders,), tunnel(server) as (_, agent):
        name = agent.host.split(":")[0]
        big = with_extensions(tls_hello(name, ["http/1.1"]), [(0x0A0A, b""), (0x1234, bytes(1200)),
                                                             (0xFE0D, os.urandom(200))])
        check(len(big) > 1600, f"only {len(big)} bytes")
        for cut in range(1, len(big), 23):
            check(deliver(server.port, [big[:cut], big[cut:]]) == b"\x16", f"split at {cut}")
        check(deliver(server.port, [big[i:i + 1] for i in range(len(big))]) == b"\x16", "bytewise")
        inner = big[5:]
        tiny = b"".join(record(inner[i:i + 7]) for i in range(0, len(inner), 7))
        check(deliver(server.port, [tiny]) == b"\x16", "records of 7 bytes")
        many = with_extensions(tls_hello(name), [(0x5000 + i, b"x") for i in range(200)])
        check(deliver(server.port, [many]) == b"\x16", "200 extensions")
        for alpn in (["h2"], ["spdy/3"], ["h2", "hq"]):
            answer = send_raw(server.port, tls_hello(name, alpn))
            check(answer == NO_PROTOCOL, f"ALPN {alpn} was answered {answer!r}")
        check(send_raw(server.port, tls_hello(name, ["h2", "http/1.1"]))[:1] == b"\x16", "h2 or 1.1")
        too_big = with_extensions(tls_hello(name), [(0x1234, bytes(17000))])
        answer = send_raw(server.port, too_big[:5] + too_big[5:])
        check(answer[:1] == b"\x15", f"17 KiB were answered {answer!r}")
        for version in (b"\x03\x00", b"\x03\x01", b"\x03\x02"):
            old = bytearray(tls_hello(name))
            old[9:11] = version
            answer = send_raw(server.port, without_versions(bytes(old)))
            check(answer == PROTOCOL_VERSION, f"version {version.hex()} was answered {answer!r}")
        answer = send_raw(server.port, bytes.fromhex("802e010002001500000010") + bytes(37))
        check(answer in (PROTOCOL_VERSION, b"") or answer.startswith(b"HTTP/1.1 400"),
              f"SSLv2 was answered {answer!r}")
        check(fetch(server, agent.host).status == 200, "the tunnel is gone")
        bystanders.finish(judges_time=False)


def without_versions(hello):
    """The hello without supported_versions: what a client before TLS 1.3 sends."""
    kind = struct.pack(">H", 43)
    at = hello.find(kind + struct.pack(">H", 5))
    if at < 0:
        at = hello.find(kind + struct.pack(">H", 3))
    return hello[:at] + struct.pack(">H", 0x7777) + hello[at + 2:] if at >= 0 else hello


def untouched(context):
    """A ClientHello for a passthrough name reaches its program byte for byte, whatever is in it."""
    server = context.server
    got = []

    def keep(connection):
        data = b""
        while part := connection.recv(65536):
            data += part
            if data.endswith(b"the end"):
                break
        got.append(data)
        connection.sendall(b"kept")

    with running(Program(keep)) as (program,):
        with tunnel(server, program, kind="tls", name="untouched") as (_, agent):
            name = agent.host.split(":")[0]
            for alpn in (None, ["h2"], ["http/1.1"], ["adit/1"], ["acme-tls/1"]):
                hello = with_extensions(tls_hello(name, alpn), [(0x1234, os.urandom(900))])
                for cut in (5, 300, len(hello)):
                    with visit(server.port, 5) as s:
                        s.sendall(hello[:cut])
                        s.sendall(hello[cut:] + b"the end")
                        check(s.recv(10) == b"kept", f"ALPN {alpn}: no answer")
                    check(got.pop() == hello + b"the end", f"ALPN {alpn}: other bytes arrived")


def late_tls(context):
    """Case 157: renegotiation is refused, a thousand key updates end the connection at most."""
    server = context.server
    with running(Bystanders(server, 0.3)) as (bystanders,), tunnel(server) as (_, agent):
        name = agent.host.split(":")[0]
        client = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", name,
                  "-CAfile", f"{server.data}/ca.pem", "-verify_return_error"]
        before = children(server.process.pid)
        out = subprocess.run([*client, "-tls1_2"], input=b"R\n", capture_output=True, timeout=20,
                             check=False)
        said = out.stdout + out.stderr
        check(b"RENEGOTIATING" in said, f"it was not tried: {said[-300:]!r}")
        check(b"no renegotiation" in said or b"error" in said.lower(), f"{said[-300:]!r}")
        out = subprocess.run([*client, "-tls1_3"], input=b"k\n" * 1000 + b"Q\n", capture_output=True,
                             timeout=30, check=False)
        check(b"KEYUPDATE" in out.stdout + out.stderr, f"{(out.stdout + out.stderr)[-300:]!r}")
        for version in ("-tls1", "-tls1_1", "-ssl3"):
            out = subprocess.run([*client, version, "-cipher", "ALL:@SECLEVEL=0"], input=b"",
                                 capture_output=True, timeout=20, check=False)
            check(b"Cipher is (NONE)" in out.stdout or out.returncode != 0, f"{version} was spoken")
        check(children(server.process.pid) == before, "a process was restarted")
        bystanders.finish(judges_time=False)


def no_alpn(context):
    """A visitor without ALPN is a visitor; one who asks for connect.DOMAIN is answered too."""
    server = context.server
    with tunnel(server) as (_, agent):
        tls = ssl.create_default_context(cafile=f"{server.data}/ca.pem")
        with tls.wrap_socket(visit(server.port), server_hostname=agent.host.split(":")[0]) as s:
            wire = Wire(s)
            wire.send(f"GET / HTTP/1.1\r\nHost: {agent.host}\r\n\r\n".encode())
            check(read_response(wire).status == 200, "no answer without ALPN")
        answer = send_raw(server.port, tls_hello("connect.adit.localhost", ["http/1.1"]))
        check(answer[:1] in (b"\x15", b"\x16"), f"{answer!r}")


def logins(context):
    """Cases 49 to 56: what no honest agent says; others notice nothing."""
    server = context.server
    with running(Bystanders(server, 0.3)) as (bystanders,):
        token = server.token()
        before = children(server.process.pid)
        worker = before["adit-worker"]
        fds = fd_count(worker)
        for prefix in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", struct.pack(">I", 16385), bytes(4)):
            agent = RawAgent(server)
            agent.say_bytes(prefix)
            check(agent.how_ends(), "the session lives")
            agent.end()
        for body in (b"[" * 16000, b'{"a":' * 3000, b"{" * 100, b'{"type":"hello"}', b"\xff\xfe",
                     b'{"type":"hello","type":"hello"}', b"null", b'{"type":"bind","bind":1}'):
            agent = RawAgent(server)
            agent.say_bytes(struct.pack(">I", len(body)) + body)
            check(agent.hear()["code"] == "bad_login", f"{body[:30]!r}")
            agent.end()
        for bad in (token[:-1] + "\0", token + "\r\nx", "adit_", "", "x" * 700, token[:50],
                    token.upper(), token + "=", " " + token):
            code = refusal(server, bad)
            check(code in ("token_invalid", "bad_login"), f"{bad[:20]!r}: {code}")
        for version in (0, 2, 0xFFFFFFFF):
            agent = RawAgent(server)
            answer = agent.login(token, version=version)
            check(answer["code"] in ("version_unsupported", "bad_login"), f"{version}: {answer}")
            agent.end()
        binds = [("port_range", {"kind": "tcp", "remote_port": 22}),
                 ("name_taken", {"kind": "http", "name": "bystander"}),
                 ("name_taken", {"kind": "tls", "name": "bystander"}),
                 ("name_reserved", {"kind": "http", "name": "dash"})]
        for code, bind in binds:
            got = refusal(server, token, **bind)
            check(got == code, f"{bind}: {got}")
        agent = RawAgent(server).welcomed(token)
        agent.wire.send(yamux(0, 1, 3, 4) + b"\0\0\0\0")  # agents open no data streams
        check(agent.bind(1, kind="tcp")["type"] == "bound", "a stray stream ended the session")
        agent.end()
        for _ in range(100):
            agent = RawAgent(server).welcomed(token)
            agent.end()
        check(children(server.process.pid) == before, "a process was restarted")
        wait_for("descriptors are back", lambda: fd_count(worker) <= fds + 1, 15)
        check(not any(token[5:40] in line for line in server.process.lines), "a token in the log")
        bystanders.finish(judges_time=False)


class Recorder:
    """A road to the server that keeps what the client said, a flight after the other."""

    def __init__(self, server):
        self.data = server.data
        self.flights = []
        self.upstream = visit(server.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        client, _ = self.listener.accept()
        other = {client: self.upstream, self.upstream: client}
        last = None
        with client, contextlib.suppress(OSError):
            while True:
                for side in select.select(list(other), [], [])[0]:
                    data = side.recv(1 << 16)
                    if not data:
                        return
                    if side is client and last is client:
                        self.flights[-1] += data
                    elif side is client:
                        self.flights.append(data)
                    last = side
                    other[side].sendall(data)

    def end(self):
        self.upstream.close()
        self.listener.close()
        self.thread.join(5)


def records(data):
    """The TLS records of a stream, whole ones."""
    found = []
    while len(data) >= 5 and len(data) >= 5 + struct.unpack(">H", data[3:5])[0]:
        size = 5 + struct.unpack(">H", data[3:5])[0]
        found.append(data[:size])
        data = data[size:]
    return found


def rest_of(connection):
    """All that still comes until the connection ends."""
    connection.settimeout(12)
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            heard += data
    return heard


def in_new_handshake(server, said):
    """A handshake of the stranger's own, and then the recorded records in the place of its own."""
    tls = ssl.create_default_context(cafile=f"{server.data}/ca.pem")
    tls.set_alpn_protocols(["adit/1"])
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    own = tls.wrap_bio(inward, outward, server_hostname="connect.adit.localhost")
    with visit(server.port) as connection:
        for _ in range(20):
            try:
                own.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outward.read())
                inward.write(connection.recv(1 << 16))
        check(own.selected_alpn_protocol() == "adit/1", "no handshake")
        connection.sendall(outward.read())
        connection.sendall(said)
        rest_of(connection)


def replayed_login(context):
    """Case 62. A login that somebody recorded on the wire and sends again: at once, flight by flight, or
    its records in a handshake of their own. Nobody is logged in by it."""
    server = context.server
    token = server.token("--account", "recorded")
    with running(Recorder(server)) as (recorder,):
        agent = RawAgent(recorder).welcomed(token)
        check(agent.bind(1, kind="tcp")["type"] == "bound", "the recorded agent itself")
        agent.end()
    said = b"".join(recorder.flights)
    check(len(recorder.flights) >= 3 and len(records(said)) >= 4, f"{recorder.flights}")
    wait_for("its session is over", lambda: server.count("session_close") >=
             server.count("session_open"))
    before = server.count("session_open")
    with visit(server.port) as connection:
        connection.sendall(said)
        whole = rest_of(connection)
    with visit(server.port) as connection:
        for flight in recorder.flights[:-1]:
            with contextlib.suppress(OSError):
                connection.sendall(flight)
                connection.settimeout(1)
                connection.recv(1 << 16)
        with contextlib.suppress(OSError):
            connection.sendall(recorder.flights[-1])
        rest_of(connection)
    in_new_handshake(server, b"".join(record for record in records(said) if record[0] == 23))
    check(records(whole) and records(whole)[0][0] == 22, f"the server said no hello: {whole[:20]}")
    check(server.count("session_open") == before, "a recorded login was taken")
    check(refusal(server, token) is None, "the honest agent cannot come back")


def no_redirects(context):
    """Cases 64 and 65: the agent dials its own target alone, whatever Host or an answer says."""
    server = context.server

    def redirect(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n"
                           b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    with running(Program(redirect)) as (program,):
        with running(Agent(server, program.port, "--host-header", "169.254.169.254",
                           kind="http")) as (agent,):
            answer = fetch(server, agent.ready().host)
            check(answer.status == 302, f"{answer.start!r}")
            check(answer.get("location") == "http://169.254.169.254/", "it was changed")


def flood_of_binds(context):
    """One account asks for tunnels without end: its session ends, and nobody else notices."""
    server = Server(context.build, context.server.sandbox)  # whose ports may all be in their grace
    with running(server), tunnel(server) as (_, agent):
        before = children(server.process.pid)
        for kind in ("http", "tcp"):
            flood = RawAgent(server).welcomed(server.token("--account", "flood"))
            try:
                for number in range(1, 4001):
                    flood.say(type="bind", bind=number, kind=kind)
                    flood.say(type="unbind", bind=number)
            except OSError:
                pass
            flood.end()
            check(fetch(server, agent.host).status == 200, "the flood reached others")
        check(children(server.process.pid) == before, "a process was restarted")
        with tunnel(server) as (_, other):
            check(fetch(server, other.host).status == 200, "no new tunnel after the flood")


TESTS = [client_hellos, untouched, late_tls, no_alpn, logins, replayed_login, flood_of_binds, no_redirects]
