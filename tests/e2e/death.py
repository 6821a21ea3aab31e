"""Each process dies, or stops answering; what is cut is cut visibly, and everything comes back."""
import os
import signal
import socket
import struct
import threading
import time

from harness import (Agent, Bystander, Failure, Program, Server, Stopwatch, check, children, echo, fd_count,
                     is_running, receive_exactly, running, visit, wait_for)
from programs import Web
from raw_agent import refusal
from visitors import Visitor, fetch
from web import tunnel

BLOCK = os.urandom(1 << 16)


def endless(connection):
    """Announces a gigabyte, and sends until somebody stops it."""
    connection.sendall(struct.pack(">Q", 1 << 30))
    for _ in range(1 << 14):
        connection.sendall(BLOCK)


def expect_cut(s):
    """Reads until the end; it must be a reset, not an orderly close."""
    try:
        while s.recv(1 << 20):
            pass
    except ConnectionResetError:
        return
    raise Failure("the cut transfer looks like an orderly end")


def works(port):
    """An echo through the tunnel, as soon as it works again."""
    def attempt():
        try:
            with visit(port, 5) as s:
                s.sendall(b"hello")
                return receive_exactly(s, 5) == b"hello"
        except (OSError, Failure):
            return False
    wait_for("the tunnel works", attempt)


def either(connection):
    if receive_exactly(connection, 1) == b"D":
        endless(connection)
        return
    connection.sendall(b"h")
    while data := connection.recv(65536):
        connection.sendall(data)


def echo_once(port):
    with visit(port, 5) as s:
        s.sendall(b"hello")
        check(receive_exactly(s, 5) == b"hello", "a wrong echo")


def worker_killed(context):
    """Its sessions are visibly cut; the agent is back with the same port."""
    server = context.server
    with running(Program(either)) as (program,), running(Agent(server, program.port)) as (agent,):
        agent.ready()
        port = agent.port
        s = visit(port)
        s.sendall(b"D")
        receive_exactly(s, 1 << 20)
        old = server.role("adit-worker")
        os.kill(old, signal.SIGKILL)
        begin = time.monotonic()
        expect_cut(s)
        agent.event("reconnected")
        took = time.monotonic() - begin
        works(port)
        check(server.role("adit-worker") != old, "no new worker")
        context.say(f"the agent was back {took:.2f} s after its worker died, on the same port")


def door_killed(context):
    """Live connections go on; new ones wait a moment and work; new agents too."""
    server = context.server
    with running(Program(echo)) as (program,), running(Agent(server, program.port)) as (agent,):
        agent.ready()
        bystander = Bystander(agent.port)
        old = server.role("adit-door")
        os.kill(old, signal.SIGKILL)
        echo_once(agent.port)
        wait_for("a new door", lambda: children(server.process.pid).get("adit-door", old) != old)
        with running(Agent(server, program.port)) as (second,):
            second.ready()
            check(second.port != agent.port, "the new door gave a port away twice")
            echo_once(second.port)
        echo_once(agent.port)
        bystander.finish()


def door_killed_with_names(context):
    """A new door knows every name: those in use, and those that are only held."""
    server = context.server
    held = server.token("--account", "holder")
    with running(Agent(server, 1, kind="http", name="only-held", token=held)) as (agent,):
        agent.ready()
    with tunnel(server, name="in-use") as (_, agent):
        with Visitor(server, agent.host) as visitor:
            check(visitor.ask("/echo").status == 200, "no answer")
            old = server.role("adit-door")
            os.kill(old, signal.SIGKILL)
            check(visitor.ask("/echo").status == 200, "a live connection died with the door")
            wait_for("a new door",
                     lambda: children(server.process.pid).get("adit-door", old) != old)
            check(fetch(server, agent.host).status == 200, "the new door does not know the name")
        other = server.token("--account", "other")
        for name in ("in-use", "only-held"):
            code = refusal(server, other, kind="http", name=name)
            check(code == "name_taken", f"{name} of another account: {code}")


def agent_killed(context):
    """Its visitors are visibly cut; started again it has its port back."""
    server = context.server
    with running(Program(either)) as (program,), running(Agent(server, program.port)) as (agent,):
        agent.ready()
        s = visit(agent.port)
        s.sendall(b"D")
        receive_exactly(s, 1 << 20)
        agent.process.send_signal(signal.SIGKILL)
        expect_cut(s)
        with running(Agent(server, program.port, "--remote-port", str(agent.port))) as (again,):
            again.ready()
            check(again.port == agent.port, "another port")
            works(again.port)


def agent_returns(context):
    """While an agent is away for a moment its visitors wait: they see latency, not an error."""
    server = context.server
    token = server.token()
    with running(Web()) as (program,):
        first = Agent(server, program.port, kind="http", name="returns", token=token)
        with running(first):
            host = first.ready().host
            check(fetch(server, host).status == 200, "no answer")
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
        answers = []
        waiting = [threading.Thread(target=lambda: answers.append(fetch(server, host).status))
                   for _ in range(5)]
        for thread in waiting:
            thread.start()
        time.sleep(1)
        check(not answers, f"they were answered {answers} without an agent")
        with running(Agent(server, program.port, kind="http", name="returns", token=token)) as (again,):
            again.ready()
            for thread in waiting:
                thread.join(10)
        check(answers == [200] * 5, f"they were answered {answers}")


def agent_terminated(context):
    """An agent that is told to stop gives its port up: the next visitor is refused at once."""
    server = context.server
    with running(Program(echo)) as (program,), running(Agent(server, program.port)) as (agent,):
        agent.ready()
        works(agent.port)
        agent.process.send_signal(signal.SIGTERM)
        check(agent.process.wait() == 0, "its exit status is not 0")

        def refused():
            try:
                visit(agent.port, 1).close()
                return False
            except ConnectionRefusedError:
                return True
        watch = Stopwatch()
        wait_for("visitors are refused", refused)
        check(watch.own_s() < 1, f"visitors were refused after {watch.s():.1f} s")


def agent_stopped(context):
    """A stale session gives way: a new agent with the same token has the port within 2 s."""
    server = context.server
    with running(Program(echo)) as (program,), running(Agent(server, program.port)) as (stale,):
        stale.ready()
        works(stale.port)
        stale.process.send_signal(signal.SIGSTOP)
        watch = Stopwatch()
        with running(Agent(server, program.port, "--remote-port", str(stale.port))) as (agent,):
            agent.ready()
            took = watch.s()
            check(watch.own_s() < 2.5, f"it took {took:.1f} s")
            works(agent.port)
            context.say(f"a stale session gave way after {took:.2f} s")


def many_agents(context):
    """Agents come and go; the worker is as before."""
    server = context.server
    with running(Program(echo)) as (program,):
        worker = server.role("adit-worker")
        token = server.token()
        wait_for("sessions of other tests are gone", lambda: fd_count(worker) < 14)
        before = fd_count(worker)
        for _ in range(12):
            with running(Agent(server, program.port, token=token)) as (agent,):
                agent.ready()
                works(agent.port)
        wait_for("descriptors are back to the start", lambda: fd_count(worker) <= before)


def server_late(context):
    """An agent that is there before its server waits for it."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Program(echo)) as (program,):
        token = server.token()
        server.process.end()
        with running(Agent(server, program.port, token=token)) as (agent,):
            agent.event("disconnected")
            server.start()
            agent.ready()
            works(agent.port)


def supervisor_killed(context):
    """Everything ends within 2 s, and the ports are free."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Program(echo)) as (program,), running(
            Agent(server, program.port)) as (agent,):
        agent.ready()
        roles = children(server.process.pid)
        server.process.send_signal(signal.SIGKILL)
        watch = Stopwatch()
        server.process.wait()
        wait_for("the roles have ended",
                 lambda: not any(is_running(pid) for pid in roles.values()))
        check(watch.own_s() < 2, f"the roles ended after {watch.s():.1f} s")
        for port in (server.port, server.http_port, server.admin_port, agent.port):
            with socket.create_server(("127.0.0.1", port)):
                pass


def supervisor_terminated(context):
    """SIGTERM: every process ends, exit status 0."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Program(echo)) as (program,), running(
            Agent(server, program.port)) as (agent,):
        agent.ready()
        roles = children(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        status = server.process.wait()
        check(status == 0, f"exit status {status}")
        check(not any(is_running(pid) for pid in roles.values()), "a role is left")
        agent.event("disconnected")
        agent.process.send_signal(signal.SIGTERM)
        check(agent.process.wait() == 0, "the agent's exit status is not 0")


TESTS = [worker_killed, door_killed, door_killed_with_names, agent_killed, agent_returns, agent_terminated, agent_stopped, many_agents, server_late,
         supervisor_killed, supervisor_terminated]
