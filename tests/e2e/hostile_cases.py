"""Hostile requests as a table: number, what is sent, what must be answered.

Every request carries its mark, "case-NUMBER", in its target or its fields, and what must never
count as a request of its own carries "smuggled". A row says what is expected:

    status    of the (last) answer: an int or a set; None: closed without one
    reach     "no": not one byte reached the program; "cut": a head may have, never a whole request;
              "yes": forwarded, and `sees` is asked about it
"""
import dataclasses

NO, CUT, YES = "no", "cut", "yes"


@dataclasses.dataclass
class Case:
    number: str
    data: bytes
    status: object = 400
    reach: str = NO
    closes: bool = True
    answers: int = 1            # how many responses come, the judged one last
    method: str = "GET"
    sees: object = None         # what the program must have seen: (heads) -> bool


class Table:
    """Builds cases for one host."""

    def __init__(self, host):
        self.host = host
        self.rows = []

    def mark(self, number):
        count = sum(row.number.split(".")[0] == str(number) for row in self.rows)
        return f"{number}.{count + 1}"

    def add(self, number, start, fields=(), body=b"", host=True, end=b"\r\n\r\n", **expected):
        """A request whose target's {} becomes its mark."""
        name = self.mark(number)
        head = start.replace("{}", f"case-{name}").encode("latin-1")
        lines = [head]
        if host:
            lines.append(b"Host: " + self.host.encode())
        for field in fields:
            lines.append(field if isinstance(field, bytes) else field.encode("latin-1"))
        self.rows.append(Case(name, b"\r\n".join(lines) + end + body, **expected))

    def post(self, number, *fields, body=b"", **expected):
        self.add(number, "POST /{} HTTP/1.1", fields, body, **expected)

    def get(self, number, *fields, **expected):
        self.add(number, "GET /{} HTTP/1.1", fields, **expected)

    def raw(self, number, text, **expected):
        """Bytes as they stand; {mark} and {host} are filled in."""
        name = self.mark(number)
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        data = data.replace(b"{mark}", f"case-{name}".encode())
        self.rows.append(Case(name, data.replace(b"{host}", self.host.encode()), **expected))


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n"


def framing(t):
    """67 to 78: whose length counts?"""
    smuggled = SMUGGLED.replace(b"{host}", t.host.encode())
    t.post(67, "Content-Length: 6", "Transfer-Encoding: chunked", body=b"0\r\n\r\nX")
    t.post(67, "Content-Length: 0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + smuggled)
    t.post(68, "Transfer-Encoding: chunked", "Content-Length: 4",
           body=b"5c\r\n" + smuggled + b"x" * 8 + b"\r\n0\r\n\r\n")
    for value in ("+5", "-1", "-0", "0x5", "5 5", "05x", "", "\x0b5", "5_0", "5,5", "5, 5", "5;", "\xb25"):
        t.post(70, "Content-Length: " + value, body=b"hello" + smuggled)
    t.post(70, "Content-Length: 5", "Content-Length: 5", body=b"hello")
    t.post(70, "Content-Length: 5", "Content-Length: 6", body=b"hello!")
    t.post(70, "Content-Length : 5", body=b"hello")
    for value in ("18446744073709551621", "9" * 24, "18446744073709551616"):
        t.post(71, "Content-Length: " + value, body=b"hello")
    for field in ("Content_Length: 5", "Transfer_Encoding: chunked", "X_Forwarded_For: 6.6.6.6"):
        t.post(73, field, body=smuggled)
    for value in ("xchunked", "identity", "chunked, identity", "gzip, chunked", ",chunked",
                  "chunked;q=1", '"chunked"', "chunked,", "chun ked", "\x0bchunked", "chunked\x0b", ""):
        t.post(74, "Transfer-Encoding: " + value, body=b"0\r\n\r\n" + smuggled, status={400, 501})
    t.post(76, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n",
           status={400, 501})
    t.post(76, "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n",
           status={400, 501})
    t.post(76, "Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n", status={400, 501})
    t.post(77, "Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n")
    for space in (" ", "\t"):
        t.get(77, f"X-Folded: a\r\n{space}b")
    t.add(78, "POST /{} HTTP/1.0", ["Transfer-Encoding: chunked"], b"0\r\n\r\n")


def chunked(t):
    """79 to 85: the coding of the body. The head may be on its way; a whole request never."""
    chunked = "Transfer-Encoding: chunked"
    for body in (b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n",
                 b"5\rhello\r\n0\r\n\r\n"):
        t.post(79, chunked, body=body, reach=CUT)
    for body in (b"5;\nhello\r\n0\r\n\r\n", b"5;a\rb\r\nhello\r\n0\r\n\r\n", b"5;\x00a\r\nhello\r\n0\r\n\r\n",
                 b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
                 b"5;a=\"\r\nhello\r\n0\r\n\r\n"):
        t.post(80, chunked, body=body, reach=CUT)
    t.post(80, chunked, body=b"5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n", status=200, reach=YES,
           closes=False, sees=lambda seen: seen["length"] == 5)
    for size in (b"10000000000000005", b"ffffffffffffffff", b"a" * 40, b"0x5", b"+5", b"-5", b"",
                 b"5_", b" 5", b"8000000000000000"):
        t.post(82, chunked, body=size + b"\r\nhello\r\n0\r\n\r\n", reach=CUT)
    for body in (b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n",
                 b"5\r\nhello\n0\r\n\r\n"):
        t.post(83, chunked, body=body, reach=CUT)
    t.post(85, chunked, "TE: trailers", body=b"5\r\nhello\r\n0\r\nContent-Length: 99\r\nHost: evil\r\n"
           b"Authorization: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-Fine: 1\r\n\r\n", status=200,
           reach=YES, closes=False,
           sees=lambda seen: [name for name, _ in seen["trailers"]] in (["X-Fine"], []))
    for trailer in (b"X: 1\nY: 2\r\n", b"no colon\r\n", b" folded: 1\r\n", b"X: \x00\r\n", b"X : 1\r\n"):
        t.post(85, chunked, body=b"0\r\n" + trailer + b"\r\n", reach=CUT)


def heads(t):
    """86 to 92: lines, hosts, versions, separators."""
    t.raw(86, "GET /{mark} HTTP/1.1\nHost: {host}\n\n")
    t.raw(86, "GET /{mark} HTTP/1.1\r\nHost: {host}\nX: 1\r\n\r\n")
    t.raw(86, "GET /{mark} HTTP/1.1\rHost: {host}\r\r")
    t.raw(86, "GET /{mark} HTTP/1.1\r\nHost: {host}\r\nX: a\rb\r\n\r\n")
    t.raw(86, "GET /{mark} HTTP/1.1\r\nHost: {host}\r\n\rX")
    t.raw(86, "GET /{mark} HTTP/1.1\r\nHost: {host}\r\nX: a\0b\r\n\r\n")
    for line in ("no colon", ": a", "X\tY: 1", "X : 1", "X\0: 1", "X(: 1", "\xe9: 1"):
        t.get(88, line)
    for space in (" ", "\t"):
        t.raw(88, "GET /{mark} HTTP/1.1\r\n" + space + "Host: {host}\r\n\r\n")
    t.get(89, host=False)
    t.get(89, "Host: {host}".replace("{host}", t.host))
    for host in ("{host}, b.test", "u@{host}", "{host}/x", "{host}x", "", "a_b.adit.localhost",
                 "[::1", "xn--", "{host}#", "{host}?", "a..adit.localhost", ".adit.localhost", "a b",
                 "{host}\\", "{host}%00", "a.test:99999", "a.test:-1"):
        t.get(89, "Host: " + host.replace("{host}", t.host), host=False)
    for version in ("HTTP/1.2", "HTTP/2.0", "HTTP/01.1", "http/1.1", "HTTP/1.", "HTTP/1.1 ", "HTTP/11",
                    "HTTP/1.10", "HTTP/0.9", "HTTPS/1.1", "HTTP/1,1"):
        t.add(91, "GET /{} " + version, status={400, 505})
    t.raw(92, "GET /{mark}\r\n\r\n")
    t.raw(92, "GET /{mark}\r\nHost: {host}\r\n\r\n")
    for start in ("GET\t/{} HTTP/1.1", "GET /{}\tHTTP/1.1", "GET  /{} HTTP/1.1", "GET /{}  HTTP/1.1",
                  "GET /{} x HTTP/1.1", " GET /{} HTTP/1.1", "G@T /{} HTTP/1.1", "GET {} HTTP/1.1",
                  "GET /{}\x00 HTTP/1.1", "GET /{}\x7f HTTP/1.1", "GET /{}#f HTTP/1.1",
                  "GET ftp://{}/ HTTP/1.1", "GET http://other.test/{} HTTP/1.1",
                  "GET http://u@other.test/{} HTTP/1.1"):
        t.add(92, start)


def targets(t):
    """94 to 98: what passes as it is, what has an answer of its own, and how much is too much."""
    for target in ("/%00{}", "/%0d%0aX:1{}", "/..%2f..%2f{}", "//{}", "/./a/../b{}", "/{}%",
                   "/{}?a=1&b[]=%20+", "/{}/%ff%FE~!$'()*,;:@"):
        name = t.mark(94)
        wanted = target.replace("{}", f"case-{name}")
        t.add(94, f"GET {target} HTTP/1.1", status=200, reach=YES, closes=False,
              sees=lambda seen, wanted=wanted: seen["target"] == wanted)
    t.add(95, "CONNECT a.test:443 HTTP/1.1", ["X-Case: case-95.1"], status=405)
    t.add(95, "TRACE /{} HTTP/1.1", status=405)
    t.add(95, "OPTIONS * HTTP/1.1", ["X-Case: case-95.3"], status={200, 204}, closes=False,
          method="OPTIONS")
    t.add(95, "GET * HTTP/1.1", ["X-Case: case-95.4"])
    t.add(95, "get /{} HTTP/1.1", status=200, reach=YES, closes=False,
          sees=lambda seen: seen["method"] == "get")
    t.add(95, "BREW-1 /{} HTTP/1.1", status=200, reach=YES, closes=False,
          sees=lambda seen: seen["method"] == "BREW-1")
    t.add(95, "M" * 4000 + " /{} HTTP/1.1", status={400, 414, 431})
    t.get(97, "X: " + "a" * 9216, status=200, reach=YES, closes=False,
          sees=lambda seen: any(len(value) == 9216 for _, value in seen["fields"]))
    t.get(97, "X: " + "a" * 71680, status=431)
    t.add(97, "GET /{}" + "u" * 9216 + " HTTP/1.1", status=414)
    t.get(97, *[f"X-{i}: 1" for i in range(99)], status=200, reach=YES, closes=False)
    t.get(97, *[f"X-{i}: 1" for i in range(100)], status=431)
    t.get(97, *[f"X-{i}: 1" for i in range(4999)], status=431)
    t.raw(98, "\r\nGET /{mark} HTTP/1.1\r\nHost: {host}\r\n\r\n", status=200, reach=YES, closes=False)
    t.raw(98, "\r\n\r\nGET /{mark} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    t.raw(98, "\r\n" * 1000 + "GET /{mark} HTTP/1.1\r\nHost: {host}\r\n\r\n")


def sequences(t):
    """100 to 113: more than one request, expectations, upgrades, what is no HTTP."""
    t.raw(100, "POST /{mark} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
          "X GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n", answers=2, reach=YES)
    t.raw(100, "POST /{mark} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\n"
          "helloX\0GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n", answers=2, reach=YES)
    for value in ("100-continue, foo", "y 100-continue", "200-ok", "100-continue;x"):
        t.post(101, "Expect: " + value, "Content-Length: 5", body=b"hello", status={400, 417})
    good = "GET /{mark}-%d HTTP/1.1\r\nHost: {host}\r\n\r\n"
    t.raw(103, (good % 1) + (good % 2) + "GET /smuggled HTTP/1.1\r\nHost : {host}\r\n\r\n"
          + "".join(f"GET /smuggled-{i} HTTP/1.1\r\nHost: {{host}}\r\n\r\n" for i in range(4, 11)),
          answers=3, reach=YES)
    version, key = "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    upgrade, switch = "Upgrade: websocket", "Connection: Upgrade"
    plain = {"status": {200, 400, 426}, "reach": None, "closes": None}
    t.get(140, upgrade, switch, version, **plain)
    t.get(140, upgrade, switch, key, "Sec-WebSocket-Version: 12", **plain)
    t.post(140, upgrade, switch, version, key, "Content-Length: 0", **plain)
    t.add(140, "GET /{} HTTP/1.0", [upgrade, switch, version, key], **plain)
    t.get(140, upgrade, version, key, **plain)
    t.get(140, "Upgrade: websocket, h2c", switch, version, key, **plain)
    t.get(140, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk", **plain)
    t.raw(113, "PROXY TCP4 6.6.6.6 127.0.0.1 1 443\r\nGET /{mark} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    t.raw(113, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)
          + b"GET /{mark} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    t.raw(113, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{mark}", status={400, 405, 505})
    t.raw(113, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03{mark}" + bytes(500))
    for connection in ("host", "content-length", "transfer-encoding", "x-forwarded-for", "forwarded"):
        t.post(112, f"Connection: {connection}", "Content-Length: 5", body=b"hello", status=200,
               reach=YES, closes=False,
               sees=lambda seen: seen["length"] == 5 and {"host", "x-forwarded-for", "forwarded"}
               <= {name.lower() for name, _ in seen["fields"]})


def requests(host):
    """All of them, for a tunnel at `host`."""
    t = Table(host)
    for part in (framing, chunked, heads, targets, sequences):
        part(t)
    return t.rows


def responses():
    """106 to 109, by a hostile program: path, its bytes, does it stay?, and what the visitor gets:
    a status, or "cut" for an answer that is visibly not whole. `then`: the next request works."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"
    bad = 502
    return [
        ("/106-no-content-with-body", b"HTTP/1.1 204 No Content\r\n\r\nbody!" + extra, True, 204),
        ("/106-304-with-body", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", True, 304),
        ("/106-two-answers", ok + extra, True, 200),
        ("/107-hints-then-answer", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + ok, True, 200),
        ("/107-a-thousand", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + ok, True, bad),
        ("/107-switch", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
         True, bad),
        ("/108-length-and-chunked", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", True, bad),
        ("/108-two-lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
         True, bad),
        ("/108-bad-length", b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", True, bad),
        ("/108-bad-coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello", True, bad),
        ("/108-bare-lf", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", False, bad),
        ("/108-folded", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello", True, bad),
        ("/108-nul", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\nhello", True, bad),
        ("/108-no-http", b"220 smtp.example ESMTP\r\n\r\n", True, bad),
        ("/108-version", b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n", True, bad),
        ("/108-status", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", True, bad),
        ("/108-huge-head", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 70000 + b"\r\n\r\n", True, bad),
        ("/108-many-fields", b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 500 + b"\r\n", True, bad),
        ("/108-nothing", b"", False, bad),
        ("/108-half-a-head", b"HTTP/1.1 200 OK\r\nContent-Le", False, bad),
        ("/109-short-length", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50, False, "cut"),
        ("/109-no-last-chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
         False, "cut"),
        ("/109-bad-chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
         True, "cut"),
        ("/109-half-a-chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
         False, "cut"),
    ]
