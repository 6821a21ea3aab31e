"""Wrong tokens, strangers at the port, programs that are not there."""
import os
import random
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

from harness import (Agent, Bystander, Failure, Program, Server, Stopwatch, check, children, echo,
                     fd_count, dead_port, receive_exactly, running, visit, wait_for)
from visitors import tls_hello


def refused_with(agent, code):
    event = agent.event("refused")
    check(event["code"] == code, f"refused with {event}")
    check(event["message"] and event["next_action"], f"no sentence: {event}")
    status = agent.process.wait()
    check(status == 3, f"exit status {status} instead of 3")


def changed(token):
    """The same token with one character of its tag changed."""
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def wrong_tokens(context):
    """Each refusal has its code, a sentence, what to do next, and exit status 3."""
    server = context.server
    cases = [
        (changed(server.token()), "token_invalid", ()),
        (server.token("--account", "test", "--ttl", "1s"), "token_expired", ()),
        (server.token("--account", "test", "--allow", "http"), "token_scope", ()),
        (server.token(), "port_range", ("--remote-port", "19")),
    ]
    time.sleep(1.2)
    for token, code, arguments in cases:
        with running(Agent(server, 1, *arguments, token=token)) as (agent,):
            refused_with(agent, code)


def another_server(context):
    """A certificate that does not verify: exit status 1 at once, no retry."""
    folder = context.server.data
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=another", "-days", "2",
                    "-keyout", f"{folder}/another.key", "-out", f"{folder}/another.pem"],
                   check=True, capture_output=True, timeout=20)
    with running(Agent(context.server, 1, ca=f"{folder}/another.pem")) as (agent,):
        status = agent.process.wait()
        check(status == 1, f"exit status {status} instead of 1: {agent.process.lines}")


def taken_port(context):
    """A port that another account has is refused; the holder notices nothing."""
    server = context.server
    with running(Program(echo)) as (program,), running(Agent(server, program.port)) as (holder,):
        holder.ready()
        bystander = Bystander(holder.port)
        other = server.token("--account", "other")
        with running(Agent(server, program.port, "--remote-port", str(holder.port),
                           token=other)) as (agent,):
            refused_with(agent, "port_taken")
        with running(Agent(server, program.port, "--remote-port", str(holder.port))) as (agent,):
            refused_with(agent, "port_taken")  # the same account, and its session lives
        bystander.finish()


def unreachable_program(context):
    """Nobody listens: the visitor is cut at once; then somebody does, and it works."""
    port = dead_port()
    with running(Agent(context.server, port)) as (agent,):
        agent.ready()
        watch = Stopwatch()
        try:
            with visit(agent.port) as s:  # the cut may be there before connect has returned
                data = s.recv(1)
            raise Failure(f"an orderly end or bytes ({data!r}) without a program")
        except ConnectionResetError:
            check(watch.own_s() < 2, f"the cut took {watch.s():.1f} s")
        event = agent.event("local_failed")
        check(event["reason"] == "refused", f"told as {event}")
        with running(Program(echo, port)):
            with visit(agent.port) as s:
                s.sendall(b"now?")
                check(receive_exactly(s, 4) == b"now?", "no echo")


def send_raw(port, data, read=True, seconds=5.0):
    """Sends bytes, returns what comes back until the end."""
    with visit(port, seconds) as s:
        s.sendall(data)
        if not read:
            return b""
        answer = b""
        try:
            while part := s.recv(4096):
                answer += part
        except (ConnectionResetError, TimeoutError):
            pass
        return answer


def garbage(context):
    """Strangers of every kind at the agents' port; the bystander and the processes stay."""
    server = context.server
    with running(Program(echo)) as (program,), running(Agent(server, program.port)) as (agent,):
        agent.ready()
        bystander = Bystander(agent.port)
        before = children(server.process.pid)
        worker, door = before["adit-worker"], before["adit-door"]
        fds = fd_count(worker), fd_count(door)
        answer = send_raw(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        check(answer.startswith(b"HTTP/1.1 400 ") and b"Adit-Error: bad_request" in answer,
              f"plain HTTP was answered {answer[:60]!r}")
        head, _, body = answer.partition(b"\r\n\r\n")
        check(b"Content-Length: %d\r\n" % len(body) in head + b"\r\n", "a wrong Content-Length")
        no_protocol = bytes.fromhex("15030300020278")
        for alpn in (None, ["h2"], ["http/1.1"]):
            answer = send_raw(server.port, tls_hello(alpn=alpn))
            check(answer == no_protocol, f"ALPN {alpn} was answered {answer!r}")
        answer = send_raw(server.port, bytes.fromhex("160300002e0100002a0300") + bytes(60))
        check(answer[:1] == b"\x15", f"SSLv3 was answered {answer!r}")
        hello = tls_hello(alpn=["adit/1"])
        send_raw(server.port, hello, read=False)                 # then silence, then the end
        send_raw(server.port, hello + os.urandom(2000))          # then garbage
        for cut in (1, 5, 6, 11, 43, 100, len(hello) - 1):       # cut anywhere
            send_raw(server.port, hello[:cut], read=False)
        generator = random.Random(4)
        for size in (0, 1, 2, 16, 300, 5000, 70000):
            send_raw(server.port, generator.randbytes(size), seconds=1.5)
        slow = visit(server.port)
        for byte in hello:                                       # one byte a packet
            slow.sendall(bytes([byte]))
        check(slow.recv(5)[:1] == b"\x16", "a slow ClientHello was not answered with a handshake")
        slow.close()
        session = logged_out_tls(server)
        for data in (b"\x01" * 12, bytes.fromhex("010000010000000100000000"), os.urandom(3000),
                     bytes.fromhex("000000010000000100000004ffffffff"),
                     bytes.fromhex("0000000100000001") + b"\x00\x00\x00\x04" + b"\x7f\xff\xff\xff",
                     bytes.fromhex("000000010000000100000006000000025b5b")):
            session = logged_out_tls(server)
            session.sendall(data)
            drain(session)
            session.close()
        bystander.finish()
        check(children(server.process.pid) == before, "a process was restarted")
        wait_for("descriptors are back to the start",
                 lambda: fd_count(worker) <= fds[0] and fd_count(door) <= fds[1], 15)


def logged_out_tls(server):
    """A TLS session with the agents' ALPN that has not logged in."""
    context = ssl.create_default_context(cafile=f"{server.data}/ca.pem")
    context.set_alpn_protocols(["adit/1"])
    raw = visit(server.port, 15)
    return context.wrap_socket(raw, server_hostname="connect.adit.localhost")


def drain(session):
    try:
        while session.recv(4096):
            pass
    except (OSError, ssl.SSLError):
        pass


def make_certificate(folder, number):
    """A CA-less certificate for connect.adit.localhost, which is its own root."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN=number {number}",
                    "-addext", "subjectAltName=DNS:connect.adit.localhost", "-days", "2",
                    "-keyout", f"{folder}/{number}.key", "-out", f"{folder}/{number}.pem"],
                   check=True, capture_output=True, timeout=20)


def certificate_renewed(context):
    """SIGHUP: new connections get the new certificate, a broken one is not taken, and those that
    live notice nothing."""
    with tempfile.TemporaryDirectory() as folder, running(Program(echo)) as (program,):
        os.chmod(folder, 0o755)
        for number in (1, 2):
            make_certificate(folder, number)
        shutil.copy(f"{folder}/1.pem", f"{folder}/cert.pem")
        shutil.copy(f"{folder}/1.key", f"{folder}/cert.key")
        server = Server(context.build, context.server.sandbox,
                        ("--cert", f"{folder}/cert.pem", "--key", f"{folder}/cert.key"))
        with running(server), running(
                Agent(server, program.port, ca=f"{folder}/1.pem")) as (agent,):
            agent.ready()
            bystander = Bystander(agent.port)
            shutil.copy(f"{folder}/2.pem", f"{folder}/cert.pem")  # and still the key of the first
            server.process.send_signal(signal.SIGHUP)
            wait_for("the server refuses it", lambda: server.count("credentials_refused") == 1)
            with running(Agent(server, program.port, ca=f"{folder}/1.pem")) as (again,):
                again.ready()
            shutil.copy(f"{folder}/2.key", f"{folder}/cert.key")
            server.process.send_signal(signal.SIGHUP)
            wait_for("the worker takes it", lambda: server.count("credentials_renewed") == 1)
            with running(Agent(server, program.port, ca=f"{folder}/2.pem")) as (again,):
                again.ready()
            with running(Agent(server, program.port, ca=f"{folder}/1.pem")) as (again,):
                check(again.process.wait() == 1, "the old certificate is still given out")
            bystander.finish()


def silence(context):
    """Who connects and says nothing is gone after 10 s, before TLS and before the login."""
    server = context.server
    quiet, tls = visit(server.port, 20), logged_out_tls(server)
    begin = time.monotonic()
    drain(quiet)
    drain(tls)
    took = time.monotonic() - begin
    check(8 < took < 16, f"they were closed after {took:.1f} s")


def usage(context):
    """Wrong command lines: one clear line, exit status 2."""
    build = context.server.build
    for arguments, word in [
        ([f"{build}/adit"], "help"),
        ([f"{build}/adit", "tpc", "3000"], "tcp"),
        ([f"{build}/adit", "tcp", "nowhere"], "TARGET"),
        ([f"{build}/adit", "tcp", "3000", "--remote-prot", "5"], "remote-port"),
        ([f"{build}/adit", "tcp", "3000"], "token"),
        ([f"{build}/aditd", "serve", "--tcp-ports", "9-1"], "tcp-ports"),
        ([f"{build}/aditd", "token", "create"], "account"),
    ]:
        out = subprocess.run(arguments, capture_output=True, text=True, timeout=10, check=False,
                             env={"PATH": os.environ["PATH"]})
        check(out.returncode == 2, f"{arguments[1:]}: exit status {out.returncode}")
        check(out.stderr.count("\n") == 1 and word in out.stderr,
              f"{arguments[1:]}: complained {out.stderr!r}")


def sandboxed(context):
    """Every role that meets strangers runs under its filter, without privileges."""
    if not context.server.sandbox:
        return
    with running(Agent(context.server, 1)) as (agent,):
        agent.ready()
        roles = dict(children(context.server.process.pid), agent=agent.process.pid)
        for name in ("adit-control", "adit-door", "adit-worker", "agent"):
            with open(f"/proc/{roles[name]}/status", encoding="utf-8") as f:
                fields = dict(line.split(":\t", 1) for line in f if ":\t" in line)
            check(fields["Seccomp"].strip() == "2", f"{name} has no seccomp filter")
            check(fields["NoNewPrivs"].strip() == "1", f"{name} could gain privileges")
            allowed = 1 << 1 if name == "adit-control" else 0  # CAP_DAC_OVERRIDE
            check(int(fields["CapEff"], 16) & ~allowed == 0, f"{name} has capabilities")


TESTS = [usage, wrong_tokens, another_server, taken_port, unreachable_program, garbage,
         certificate_renewed, silence, sandboxed]
