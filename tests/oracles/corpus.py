"""Requests and answers to compare readers with: good ones, and mutations of them."""
import random

HOST = b"Host: a.test"
WEBSOCKET = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
METHODS = [b"GET", b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"PROPFIND",
           b"M-SEARCH", b"BREW", b"get"]
TARGETS = [b"/", b"/a?b=c&d", b"/%00%0d%0a", b"/..%2f../", b"//", b"/a;b=c:d@e!$'()*+,",
           b"/[x]{y}|z^`<>\"\\~", b"http://a.test/x", b"http://A.test:80?q", b"https://a.test/",
           b"*", b"/" + b"a" * 300]
FIELDS = [b"Accept: */*", b"X-Empty:", b"X-Space: \t a \t b \t", b"X-High: \xc3\xa4\xff",
          b"X-Quote: \"a, b\"", b"Cookie: a=b; c=d", b"Cookie: e", b"cookie: f",
          b"X!#$%&'*+-.^`|~: token", b"X-Long: " + b"v" * 500, b"Connection: keep-alive",
          b"Connection: X-Hop, TE", b"X-Hop: 1", b"TE: trailers", b"Upgrade: h2c",
          b"Expect: 100-continue", b"X-Forwarded-For: 6.6.6.6", b"Forwarded: for=6.6.6.6",
          b"Content-Type: text/plain", b"Accept-Encoding: gzip, identity;q=0"]
PAYLOADS = [b"", b"hello", b"0\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: b\r\n\r\n", b"\x00\xff" * 40]
# What a mutation puts in: bytes that readers are known to differ about, and fields that matter.
BITS = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xa0", b":",
        b",", b";", b"_", b"-", b"+", b"0x", b"\"", b"\\", b"=", b"#", b"@", b"/", b"0", b"1", b"f"]
LINES = [b"Content-Length: 5", b"Content-Length: 0", b"content-length: 05", b"Content-Length: +5",
         b"Content-Length: 5, 5", b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked",
         b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding:",
         b"Transfer-Encoding : chunked", b" folded", b"\tfolded", b"Host: b.test", b"Host:",
         b"Host: a.test:80", b"Content_Length: 5", b"nocolon", b": noname", b"Connection: close",
         b"Connection: content-length, transfer-encoding, host", b"Trailer: Sum", b"Expect: x",
         b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"]
# What ends a body, with the space that may stand around a value: RFC 9110 section 5.6.3.
SPACES = [b"", b" ", b"\t", b" \t", b"\t ", b"\t\t"]
FRAMINGS = [(b"Transfer-Encoding:%schunked%s", b"5\r\nhello\r\n0\r\n\r\n"),
            (b"Content-Length:%s5%s", b"hello")]
EXTENSIONS = [b"", b"", b"", b";a", b";a=b", b";a=\"b;\\\"c\"", b";a;b=c"]
TRAILERS = [[], [], [b"Sum: x"], [b"Sum: x", b"Grpc-Status: 0"], [b"Content-Length: 9"]]


def chunked(payload):
    out = b""
    while payload:
        size = random.randint(1, len(payload))
        digits = random.choice([b"%x", b"%X", b"0%x", b"000%x"]) % size
        out += digits + random.choice(EXTENSIONS) + b"\r\n" + payload[:size] + b"\r\n"
        payload = payload[size:]
    last = random.choice([b"0", b"00"]) + random.choice(EXTENSIONS) + b"\r\n"
    return out + last + b"".join(line + b"\r\n" for line in random.choice(TRAILERS)) + b"\r\n"


def request(method, target, fields, payload, framing):
    """framing: 0 none, 1 a length, 2 chunks."""
    lines = [HOST] + fields
    body = b""
    if framing == 1:
        lines.append(b"Content-Length: %d" % len(payload))
        body = payload
    elif framing == 2:
        lines.append(b"Transfer-Encoding: chunked")
        body = chunked(payload)
    version = b"HTTP/1.0" if framing < 2 and random.random() < 0.05 else b"HTTP/1.1"
    head = b"%s %s %s\r\n" % (method, target, version)
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def spaced(start):
    """Messages with each of SPACES before and behind what frames them."""
    for line, body in FRAMINGS:
        for before in SPACES:
            for behind in SPACES:
                yield start + line % (before, behind) + b"\r\n\r\n" + body


def drawn():
    method = random.choice(METHODS)
    target = random.choice([one for one in TARGETS if one != b"*" or method == b"OPTIONS"])
    fields = random.sample(FIELDS, random.randint(0, 6))
    if target.startswith(b"https"):
        fields = [b"X-Absolute: yes"]
    if random.random() < 0.05:
        return request(b"GET", b"/socket", WEBSOCKET, b"", 0)
    return request(method, target, fields, random.choice(PAYLOADS), random.randint(0, 2))


def good_requests():
    """Each method, target and field once at least, then some drawn ones."""
    for method in METHODS:
        yield request(method, b"/", [], b"hello", 1)
    for target in TARGETS:
        yield request(b"OPTIONS", target, [], b"", 0)
    for field in FIELDS:
        for framing in range(3):
            yield request(b"POST", b"/", [field], b"hello", framing)
    yield request(b"GET", b"/", WEBSOCKET, b"", 0)
    yield b"\r\n" + request(b"GET", b"/", [], b"", 0)
    yield request(b"GET", b"/", [b"X-%d: %d" % (i, i) for i in range(90)], b"", 0)
    yield from spaced(b"POST / HTTP/1.1\r\n" + HOST + b"\r\n")
    for _ in range(400):
        yield drawn()
    for _ in range(100):
        yield drawn() + drawn() + drawn()


def mutate_bytes(text):
    at = random.randint(0, len(text))
    kind = random.randint(0, 3)
    if kind == 0:
        return text[:at] + random.choice(BITS) + text[at:]
    if kind == 1:
        return text[:at] + text[at + random.randint(1, 3):]
    if kind == 2:
        return text[:at] + random.choice(BITS) + text[at + 1:]
    return text[:at] + bytes([random.randint(0, 255)]) + text[at + 1:]


def mutate_lines(text):
    lines = text.split(b"\r\n")
    at = random.randint(0, max(0, min(len(lines) - 1, 10)))
    kind = random.randint(0, 3)
    if kind == 0:
        lines.insert(max(1, at), random.choice(LINES))
    elif kind == 1:
        lines.insert(at, lines[at])
    elif kind == 2:
        other = random.randint(0, len(lines) - 1)
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = random.choice([lines[at].lower(), lines[at].upper(), lines[at].strip(),
                                   lines[at].replace(b":", b" :", 1), lines[at] + b" "])
    return b"\r\n".join(lines)


def mutated(text):
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        text = mutate_bytes(text) if random.random() < 0.5 else mutate_lines(text)
    return text


def mutant_request():
    return mutated(drawn())


# --- Answers: H (asked with HEAD) or G, then what a program sends until it closes ------------------

STATUS_LINES = [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not \xc3\xa4\tThere", b"HTTP/1.1 500 ",
                b"HTTP/1.0 200 OK", b"HTTP/1.1 299", b"HTTP/1.1 599 a  b"]
ANSWER_FIELDS = [b"Content-Type: text/html", b"Set-Cookie: a=b", b"Set-Cookie: c=d", b"x_y: under",
                 b"X-Empty:", b"Connection: keep-alive", b"Connection: close", b"Keep-Alive: 5",
                 b"X-High: \xc3\xa4\xff", b"Trailer: Sum", b"Adit-Error: agent_gone",
                 b"Content-Encoding: gzip", b"Location: /a b", b"Upgrade: h2c"]
INTERIM = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]


def response(status_line, fields, payload, framing):
    """framing: 0 until it closes, 1 a length, 2 chunks, 3 none (204, 304)."""
    lines = list(fields)
    body = payload if framing in (0, 1) else b""
    if framing == 1:
        lines.append(b"Content-Length: %d" % len(payload))
    elif framing == 2 and status_line.startswith(b"HTTP/1.1"):
        lines.append(b"Transfer-Encoding: chunked")
        body = chunked(payload)
    elif framing == 3:
        status_line = random.choice([b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"])
    return status_line + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def drawn_response():
    fields = random.sample(ANSWER_FIELDS, random.randint(0, 5))
    framing = random.randint(0, 3)
    if random.random() < 0.1:
        text = b"H" + response(random.choice(STATUS_LINES), fields, b"", framing % 2)
        return text
    before = random.choice(INTERIM) if random.random() < 0.1 else b""
    return b"G" + before + response(random.choice(STATUS_LINES), fields, random.choice(PAYLOADS),
                                    framing)


def good_responses():
    for status_line in STATUS_LINES:
        for framing in range(4):
            yield b"G" + response(status_line, [], b"hello", framing)
    for field in ANSWER_FIELDS:
        for framing in range(4):
            yield b"G" + response(b"HTTP/1.1 200 OK", [field], b"hello", framing)
    yield b"H" + response(b"HTTP/1.1 200 OK", [b"Content-Length: 77"], b"", 3)
    yield b"H" + response(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"], b"", 0)
    yield b"G" + response(b"HTTP/1.1 200 OK", [b"Content-Length: 5"], b"hello", 1)
    yield from spaced(b"GHTTP/1.1 200 OK\r\n")
    for _ in range(300):
        yield drawn_response()


def mutant_response():
    text = drawn_response()
    return text[:1] + mutated(text[1:])
