"""How long each kind of silence is waited for. These tests take a minute, nearly all of it sleep:
they run beside the others, on a server of their own, and are judged at the end."""
import threading
import time

from harness import Agent, Failure, Program, Server, check, echo, receive_exactly, visit
from messages import Ended, read_head, read_response
from programs import Web
from visitors import Visitor


class Patience:
    """What goes on meanwhile; `verdicts` holds (name, None or what was wrong)."""

    def __init__(self, context):
        self.server = Server(context.build, context.server.sandbox)
        self.web, self.echo = Web(), Program(echo)
        self.agents = [Agent(self.server, self.web.port, kind="http", name="patient"),
                       Agent(self.server, self.echo.port)]
        self.host = self.agents[0].ready().host
        self.agents[1].ready()
        self.verdicts = []
        self.threads = [threading.Thread(target=self._run, args=(work,), daemon=True)
                        for work in (self.quiet_websocket, self.quiet_tcp, self.idle_visitor,
                                     self.no_request, self.half_a_head, self.slow_body,
                                     self.drops_of_a_body, self.never_reads, self.slow_program)]
        for thread in self.threads:
            thread.start()

    def _run(self, work):
        try:
            work()
            self.verdicts.append((work.__name__, None))
        except (Failure, Ended, OSError, ValueError) as error:
            self.verdicts.append((work.__name__, f"{type(error).__name__}: {error}"))

    def visitor(self):
        return Visitor(self.server, self.host, seconds=100)

    def timed_end(self, visitor, begin, least, most):
        how = visitor.how_ends()
        took = time.monotonic() - begin
        check(least <= took <= most, f"it ended by {how} after {took:.1f} s, not {least} to {most}")
        return how

    def quiet_websocket(self):
        """A WebSocket may be silent for longer than any idle limit."""
        with self.visitor() as visitor:
            visitor.upgrade()
            visitor.echo(b"before")
            time.sleep(66)
            visitor.echo(b"after")

    def quiet_tcp(self):
        """A TCP connection too."""
        with visit(self.agents[1].port, 100) as s:
            s.sendall(b"before")
            receive_exactly(s, 6)
            time.sleep(66)
            s.sendall(b"after")
            check(receive_exactly(s, 5) == b"after", "no echo")

    def idle_visitor(self):
        """Between two requests: 60 s."""
        with self.visitor() as visitor:
            check(visitor.ask("/echo").status == 200, "no answer")
            check(self.timed_end(visitor, time.monotonic(), 55, 65) == "end", "no orderly end")

    def no_request(self):
        """A connection that never says anything: 10 s."""
        with self.visitor() as visitor:
            begin = time.monotonic()
            try:
                status = read_response(visitor).status
                check(status == 408, f"answered {status}")
            except Ended as ended:
                check(ended.how == "end", f"ended by {ended.how}")
            took = time.monotonic() - begin
            check(8 <= took <= 13, f"after {took:.1f} s")

    def half_a_head(self):
        """A head that comes byte by byte: 10 s in all."""
        with self.visitor() as visitor:
            begin = time.monotonic()
            try:
                for byte in b"GET / HTTP/1.1\r\nHost: somebody.adit.localhost":
                    visitor.send(bytes([byte]))
                    time.sleep(0.4)
                raise Failure("it may take for ever")
            except OSError:
                took = time.monotonic() - begin
                check(8 <= took <= 16, f"after {took:.1f} s")

    def slow_body(self):
        """A body that stops: 10 s, then 408 or a cut."""
        with self.visitor() as visitor:
            visitor.request("/echo", "POST", "Content-Length: 100")
            visitor.send(b"x" * 50)
            begin = time.monotonic()
            try:
                check(read_response(visitor).status == 408, "another answer")
            except Ended:
                pass
            took = time.monotonic() - begin
            check(8 <= took <= 13, f"after {took:.1f} s")

    def drops_of_a_body(self):
        """A body at 2 KiB in 5 s goes on."""
        with self.visitor() as visitor:
            visitor.request("/same", "POST", "Content-Length: 10240")
            for _ in range(5):
                visitor.send(b"x" * 2048)
                time.sleep(5)
            check(read_response(visitor).body == b"x" * 10240, "another body")

    def never_reads(self):
        """A visitor who takes nothing at all: cut after 30 s."""
        with self.visitor() as visitor:
            visitor.request("/down/length/64")
            time.sleep(45)
            size = 0
            try:
                read_head(visitor)
                while size < 64 << 20:
                    size += len(visitor.rest)
                    visitor.rest = b""
                    visitor.more()
                raise Failure("it was waited for")
            except Ended as ended:
                check(ended.how != "end", "the cut looks like an end")

    def slow_program(self):
        """A program may think for as long as it likes."""
        with self.visitor() as visitor:
            visitor.request("/slow")
            read_head(visitor)
            check(visitor.exactly(5) == b"first", "no first half")
            time.sleep(40)
            self.web.events.put(None)
            check(visitor.exactly(5) == b"other", "no other half")

    def finish(self):
        """The verdicts, when all are done."""
        for thread in self.threads:
            thread.join(100)
        alive = sum(thread.is_alive() for thread in self.threads)
        if alive:
            self.verdicts.append(("all", f"{alive} of them still wait"))
        return self.verdicts

    def end(self):
        for thing in (*self.agents, self.web, self.echo, self.server):
            thing.end()


def begun(context, only):
    """Begins where `only` asks for it; null otherwise."""
    if not any(only in f"patience/{name}" for name in dir(Patience) if not name.startswith("_")):
        return None
    return Patience(context)


