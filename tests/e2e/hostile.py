"""Hostile visitors and hostile programs, case by case, while others' traffic must not notice a thing.

The cases are in hostile_cases.py. Afterwards: the same processes, descriptors and memory back, no
byte of theirs in the log."""
import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import threading
import time
import types

import hostile_cases
from bystanders import Bystanders, heads
from harness import (Agent, Failure, Server, check, children, fd_count, rss_kib, running, wait_for)
from hostile_cases import CUT, NO, YES
from messages import Ended, read_response
from programs import Hostile, Web
from visitors import Visitor, fetch

AT_ONCE = "in one packet"
BYTEWISE = "one byte a packet"


def send_in(visitor, data, way):
    """Sends in the given way; stops early where the server has already ended."""
    if way == AT_ONCE:
        parts = [data]
    elif way == BYTEWISE:
        parts = [data[i:i + 1] for i in range(len(data))]
    else:
        cut = way * len(data) // 8
        parts = [data[:cut], data[cut:]]
    try:
        for part in parts:
            visitor.send(part)
            if len(parts) == 2:
                time.sleep(0.003)
    except (ConnectionError, BrokenPipeError):
        pass  # what it answered may still be there


def answer_of(server, host, case, way):
    """The judged answer of a case, and how the connection stands afterwards."""
    with Visitor(server, host, seconds=15) as visitor:
        send_in(visitor, case.data, way)
        try:
            for _ in range(case.answers):
                answer = read_response(visitor, case.method)
        except Ended as ended:
            raise Failure(f"closed without an answer ({ended})") from None
        ends = None
        if answer.get("connection") == "close":
            ends = visitor.how_ends()
        return answer, ends


def judge(server, host, case, way):
    """None, or what was wrong."""
    try:
        answer, ends = answer_of(server, host, case, way)
        allowed = case.status if isinstance(case.status, set) else {case.status}
        check(answer.status in allowed, f"answered {answer.start!r} instead of {case.status}")
        if answer.status >= 400:
            code = answer.get("adit-error")
            check(code and code in answer.body.decode(), f"Adit-Error is {code}")
        if case.closes is not None:
            check((ends is not None) == case.closes, f"Connection: {answer.get('connection')}")
            check(ends in (None, "end"), f"the connection ended by {ends}")
        if case.sees:
            check(case.sees(heads(answer)), f"the program saw {answer.body[:300]!r}")
        return None
    except (Failure, OSError, ValueError) as error:
        return f"case {case.number} {way}: {error} <- {case.data[:160]!r}"


def ways_of(case):
    """Small requests byte by byte and in two parts as well (case 104)."""
    return [AT_ONCE] + ([BYTEWISE, 2, 5, 7] if len(case.data) < 1200 else [])


def judge_number(port, data, host, item):
    """The verdict of (index of a case, way), in a process of its own."""
    place = types.SimpleNamespace(port=port, data=data)
    place.trust = lambda: Server.trust(place)
    index, way = item
    return judge(place, host, hostile_cases.requests(host)[index], way)


@contextlib.contextmanager
def attackers(server, host):
    """Maps (index, way) to verdicts. In processes apart and behind others: bystanders shall wait for
    the server alone, not for the interpreter or the processor that the attackers use."""
    with concurrent.futures.ProcessPoolExecutor(
            3, mp_context=multiprocessing.get_context("spawn"), initializer=os.nice,
            initargs=(10,)) as pool:
        work = functools.partial(judge_number, server.port, server.data, host)
        yield lambda items: list(pool.map(work, items, chunksize=4))


class Before:
    """Processes, descriptors, memory and log as they were."""

    def __init__(self, server):
        self.server = server
        self.pids = children(server.process.pid)
        self.fds = {pid: fd_count(pid) for pid in self.pids.values()}
        self.rss = {pid: rss_kib(pid) for pid in self.pids.values()}
        self.lines = len(server.process.lines)

    def compare(self, context, words, memory_kib=2048):
        server = self.server
        check(children(server.process.pid) == self.pids, "a process was restarted")
        wait_for("descriptors are back", lambda: all(
            fd_count(pid) <= count for pid, count in self.fds.items()), 15)
        grown = {name: rss_kib(pid) - self.rss[pid] for name, pid in self.pids.items()}
        if server.sandbox:  # a sanitizer keeps what is given back, so there it says nothing
            check(all(kib <= memory_kib for kib in grown.values()), f"memory grew: {grown} KiB")
        lines = server.process.lines[self.lines:]
        raw = [line for line in lines if any(word in line for word in words)]
        check(not raw, f"bytes of strangers in the log: {raw[:3]}")
        context.say(f"memory grew by {max(grown.values())} KiB at most; {len(lines)} lines of log")


def requests(context):
    """Cases 67 to 140, each at once, byte by byte and in two parts."""
    server = context.server
    with running(Bystanders(server)) as (bystanders,), running(Web(keeps_bytes=True)) as (program,):
        with running(Agent(server, program.port, kind="http", name="victim")) as (agent,):
            host = agent.ready().host
            cases = hostile_cases.requests(host)
            wrong, runs = [], 0
            with attackers(server, host) as attack:
                first = attack([(index, AT_ONCE) for index in range(len(cases))])
                wrong += [sentence for sentence in first if sentence]
                time.sleep(0.5)
                before = Before(server)
                work = [(index, way) for index, case in enumerate(cases) if not first[index]
                        for way in ways_of(case)]
                wrong += [sentence for sentence in attack(work) if sentence]
                runs = len(cases) + len(work)
            reached = bytes(program.received)
            check(b"\nGET /smuggled" not in reached and not reached.startswith(b"GET /smuggled"),
                  "a smuggled request reached the program")
            for case in cases:
                mark = f"case-{case.number}".encode()
                if case.reach == NO and _has(reached, mark):
                    wrong.append(f"case {case.number} reached the program")
                if case.reach == CUT and f"/case-{case.number}" in program.complete:
                    wrong.append(f"case {case.number} reached the program whole")
                if case.reach == YES and not _has(reached, mark):
                    wrong.append(f"case {case.number} did not reach the program")
            context.say(f"{len(cases)} cases, {runs} times")
            said = server.process.lines[before.lines:]
            check(any("event=request_refused reason=bad_request" in line for line in said),
                  "the log says nothing of what was refused")
            check(sum("event=request_refused" in line for line in said) < 200, "the log is flooded")
            hurt = bystanders.wrong()
            check(not hurt, f"a bystander was hurt: {hurt}")
            for sentence in wrong:
                context.say(sentence)
            check(not wrong, f"{len(wrong)} cases failed")
            before.compare(context, ("case-", "smuggled", "6.6.6.6"))
        bystanders.finish(context, judges_time=server.sandbox)


def _has(reached, mark):
    """The mark, and not as the beginning of a longer number."""
    start = 0
    while (found := reached.find(mark, start)) >= 0:
        if not reached[found + len(mark):found + len(mark) + 1].isdigit():
            return True
        start = found + 1
    return False


def programs(context):
    """Cases 106 to 109: a program that answers what no program should."""
    server = context.server
    rows = hostile_cases.responses()
    with running(Bystanders(server, 0.3)) as (bystanders,), running(Hostile()) as (program,):
        program.answers = {path: (data, stays) for path, data, stays, _ in rows}
        with running(Agent(server, program.port, kind="http", name="wild")) as (agent,):
            host, wrong = agent.ready().host, []
            for path, _, _, expected in rows * 6:
                sentence = None
                try:
                    with Visitor(server, host, seconds=15) as visitor:
                        answer = visitor.ask(path)
                        check(answer.status == expected, f"{answer.start!r}, not {expected}")
                        if answer.status == 502:
                            code = answer.get("adit-error")
                            check(code == "upstream_bad_response", f"Adit-Error is {code}")
                        check(answer.body in (b"", b"hello") or answer.status == 502,
                              f"the body is {answer.body[:100]!r}")
                        if answer.get("connection") != "close":
                            check(visitor.ask("/plain").body == b"plain",
                                  "the next answer is another's")
                except Ended as ended:
                    if expected != "cut" or ended.how not in ("reset", "ragged"):
                        sentence = f"{path}: {ended}"
                except (Failure, OSError, ValueError) as error:
                    sentence = f"{path}: {error}"
                for other in ("/plain", "/plain?again"):  # never what was left over
                    if not sentence and fetch(server, host, other).body != b"plain":
                        sentence = f"{path}: afterwards another visitor got its bytes"
                wrong += [sentence] if sentence else []
            for sentence in wrong:
                context.say(sentence)
            check(not wrong, f"{len(wrong)} cases failed")
        bystanders.finish(context, judges_time=server.sandbox)


def rude_visitors(context):
    """Visitors who vanish at every moment, and one who never reads: nobody else waits."""
    server = context.server
    with running(Bystanders(server, 0.3)) as (bystanders,), running(Web()) as (program,):
        with running(Agent(server, program.port, kind="http", name="rude")) as (agent,):
            host = agent.ready().host
            fetch(server, host)
            time.sleep(0.3)
            before = Before(server)
            head = f"POST /echo HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\r\n".encode()
            for cut in (0, 1, 10, len(head) - 1, len(head)):
                for _ in range(10):
                    visitor = Visitor(server, host)
                    visitor.send(head[:cut] or b"G")
                    visitor.reset()
            for _ in range(10):
                visitor = Visitor(server, host)
                visitor.request("/down/length/64")
                visitor.exactly(100000)
                visitor.reset()
            stuck = [Visitor(server, host) for _ in range(4)]
            for visitor in stuck:
                visitor.request("/down/chunked/64")
            time.sleep(1)
            check(fetch(server, host).status == 200, "others wait for one who never reads")
            held = rss_kib(server.role("adit-worker"))
            if server.sandbox:
                grown = (held - before.rss[server.role("adit-worker")]) // 1024
                check(grown < 64, f"the worker grew by {grown} MiB")
            for visitor in stuck:
                visitor.reset()
            # What stood in the windows was memory, and allocators keep some of it.
            before.compare(context, (), memory_kib=16384)
        bystanders.finish(context, judges_time=False)


def many_at_once(context):
    """600 connections that say half a head each: new visitors are served all the same."""
    server = context.server
    with running(Bystanders(server, 0.3)) as (bystanders,), running(Web()) as (program,):
        with running(Agent(server, program.port, kind="http", name="slow")) as (agent,):
            host = agent.ready().host
            trust, half = server.trust(), []
            lock = threading.Lock()

            def begin(_):
                visitor = Visitor(server, host, context=trust)
                visitor.send(b"GET / HTTP/1.1\r\nHost: x")
                with lock:
                    half.append(visitor)

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(begin, range(600)))
            opened = time.monotonic()
            check(fetch(server, host).status == 200, "nobody else is served")
            statuses = set()
            for visitor in half:
                try:
                    statuses.add(read_response(visitor).status)
                except Ended as ended:
                    statuses.add(ended.how)
                visitor.close()
            took = time.monotonic() - opened
            check(statuses <= {408, "end"}, f"they were answered {statuses}")
            check(took < 16, f"half a head was waited for {took:.0f} s")
        bystanders.finish(context, judges_time=False)


TESTS = [requests, programs, rude_visitors, many_at_once]
