"""Bytes through a TCP tunnel: all of them, in order, with both ends and every half-close."""
import hashlib
import os
import socket
import struct
import threading
import time

from harness import (Agent, Bystander, Failure, Program, check, echo, fd_count, pattern,
                     receive_exactly, rss_kib, running, visit, wait_for)

BLOCK = os.urandom(1 << 20)


def send_and_hash(s, mib):
    digest = hashlib.sha256()
    for i in range(mib):
        block = BLOCK[i % 4096:] + BLOCK[:i % 4096]
        digest.update(block)
        s.sendall(block)
    s.shutdown(socket.SHUT_WR)
    return digest.digest()


def receive_and_hash(s):
    digest, count, memory = hashlib.sha256(), 0, bytearray(1 << 20)
    while n := s.recv_into(memory):
        digest.update(memoryview(memory)[:n])
        count += n
    return digest.digest(), count


def bulk(context):
    """Down and up with equal hashes; the receiver hashes."""
    sent = {}

    def source(connection):
        sent["down"] = send_and_hash(connection, context.mib)
        connection.recv(1)

    def sink(connection):
        digest, count = receive_and_hash(connection)
        connection.sendall(digest + struct.pack(">Q", count))

    with running(Program(source), Program(sink)) as (down, up):
        with running(Agent(context.server, down.port), Agent(context.server, up.port)) as agents:
            down_agent, up_agent = (agent.ready() for agent in agents)
            begin = time.monotonic()
            with visit(down_agent.port, 120) as s:
                digest, count = receive_and_hash(s)
            down_s = time.monotonic() - begin
            check(count == context.mib << 20, f"{count} bytes came down")
            wait_for("the hash of what was sent", lambda: "down" in sent, 5)
            check(digest == sent["down"], "the hash of the download is another")
            begin = time.monotonic()
            with visit(up_agent.port, 120) as s:
                expected = send_and_hash(s, context.mib)
                answer = receive_exactly(s, 40)
            up_s = time.monotonic() - begin
            check(struct.unpack(">Q", answer[32:])[0] == context.mib << 20, "bytes are missing")
            check(answer[:32] == expected, "the hash of the upload is another")
            context.say(f"{context.mib} MiB: down {context.mib / down_s:.0f} MiB/s, "
                        f"up {context.mib / up_s:.0f} MiB/s")


def thousand_connections(context):
    """1,000 connections open at once, each with its own bytes; afterwards nothing is left."""
    with running(Program(echo)) as (program,), running(Agent(context.server, program.port)) as (agent,):
        agent.ready()
        worker = context.server.role("adit-worker")
        with visit(agent.port) as s:
            s.sendall(b"warm")
            receive_exactly(s, 4)
        before = fd_count(worker), fd_count(agent.process.pid)
        connections = [visit(agent.port, 60) for _ in range(1000)]
        for i, s in enumerate(connections):
            s.sendall(pattern(i, 3000))
        for i, s in enumerate(connections):
            check(receive_exactly(s, 3000) == pattern(i, 3000), f"connection {i} got other bytes")
        held = fd_count(worker)
        check(held >= 1000, f"the worker holds {held} descriptors: were they open at once?")
        for s in connections:
            s.shutdown(socket.SHUT_WR)
        for i, s in enumerate(connections):
            check(s.recv(1) == b"", f"connection {i} did not end in order")
            s.close()
        wait_for("descriptors are back to the start",
                 lambda: (fd_count(worker), fd_count(agent.process.pid)) <= (before[0] + 1, before[1] + 1))


def half_close(context):
    """Either side may end first, and still receives everything."""
    def count_then_answer(connection):
        _, count = receive_and_hash(connection)
        for i in range(200):
            connection.sendall(pattern(i, 5000))
        connection.sendall(struct.pack(">Q", count))

    def end_then_count(connection):
        connection.sendall(b"goodbye")
        connection.shutdown(socket.SHUT_WR)
        _, count = receive_and_hash(connection)
        results.append(count)

    results = []
    with running(Program(count_then_answer), Program(end_then_count)) as (first, second):
        with running(Agent(context.server, first.port), Agent(context.server, second.port)) as agents:
            one, two = (agent.ready() for agent in agents)
            with visit(one.port) as s:
                s.sendall(BLOCK)
                s.shutdown(socket.SHUT_WR)
                for i in range(200):
                    check(receive_exactly(s, 5000) == pattern(i, 5000), "other bytes after our FIN")
                check(struct.unpack(">Q", receive_exactly(s, 8))[0] == len(BLOCK), "a wrong count")
                check(s.recv(1) == b"", "no orderly end")
            with visit(two.port) as s:
                check(receive_exactly(s, 7) == b"goodbye" and s.recv(1) == b"", "no early end")
                for _ in range(10):
                    s.sendall(BLOCK)
                s.shutdown(socket.SHUT_WR)
                wait_for("the program has counted", lambda: results)
                check(results == [10 * len(BLOCK)], f"{results} bytes after its own end")


def empty_streams(context):
    """Connections that say nothing, in both orders of their ends."""
    with running(Program(echo)) as (program,), running(Agent(context.server, program.port)) as (agent,):
        agent.ready()
        for _ in range(50):
            with visit(agent.port) as s:
                s.shutdown(socket.SHUT_WR)
                check(s.recv(1) == b"", "an empty echo is not empty")


def never_reads(context):
    """A visitor who never reads holds bounded memory, and nobody else back."""
    def source(connection):
        while True:
            connection.sendall(BLOCK)

    def small_source(connection):
        size = struct.unpack(">I", receive_exactly(connection, 4))[0]
        for _ in range(size):
            connection.sendall(BLOCK)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    def dispatch(connection):
        if receive_exactly(connection, 1) == b"S":
            source(connection)
        small_source(connection)

    with running(Program(dispatch)) as (program,), running(Agent(context.server, program.port)) as (agent,):
        agent.ready()
        worker = context.server.role("adit-worker")

        def fetch():
            begin = time.monotonic()
            with visit(agent.port) as s:
                s.sendall(b"F" + struct.pack(">I", 64))
                _, count = receive_and_hash(s)
            check(count == 64 << 20, f"{count} bytes instead of 64 MiB")
            return time.monotonic() - begin

        alone = min(fetch(), fetch())
        before = rss_kib(worker), rss_kib(agent.process.pid)
        stuck = []
        for _ in range(4):
            s = visit(agent.port)
            s.sendall(b"S")
            stuck.append(s)
        time.sleep(2)
        beside = min(fetch(), fetch())
        after = rss_kib(worker), rss_kib(agent.process.pid)
        for s in stuck:
            s.close()
        grown = [(a - b) // 1024 for a, b in zip(after, before)]
        context.say(f"64 MiB in {alone:.2f} s alone, {beside:.2f} s beside 4 stuck visitors; memory "
                    f"grew {grown[0]} MiB (worker), {grown[1]} MiB (agent)")
        if context.server.sandbox:  # a sanitizer keeps what is given back, so there it says nothing
            check(grown[0] <= 4 * 16 + 8, f"the worker grew by {grown[0]} MiB")
            check(grown[1] <= 16, f"the agent grew by {grown[1]} MiB")
        check(beside < 3 * alone + 0.5, f"{beside:.2f} s instead of {alone:.2f} s")


def visitor_vanishes(context):
    """A visitor's reset reaches the program; a program's reset reaches the visitor."""
    seen = []

    def watch(connection):
        try:
            connection.sendall(b"hi")
            while connection.recv(65536):
                pass
            seen.append("end")
        except ConnectionResetError:
            seen.append("reset")

    def break_off(connection):
        receive_exactly(connection, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with running(Program(watch), Program(break_off)) as (one, two):
        with running(Agent(context.server, one.port), Agent(context.server, two.port)) as agents:
            first, second = (agent.ready() for agent in agents)
            s = visit(first.port)
            receive_exactly(s, 2)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
            wait_for("the program sees the visitor's reset", lambda: seen)
            check(seen == ["reset"], f"the program saw {seen}")
            with visit(second.port) as s:
                s.sendall(b"x")
                try:
                    check(s.recv(10) != b"", "the program's reset came as an orderly end")
                    raise Failure("bytes from a program that sent none")
                except ConnectionResetError:
                    pass


def small_beside_bulk(context):
    """Small requests pass while bulk transfers fill the same agent's link."""
    def serve(connection):
        if receive_exactly(connection, 1) == b"B":
            while True:
                connection.sendall(BLOCK)
        echo(connection)

    with running(Program(serve)) as (program,), running(Agent(context.server, program.port)) as (agent,):
        agent.ready()
        stop = threading.Event()
        bulk_count = [0]

        def pull():
            with visit(agent.port) as s:
                s.sendall(b"B")
                memory = bytearray(1 << 20)
                while not stop.is_set():
                    bulk_count[0] += s.recv_into(memory)

        threads = [threading.Thread(target=pull, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        times = []
        with visit(agent.port) as s:
            s.sendall(b"E")
            for i in range(100):
                begin = time.monotonic()
                s.sendall(pattern(i, 100))
                check(receive_exactly(s, 100) == pattern(i, 100), "other bytes")
                times.append((time.monotonic() - begin) * 1000)
                time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join(10)
        times.sort()
        context.say(f"small request under {bulk_count[0] >> 20} MiB of bulk: "
                    f"p50 {times[50]:.1f} ms, p99 {times[98]:.1f} ms")
        check(times[50] < 100, f"p50 {times[50]:.0f} ms")


TESTS = [bulk, thousand_connections, half_close, empty_streams, never_reads, visitor_vanishes,
         small_beside_bulk]
