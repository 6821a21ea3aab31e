"""HTTP and TLS tunnels as their users know them: a name that answers over HTTPS, whole and in order."""
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

from bystanders import heads
from harness import (PATIENCE_S, Agent, Failure, Program, Server, Stopwatch, check, echo, fd_count,
                     dead_port, pattern, running, wait_for)
from messages import (Ended, Wire, frame, read_body, read_frame, read_head, read_response,
                      upgrade_request)
from programs import Tls, Web, receive_counted, send_counted, turned
from visitors import Visitor, fetch


@contextlib.contextmanager
def tunnel(server, program=None, *arguments, **options):
    """A program behind a tunnel of kind http: (program, agent)."""
    with running(program or Web()) as (behind,):
        with running(Agent(server, behind.port, *arguments, **{"kind": "http", **options})) as (agent,):
            yield behind, agent.ready()


def download(context):
    """A big answer with a length, in chunks, and ended by the program's close: equal hashes."""
    with tunnel(context.server) as (program, agent):
        for framing, mib in (("length", context.mib), ("chunked", context.mib), ("close", 16)):
            with Visitor(context.server, agent.host, seconds=60) as visitor:
                path = f"/down/{framing}/{mib}"
                begin = time.monotonic()
                visitor.request(path)
                answer = read_body(visitor, read_head(visitor), to_end=True, keep=0)
                took = time.monotonic() - begin
                check(answer.status == 200 and answer.length == mib << 20,
                      f"{framing}: {answer.start!r}, {answer.length} bytes")
                check(answer.digest == program.sent[path], f"{framing}: another hash")
                if framing == "chunked":
                    check(answer.trailers == [("X-Sha256", answer.digest)],
                          f"trailers {answer.trailers}")
                if mib == context.mib:
                    context.say(f"{mib} MiB down, {framing}: {mib / took:.0f} MiB/s")


def upload(context):
    """A big request body with a length and in chunks; the program hashes."""
    with tunnel(context.server) as (_, agent):
        for framing in ("length", "chunked"):
            with Visitor(context.server, agent.host, seconds=60) as visitor:
                field = {"length": f"Content-Length: {context.mib << 20}",
                         "chunked": "Transfer-Encoding: chunked"}[framing]
                visitor.send(f"PUT /echo/{framing} HTTP/1.1\r\nHost: {agent.host}\r\n"
                             f"{field}\r\n\r\n".encode())
                digest, begin = hashlib.sha256(), time.monotonic()
                for i in range(context.mib):
                    block = turned(i)
                    digest.update(block)
                    if framing == "chunked":
                        visitor.send(b"%x\r\n" % len(block))
                    visitor.send(block)
                    if framing == "chunked":
                        visitor.send(b"\r\n")
                if framing == "chunked":
                    visitor.send(b"0\r\nX-Sha256: %s\r\n\r\n" % digest.hexdigest().encode())
                answer = read_response(visitor)
                took = time.monotonic() - begin
                check(answer.status == 200, f"{framing}: {answer.start!r}")
                seen = heads(answer)
                check(seen["length"] == context.mib << 20, f"{framing}: {seen['length']} bytes")
                check(seen["sha256"] == digest.hexdigest(), f"{framing}: another hash")
                if framing == "chunked":
                    check(seen["trailers"] == [["X-Sha256", digest.hexdigest()]],
                          f"the program saw trailers {seen['trailers']}")
                context.say(f"{context.mib} MiB up, {framing}: {context.mib / took:.0f} MiB/s")


def passthrough(context):
    """TLS that nobody but the program ends, at the same port, down and up."""
    sums = {}

    def serve(inside):
        sums["got"] = receive_counted(inside)
        sums["sent"] = send_counted(inside, context.mib)
        inside.recv(1)

    with tempfile.TemporaryDirectory() as folder:
        with running(Tls(folder, "through.adit.localhost", serve)) as (program,):
            with tunnel(context.server, program, kind="tls", name="through") as (_, agent):
                check(agent.url == f"tls://through.adit.localhost:{context.server.port}", agent.url)
                with program.visit(context.server.port, "through.adit.localhost") as s:
                    name = dict(part[0] for part in s.getpeercert()["subject"])["commonName"]
                    check(name == "passthrough", f"TLS was ended by {name}")
                    begin = time.monotonic()
                    sent = send_counted(s, context.mib)
                    got, count = receive_counted(s)
                    took = time.monotonic() - begin
                check(sums["got"] == (sent, context.mib << 20), "another hash going up")
                check((got, count) == (sums["sent"], context.mib << 20), "another hash coming down")
                context.say(f"{context.mib} MiB up and down through TLS passthrough: "
                            f"{2 * context.mib / took:.0f} MiB/s")


def events_one_by_one(context):
    """100 server-sent events: each arrives before the next is sent."""
    with tunnel(context.server) as (program, agent):
        with Visitor(context.server, agent.host) as visitor:
            visitor.request("/events", "GET", "Accept: text/event-stream")
            head = read_head(visitor)
            check(head.get("content-type") == "text/event-stream", f"{head.raw!r}")
            slowest, text = 0.0, b""
            for i in range(100):
                begin = time.monotonic()
                program.events.put(i)
                while f"data: {i}\n\n".encode() not in text:
                    size = int(visitor.until(b"\r\n"), 16)
                    text += visitor.exactly(size)
                    check(visitor.exactly(2) == b"\r\n", "a chunk has no end")
                slowest = max(slowest, time.monotonic() - begin)
                text = b""
            program.events.put(None)
            check(visitor.until(b"\r\n\r\n") == b"0", "no last chunk")
            context.say(f"the slowest of 100 events took {slowest * 1000:.1f} ms")


def websocket(context):
    """An echo of frames of every size; the first in the same packet as the upgrade (case 142)."""
    with tunnel(context.server) as (program, agent):
        with Visitor(context.server, agent.host) as visitor:
            visitor.upgrade(at_once=frame(b"in the same packet"))
            check(read_frame(visitor) == (2, b"in the same packet"), "the early frame is lost")
            for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
                visitor.echo(pattern(size, size))
            for i in range(200):
                visitor.echo(pattern(i, i))
            visitor.send(frame(b"\x03\xe8", opcode=8))
            check(read_frame(visitor) == (8, b"\x03\xe8"), "no close frame")
            check(visitor.how_ends() == "end", "no orderly end")
        with Visitor(context.server, agent.host) as visitor:
            visitor.upgrade()
            visitor.send(frame(b"cut here")[:7])
            watch = Stopwatch()
            visitor.reset()
            how = program.endings.get(timeout=PATIENCE_S)
            check(how == "reset", f"the program saw the visitor's reset as {how}")
            check(watch.own_s() < 1, f"the program was told after {watch.s():.1f} s")
        check(agent.url.startswith("https://"), agent.url)


def leaves(context):
    """A visitor who leaves while the program is silent: it learns of that at once."""
    left = queue.Queue()

    class Watched(Web):
        def do_watch(self, wire, request):
            self._read(wire, request)
            wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                wire.more()
            except Ended as ended:
                left.put(ended.how)
            return False

    with tunnel(context.server, Watched()) as (_, agent):
        visitor = Visitor(context.server, agent.host)
        visitor.request("/watch", "GET", "Accept: text/event-stream")
        read_head(visitor)
        watch = Stopwatch()
        visitor.close()
        try:
            left.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise Failure("the program still talks to a visitor who has left") from None
        check(watch.own_s() < 2, f"the program was told after {watch.s():.1f} s")


def websocket_cut(context):
    """The agent vanishes: the WebSocket's visitor is cut within a second (case 143)."""
    with tunnel(context.server) as (_, agent):
        with Visitor(context.server, agent.host) as visitor:
            visitor.upgrade()
            agent.process.send_signal(signal.SIGKILL)
            watch = Stopwatch()
            how = visitor.how_ends()
            check(how in ("reset", "ragged"), f"the cut looks like {how}")
            check(watch.own_s() < 1, f"it took {watch.s():.1f} s")


def thousand_keep_alive(context):
    """1,000 visitors at once on their own connections, each with several requests."""
    with tunnel(context.server) as (program, agent):
        worker = context.server.role("adit-worker")
        before = fd_count(worker)
        trust = context.server.trust()
        begin = time.monotonic()
        visitors = []
        for i in range(1000):
            visitors.append(Visitor(context.server, agent.host, context=trust, seconds=60))
            # At once: who says nothing for 10 s is let go, and 1,000 may take longer than that.
            visitors[-1].request(f"/same/0/{i}", "POST", body=pattern(i, 300))
        connected = time.monotonic() - begin
        check(fd_count(worker) >= before + 1000, "they are not all open at once")
        begin = time.monotonic()
        for turn in range(3):
            for i, visitor in enumerate(visitors if turn > 0 else ()):
                visitor.request(f"/same/{turn}/{i}", "POST", body=pattern(i + turn, 300))
            for i, visitor in enumerate(visitors):
                answer = read_response(visitor)
                check(answer.status == 200, f"visitor {i}: {answer.start!r}")
                check(answer.body == pattern(i + turn, 300), f"visitor {i} got another's body")
        took = time.monotonic() - begin
        context.say(f"1,000 visitors connected in {connected:.1f} s; 3,000 requests in {took:.1f} s "
                    f"over {program.connections} connections to the program")
        for visitor in visitors:
            visitor.close()
        wait_for("the worker's descriptors are back", lambda: fd_count(worker) <= before + 1)


def keep_alive_behind(context):
    """Requests one after another use the same connection to the program."""
    with tunnel(context.server) as (program, agent):
        with Visitor(context.server, agent.host) as visitor:
            for i in range(50):
                check(visitor.ask(f"/echo/{i}").status == 200, "a request failed")
        for i in range(10):
            check(fetch(context.server, agent.host, f"/echo/again/{i}").status == 200, "failed")
        check(program.connections <= 3, f"{program.connections} connections for 60 requests")


def messages(context):
    """What the protocol can say: HEAD, no body, hints, trailers, old versions, pipelining."""
    with tunnel(context.server) as (program, agent), Visitor(context.server, agent.host) as visitor:
        answer = visitor.ask("/head", "HEAD")
        check(answer.status == 200 and answer.get("content-length") == "12345", f"{answer.raw!r}")
        for status in (204, 304):
            answer = visitor.ask(f"/status/{status}")
            check(answer.status == status and answer.get("x-kept") == "yes", f"{answer.raw!r}")
        answer = visitor.ask("/hints")
        check([hint.status for hint in answer.interim] == [103, 102], "interim responses are lost")
        check(answer.interim[0].get("link") == "</a.css>; rel=preload", "a hint without its field")
        check(answer.body == b"after hints", f"{answer.body!r}")
        answer = visitor.ask("/trailers", "GET", "TE: trailers", "Connection: TE")
        check(answer.body == b"hello" and answer.trailers == [("X-After", "it")],
              f"{answer.body!r} {answer.trailers}")
        answer = visitor.ask("/old")
        check(answer.status == 200 and answer.body == b"old but fine", f"{answer.body!r}")
        check(visitor.ask("/echo/after").status == 200, "the visitor's connection did not go on")
        for i in range(10):
            visitor.request(f"/echo/{i}")
        for i in range(10):
            check(heads(read_response(visitor))["target"] == f"/echo/{i}", "out of order")
        visitor.request("/echo/old", version="1.0")
        answer = read_response(visitor)
        check(answer.status == 200 and visitor.how_ends() == "end", "HTTP/1.0 was kept open")
    check(any(request.target == "/echo/old" for request in program.requests), "not forwarded")


def expectations(context):
    """Expect: 100-continue, with the body late and at once; an answer before the body."""
    with tunnel(context.server) as (_, agent):
        fields = ("Expect: 100-continue", "Content-Length: 5")
        with Visitor(context.server, agent.host) as visitor:
            visitor.request("/echo/late", "POST", *fields)
            check(read_head(visitor).status == 100, "no 100")
            visitor.send(b"hello")
            check(heads(read_response(visitor))["length"] == 5, "the late body is lost")
            visitor.request("/echo/at-once", "POST", *fields)
            visitor.send(b"hello")
            check(heads(read_response(visitor))["length"] == 5, "the early body is lost")
        with Visitor(context.server, agent.host) as visitor:
            visitor.request("/early", "POST", "Expect: 100-continue", "Content-Length: 500000000")
            answer = read_response(visitor)
            check(answer.status == 413 and not answer.interim, f"{answer.start!r}")
            check(answer.get("connection") == "close", "it would be used again")
            check(visitor.how_ends() == "end", "it was not closed in order")
        with Visitor(context.server, agent.host) as visitor:
            visitor.request("/early", "POST", "Content-Length: 500000000")
            visitor.send(bytes(1 << 16))
            answer = read_response(visitor)
            check(answer.status == 413 and answer.body == b"too large", f"{answer.start!r}")
            check(answer.get("connection") == "close", "it would be used again")


def forwarding(context):
    """What the program is told of the visitor cannot be made up; Host passes unless told otherwise."""
    server = context.server
    with tunnel(server) as (_, agent):
        with Visitor(server, agent.host) as visitor:
            answer = visitor.ask("/echo", "GET", "X-Forwarded-For: 6.6.6.6",
                                 "x-forwarded-FOR: 6.6.6.7", "Forwarded: for=6.6.6.6",
                                 "Forwarded: for=6.6.6.7", "X-Real-IP: 6.6.6.6",
                                 "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: gopher",
                                 "X-Forwarded-Port: 666", "Keep-Alive: timeout=5",
                                 "Proxy-Authorization: Basic AAAA", "Proxy-Connection: close",
                                 "TE: trailers, deflate", "Connection: keep-alive, X-Hop",
                                 "X-Hop: 1", "X-Stays: 2")
            seen = {}
            for name, value in heads(answer)["fields"]:
                seen.setdefault(name.lower(), []).append(value)
            check(seen["x-forwarded-for"] == ["127.0.0.1"], f"{seen['x-forwarded-for']}")
            check(seen["x-forwarded-proto"] == ["https"], f"{seen['x-forwarded-proto']}")
            check(seen["x-forwarded-host"] == [agent.host], f"{seen['x-forwarded-host']}")
            forwarded = seen["forwarded"]
            check(len(forwarded) == 1 and "for=127.0.0.1" in forwarded[0]
                  and "proto=https" in forwarded[0], f"{forwarded}")
            check("6.6.6" not in answer.body.decode() and "evil" not in answer.body.decode(),
                  "something that the visitor made up came through")
            for name in ("keep-alive", "proxy-authorization", "proxy-connection", "x-hop"):
                check(name not in seen, f"{name} came through")
            check(seen["x-stays"] == ["2"] and seen["host"] == [agent.host], f"{seen}")
            check(heads(visitor.ask("/echo?a=b%20c//../d;e=%00"))["target"]
                  == "/echo?a=b%20c//../d;e=%00", "the target was changed")
        agent_host = agent.host
    with tunnel(server, None, "--host-header", "inside.test:81") as (_, agent):
        with Visitor(server, agent.host) as visitor:
            seen = {name.lower(): value for name, value in heads(visitor.ask("/echo"))["fields"]}
            check(seen["host"] == "inside.test:81", f"Host: {seen['host']}")
            check(seen["x-forwarded-host"] == agent.host != agent_host, f"{seen}")


def expect_error(answer, status, code):
    check(answer.status == status, f"{code}: {answer.start!r}")
    check(answer.get("adit-error") == code, f"{code}: Adit-Error {answer.get('adit-error')}")
    check(code in answer.body.decode(), f"{code} is not in the body")


def error_pages(context):
    """A page for people, JSON when asked for, and the code always."""
    server = context.server
    for accept, kind in (("text/html,*/*", "text/html"), ("application/json", "application/json")):
        with Visitor(server, f"nobody.adit.localhost:{server.port}") as visitor:
            answer = visitor.ask("/<script>x</script>", "GET", f"Accept: {accept}")
            expect_error(answer, 404, "tunnel_not_found")
            check(answer.get("content-type", "").startswith(kind), f"{answer.get('content-type')}")
            check(b"<script" not in answer.body, "the page repeats what it was sent")
            check(answer.get("cache-control") == "no-store", "the page may be kept")
            if kind == "application/json":
                error = json.loads(answer.body)["error"]
                check(error["code"] == "tunnel_not_found" and error["message"]
                      and error["next_action"], f"{error}")
    with running(Agent(server, dead_port(), kind="http")) as (agent,):
        expect_error(fetch(server, agent.ready().host), 502, "upstream_refused")
    with running(Program(lambda s: (s.recv(9999), s.sendall(b"SSH-2.0-x\r\n\r\n")))) as (other,):
        with tunnel(server, other) as (_, agent):
            expect_error(fetch(server, agent.host), 502, "upstream_bad_response")


def agent_gone(context):
    """The agent dies: before the answer 502, within its body a visible cut."""
    server = context.server
    with tunnel(server) as (program, agent):
        with Visitor(server, agent.host) as waiting, Visitor(server, agent.host) as reading:
            reading.request("/slow")
            check(read_head(reading).get("content-length") == "10", "no head")
            check(reading.exactly(5) == b"first", "no first half")
            waiting.request("/events")
            read_head(waiting)
            with Visitor(server, agent.host) as third:
                third.request("/echo/never", "POST", "Content-Length: 5")
                wait_for("the program has the request",
                         lambda: any(r.target == "/echo/never" for r in program.requests))
                agent.process.send_signal(signal.SIGKILL)
                expect_error(read_response(third), 502, "agent_gone")
            how = reading.how_ends()
            check(how in ("reset", "ragged"), f"the cut body looks like {how}")
            how = waiting.how_ends()
            check(how in ("reset", "ragged"), f"the cut chunked body looks like {how}")
        for _ in range(3):
            program.events.put(None)


def plain_port(context):
    """HTTP at its own port: redirected to HTTPS, or served where that was asked for."""
    with tunnel(context.server) as (_, agent):
        name = agent.host.split(":")[0]
        with Visitor(context.server, f"{name}:{context.server.http_port}", plain=True) as visitor:
            answer = visitor.ask("/a/b?c=d")
            check(answer.status == 308, f"{answer.start!r}")
            check(answer.get("location") == f"{agent.url}/a/b?c=d", f"to {answer.get('location')}")
    server = Server(context.build, context.server.sandbox, mode="serve")
    with running(server), tunnel(server) as (program, agent):
        host = f"{agent.host.split(':')[0]}:{server.http_port}"
        with Visitor(server, host, plain=True) as visitor:
            seen = dict(map(tuple, heads(visitor.ask("/echo"))["fields"]))
            check(seen["X-Forwarded-Proto"] == "http", f"{seen}")
            visitor.request("/echo/half", "POST", body=b"x" * 1000)
            visitor.socket.shutdown(socket.SHUT_WR)
            check(heads(read_response(visitor))["length"] == 1000, "no answer after a half-close")
            check(visitor.how_ends() == "end", "no orderly end")
        with Visitor(server, host, plain=True) as visitor:
            visitor.upgrade()
            visitor.echo(b"plain")
        check(fetch(server, agent.host, "/echo/tls").status == 200, "HTTPS beside it fails")
        check(program.requests, "nothing came")


def certificate(folder, number):
    """A certificate for every name, which is its own root."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN=number {number}", "-addext",
                    "subjectAltName=DNS:adit.localhost,DNS:*.adit.localhost", "-days", "2",
                    "-keyout", f"{folder}/{number}.key", "-out", f"{folder}/{number}.pem"],
                   check=True, capture_output=True, timeout=20)


def many_transfers(context):
    """40 downloads and 40 uploads at once over one agent: each whole, and a small request passes."""
    mib = 4
    with tunnel(context.server) as (program, agent):
        trust, wrong, times = context.server.trust(), [], []

        def down(_):
            with Visitor(context.server, agent.host, context=trust, seconds=100) as visitor:
                answer = visitor.ask(f"/down/chunked/{mib}")
                check(answer.digest == program.sent[f"/down/chunked/{mib}"], "another hash")

        def up(index):
            with Visitor(context.server, agent.host, context=trust, seconds=100) as visitor:
                body = turned(index) * mib
                seen = heads(visitor.ask("/echo", "PUT", body=body))
                check(seen["sha256"] == hashlib.sha256(body).hexdigest(), "another hash")

        def guarded(work, index):
            try:
                work(index)
            except Exception as error:  # whatever it is, it was not whole
                wrong.append(f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=guarded, args=(work, i), daemon=True)
                   for i in range(40) for work in (down, up)]
        for thread in threads:
            thread.start()
        with Visitor(context.server, agent.host, context=trust) as visitor:
            while any(thread.is_alive() for thread in threads):
                begin = time.monotonic()
                check(visitor.ask("/echo").status == 200, "a small request failed")
                times.append((time.monotonic() - begin) * 1000)
                time.sleep(0.02)
        check(not wrong, f"{len(wrong)} of 80: {wrong[:3]}")
        context.say(f"80 transfers of {mib} MiB; {len(times)} small requests beside them, "
                    f"slowest {max(times):.0f} ms")


def too_many_streams(context):
    """1,100 WebSockets on one session: as many as it carries live, the others are told why."""
    with tunnel(context.server) as (_, agent):
        trust, visitors, answers = context.server.trust(), [], {}
        for _ in range(1100):
            visitor = Visitor(context.server, agent.host, context=trust, seconds=60)
            visitor.send(upgrade_request(agent.host))
            visitors.append(visitor)
        for visitor in visitors:
            answer = read_head(visitor)
            answers[answer.status] = answers.get(answer.status, 0) + 1
            if answer.status != 101:
                check(answer.status == 503 and answer.get("adit-error") == "overloaded"
                      and answer.get("retry-after"), f"{answer.raw!r}")
        check(1000 <= answers.get(101, 0) < 1100, f"{answers}")
        for visitor in visitors:
            visitor.close()
        wait_for("there is room again",
                 lambda: fetch(context.server, agent.host).status == 200)
        context.say(f"{answers[101]} of 1,100 WebSockets at once")


def both_families(context):
    """A server at ::1: agents and visitors reach it there, and the program hears of it."""
    if not socket.has_ipv6:
        return
    server = Server(context.build, context.server.sandbox, address="[::1]")
    with running(server):
        with tunnel(server) as (_, agent):
            raw = socket.create_connection(("::1", server.port), timeout=10)
            wire = Wire(server.trust().wrap_socket(raw, server_hostname=agent.host.split(":")[0]))
            wire.send(f"GET /echo HTTP/1.1\r\nHost: {agent.host}\r\n\r\n".encode())
            seen = {name.lower(): value for name, value in heads(read_response(wire))["fields"]}
            check(seen["x-forwarded-for"] == "::1", f"{seen['x-forwarded-for']}")
            check('for="[::1]"' in seen["forwarded"], f"{seen['forwarded']}")
            wire.close()


def reload_under_load(context):
    """SIGHUP with another certificate: nothing that runs or begins is dropped."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for number in (1, 2):
            certificate(folder, number)
        with open(f"{folder}/both.pem", "wb") as out:
            for number in (1, 2):
                with open(f"{folder}/{number}.pem", "rb") as one:
                    out.write(one.read())
        for ending in ("pem", "key"):
            shutil.copy(f"{folder}/1.{ending}", f"{folder}/now.{ending}")
        server = Server(context.build, context.server.sandbox,
                        ("--cert", f"{folder}/now.pem", "--key", f"{folder}/now.key"))
        trust = ssl.create_default_context(cafile=f"{folder}/both.pem")
        with running(server), tunnel(server, ca=f"{folder}/both.pem") as (_, agent):
            stop, wrong, count = threading.Event(), [], [0]

            def keep_asking(is_new):
                visitor = None
                try:
                    while not stop.is_set():
                        visitor = visitor or Visitor(server, agent.host, context=trust)
                        answer = visitor.ask("/same", "POST", body=pattern(count[0], 5000))
                        check(answer.status == 200, answer.start)
                        count[0] += 1
                        if is_new:
                            visitor.close()
                            visitor = None
                except Exception as error:  # whatever it is, it was dropped
                    wrong.append(f"{type(error).__name__}: {error}")

            threads = [threading.Thread(target=keep_asking, args=(i % 2,), daemon=True)
                       for i in range(4)]
            for thread in threads:
                thread.start()
            for turn in range(6):
                for ending in ("pem", "key"):
                    shutil.copy(f"{folder}/{1 + (turn + 1) % 2}.{ending}", f"{folder}/now.{ending}")
                server.process.send_signal(signal.SIGHUP)
                wait_for("the worker takes it",
                         lambda t=turn: server.count("credentials_renewed") == t + 1)
                with Visitor(server, agent.host, context=trust) as visitor:
                    subject = dict(part[0] for part in visitor.socket.getpeercert()["subject"])
                    expected = f"number {1 + (turn + 1) % 2}"
                    check(subject["commonName"] == expected, f"{subject} instead of {expected}")
            stop.set()
            for thread in threads:
                thread.join(10)
            check(not wrong, f"dropped: {wrong[:3]}")
            context.say(f"{count[0]} requests over 6 changes of the certificate")


def resumption(context):
    """Tickets: TLS 1.2 and 1.3 resume, also after the worker was replaced, never under another name."""
    server = context.server
    with tunnel(server) as (_, agent):
        def connect(tls, session, name):
            raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            s = tls.wrap_socket(raw, server_hostname=name, session=session)
            wire = Wire(s)
            wire.send(f"GET /echo HTTP/1.1\r\nHost: {agent.host}\r\n\r\n".encode())
            answer = read_response(wire)
            reused, session = s.session_reused, s.session
            s.close()
            return reused, session, answer.status

        name = agent.host.split(":")[0]
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            tls = server.trust()
            tls.minimum_version = tls.maximum_version = version
            reused, session, status = connect(tls, None, name)
            check(not reused and status == 200, f"{version.name}: a first connection resumed")
            reused, session, status = connect(tls, session, name)
            check(reused and status == 200, f"{version.name} did not resume")
            reused, _, _ = connect(tls, session, "other.adit.localhost")
            check(not reused, f"{version.name} resumed under another name")


def addresses(context):
    """The same port by IPv4 address and the certificate's other names; a name in capitals."""
    server = context.server
    with tunnel(server) as (_, agent):
        name = agent.host.split(":")[0]
        for host in (agent.host, name, name.upper(), name + ".", f"{name}:{server.port}"):
            with Visitor(server, host, server_name=name) as visitor:
                answer = visitor.ask("/echo")
                check(answer.status == 200, f"Host: {host} was answered {answer.start!r}")
                seen = {field.lower(): value for field, value in heads(answer)["fields"]}
                check(seen["host"] == host, f"Host {host} became {seen['host']}")


TESTS = [messages, expectations, forwarding, addresses, error_pages, agent_gone, plain_port,
         events_one_by_one, leaves, websocket, websocket_cut, keep_alive_behind, thousand_keep_alive,
         too_many_streams, many_transfers, both_families, download, upload, passthrough, reload_under_load, resumption]
