"""WebSocket frames by family: the ones that a server must answer, and those that it must refuse. RFC 6455;
the families are those of the Autobahn test suite, whose program wants Python 2: these are our own."""
import random
import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MIB = 1 << 20


def masked(payload, key):
    """The payload under a mask of four bytes."""
    size = len(payload)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def frame(opcode, payload=b"", fin=True, rsv=0, key=b"\x21\x43\x65\x87", size=None):
    """A client's frame. `key` None: unmasked. `size`: 2 or 8 bytes of length, however short it is."""
    length = len(payload)
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mask = 0x80 if key else 0
    if size == 8 or (size is None and length > 65535):
        head = struct.pack(">BBQ", first, mask | 127, length)
    elif size == 2 or (size is None and length > 125):
        head = struct.pack(">BBH", first, mask | 126, length)
    else:
        head = struct.pack(">BB", first, mask | length)
    return head + (key + masked(payload, key) if key else payload)


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


class Case:
    """What a client says. A step is bytes, in pieces of `chop` (0: whole), or a number: so many frames
    have come back before it goes on. `offer`: of extensions; `is_agreed`: the server takes it."""

    def __init__(self, name, *steps, chop=0, is_open=False, offer="", is_agreed=None):
        self.name = name
        self.steps = steps if is_open else (*steps, close())
        self.chop = chop
        self.offer = offer
        self.is_agreed = bool(offer) if is_agreed is None else is_agreed


def bad(name, *steps, **others):
    """The server is to end the connection itself; nothing is said afterwards."""
    return Case(name, *steps, is_open=True, **others)


def framing():
    for kind, opcode in (("text", TEXT), ("binary", BINARY)):
        for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
            payload = b"*" * size if opcode == TEXT else bytes(i * 7 & 0xff for i in range(size))
            yield Case(f"{kind} of {size}", frame(opcode, payload), 1)
        payload = b"*" * 65536 if opcode == TEXT else b"\xfe" * 65536
        yield Case(f"{kind} of 65536 in pieces of 997", frame(opcode, payload), 1, chop=997)
        yield Case(f"{kind} of 300 byte by byte", frame(opcode, payload[:300]), 1, chop=1)
        for size in (2, 8):
            yield Case(f"{kind} of 5 with a length of {size} bytes", frame(opcode, b"hello", size=size), 1)
        yield Case(f"{kind}, a mask of zeros", frame(opcode, b"hello", key=b"\0" * 4), 1)
        yield bad(f"{kind}, unmasked", frame(opcode, b"hello", key=None))
    yield bad("a length with its first bit set", b"\x82\xff" + b"\xff" * 8 + b"abcd")


def pings():
    for size in (0, 1, 125):
        yield Case(f"ping of {size}", frame(PING, b"\xfe" * size), 1)
        yield Case(f"ping of {size} byte by byte", frame(PING, b"\xfe" * size), 1, chop=1)
    yield bad("ping of 126", frame(PING, b"\xfe" * 126))
    yield bad("ping of 126 byte by byte", frame(PING, b"\xfe" * 126), chop=1)
    yield Case("a pong that nobody asked for", frame(PONG, b"x"), frame(PING, b"y"), 1)
    yield Case("an empty pong that nobody asked for", frame(PONG), frame(PING), 1)
    yield Case("ten pings", b"".join(frame(PING, b"%d" % i) for i in range(10)), 10)
    yield Case("ten pings byte by byte", b"".join(frame(PING, b"%d" % i) for i in range(10)), 10, chop=1)
    yield Case("ten pings and ten pongs", b"".join(frame(PING, b"%d" % i) + frame(PONG, b"%d" % i)
                                                   for i in range(10)), 10)
    yield bad("an unmasked ping", frame(PING, b"x", key=None))


def reserved():
    for rsv in range(1, 8):
        for name, opcode in (("text", TEXT), ("binary", BINARY), ("ping", PING), ("close", CLOSE)):
            payload = b"\x03\xe8" if opcode == CLOSE else b"small"
            yield bad(f"{name} with reserved bits {rsv}", frame(opcode, payload, rsv=rsv))
        yield bad(f"a good text, then one with reserved bits {rsv}", frame(TEXT, b"one"), 1,
                  frame(TEXT, b"two", rsv=rsv))


def opcodes():
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield bad(f"opcode {opcode}", frame(opcode))
        yield bad(f"opcode {opcode} with a payload", frame(opcode, b"reserved"))
        yield bad(f"opcode {opcode} after a text", frame(TEXT, b"one"), 1, frame(opcode))


def fragments():
    for opcode in (PING, PONG, CLOSE):
        yield bad(f"control frame {opcode} in fragments", frame(opcode, b"\x03\xe8", fin=False))
    for chop in (0, 1):
        how = " byte by byte" if chop else ""
        two = frame(TEXT, b"first ", fin=False) + frame(CONTINUATION, b"second")
        yield Case(f"two fragments{how}", two, 1, chop=chop)
        yield Case(f"a ping between two fragments{how}", frame(TEXT, b"first ", fin=False) +
                   frame(PING, b"between"), 1, frame(CONTINUATION, b"second"), 2, chop=chop)
        yield Case(f"a pong between two fragments{how}", frame(TEXT, b"first ", fin=False) +
                   frame(PONG, b"between") + frame(CONTINUATION, b"second"), 1, chop=chop)
        yield bad(f"a continuation of nothing{how}", frame(CONTINUATION, b"x"), chop=chop)
        yield bad(f"a continuation of nothing that goes on{how}", frame(CONTINUATION, b"x", fin=False),
                  chop=chop)
        yield bad(f"a text inside a text{how}", frame(TEXT, b"first", fin=False) + frame(TEXT, b"second"),
                  chop=chop)
        yield bad(f"a continuation after the end{how}", two, 1, frame(CONTINUATION, b"x"), chop=chop)
        yield Case(f"five fragments, pings between{how}", b"".join(
            frame(TEXT if i == 0 else CONTINUATION, b"%d" % i, fin=i == 4) + frame(PING, b"%d" % i)
            for i in range(5)), 6, chop=chop)
    yield Case("empty fragments", frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) +
               frame(CONTINUATION), 1)
    yield Case("an empty fragment in the middle", frame(TEXT, b"a", fin=False) +
               frame(CONTINUATION, fin=False) + frame(CONTINUATION, b"b"), 1)
    yield Case("a thousand fragments of one byte", b"".join(
        frame(BINARY if i == 0 else CONTINUATION, b"x", fin=i == 999) for i in range(1000)), 1)


VALID = ["", "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!", "\u03ba\u1f79\u03c3\u03bc\u03b5",
         "\0", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\ufffe",
         "\U00010000", "\U0010ffff", "\U0001fffe", "\U0001f600" * 40]
INVALID = ["80", "bf", "80bf", "c0", "c080", "c1bf", "c0af", "e08080", "e080af", "e09fbf", "f0808080",
           "f08fbfbf", "f8808080af", "fc80808080af", "f4908080", "f5808080", "fe", "ff", "fefeffff",
           "eda080", "edad bf", "edae80", "edb080", "edbfbf", "eda080edb080", "ceba e1bdb9 cf83 cebc ceb5 eda080",
           "c3", "e282", "f09f98", "e28261", "c328", "f0288cbc"]


def utf8():
    for i, text in enumerate(VALID):
        payload = text.encode()
        yield Case(f"valid text {i}", frame(TEXT, payload), 1)
        pieces = [payload[j:j + 1] for j in range(len(payload))] or [b""]
        yield Case(f"valid text {i}, a fragment for each byte", b"".join(
            frame(CONTINUATION if j else TEXT, piece, fin=j + 1 == len(pieces))
            for j, piece in enumerate(pieces)), 1)
    for text in INVALID:
        payload = bytes.fromhex(text)
        yield bad(f"invalid text {text}", frame(TEXT, payload))
        yield bad(f"invalid text {text} behind good one", frame(TEXT, "\u03ba\u1f79".encode() + payload))
        yield bad(f"invalid text {text} in the last fragment", frame(TEXT, b"good", fin=False) +
                  frame(CONTINUATION, payload))
        yield Case(f"bytes {text} as binary", frame(BINARY, payload), 1)


def closes():
    yield Case("close alone")
    yield Case("close with no code", frame(CLOSE), is_open=True)
    yield bad("close with one byte", frame(CLOSE, b"\x03"))
    yield Case("close of 125", close(1000, b"*" * 123), is_open=True)
    yield bad("close of 126", close(1000, b"*" * 124))
    yield Case("close with a reason", close(1000, "gr\u00fc\u00dfe".encode()), is_open=True)
    yield bad("close with a reason that is no UTF-8", close(1000, b"\xce\xba\xed\xa0\x80"))
    yield Case("a text, then close", frame(TEXT, b"one"), 1)
    yield Case("a text in the bytes of the close before it", close() + frame(TEXT, b"late"), is_open=True)
    yield Case("a ping behind the close", close() + frame(PING), is_open=True)
    yield Case("two closes", close() + close(), is_open=True)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield Case(f"close with code {code}", close(code), is_open=True)
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield bad(f"close with code {code}", close(code))


def sizes(most):
    source = random.Random(6455)
    block = source.randbytes(MIB)
    for exponent in range(16, 25, 2):
        size = 1 << exponent
        if size > most:
            break
        payload = (block * (size // MIB + 1))[:size]
        yield Case(f"binary of {size}", frame(BINARY, payload), 1)
        yield Case(f"text of {size}", frame(TEXT, b"*" * size), 1)
        yield Case(f"binary of {size} in pieces of 9973", frame(BINARY, payload), 1, chop=9973)
        for part in (64, 1024, 65536):
            if size // part <= 16384:
                yield Case(f"binary of {size} in fragments of {part}", b"".join(
                    frame(CONTINUATION if at else BINARY, payload[at:at + part], fin=at + part >= size)
                    for at in range(0, size, part)), 1)
    for size, count in ((0, 500), (16, 500), (1024, 500), (16384, 100)):
        yield Case(f"{count} messages of {size}", frame(BINARY, block[:size]) * count, count)


DEFLATE = "permessage-deflate"
COMPRESSED = 4  # RSV1 of a message's first frame (RFC 7692)


class Deflate:
    """Compresses messages. `keeps`: the next one may refer to those before."""

    def __init__(self, keeps=True, bits=15):
        self.keeps, self.bits, self.state = keeps, bits, None

    def __call__(self, payload):
        if not self.keeps or not self.state:
            self.state = zlib.compressobj(wbits=-self.bits)
        return (self.state.compress(payload) + self.state.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def frame(self, payload, opcode=TEXT):
        return frame(opcode, self(payload), rsv=COMPRESSED)

    def fragments(self, payload, count, between=b""):
        data = self(payload)
        size = len(data) // count + 1
        return between.join(
            frame(CONTINUATION if at else TEXT, data[at:at + size], fin=at + size >= len(data),
                  rsv=0 if at else COMPRESSED) for at in range(0, len(data), size))


def compression():
    words = b"a tunnel is a tunnel is a tunnel, " * 40
    noise = random.Random(7692).randbytes(100000)
    for keeps, bits, offer in (
            (True, 15, DEFLATE), (True, 15, DEFLATE + "; server_no_context_takeover"),
            (False, 15, DEFLATE + "; client_no_context_takeover"),
            (False, 15, DEFLATE + "; server_no_context_takeover; client_no_context_takeover"),
            (True, 12, DEFLATE + "; client_max_window_bits"),
            (True, 9, DEFLATE + "; server_max_window_bits=9; client_max_window_bits=9")):
        def case(name, *steps, offer=offer, **others):
            return Case(f"{offer}: {name}", *steps, offer=offer, **others)
        deflate = Deflate(keeps, bits)
        yield case("five times the same", *(step for i in range(5)
                                            for step in (deflate.frame(words), i + 1)))
        deflate = Deflate(keeps, bits)
        yield case("five at once", b"".join(deflate.frame(words[i:]) for i in range(5)), 5)
        for size in (0, 1, 125, 126, 65535, 65536, 100000):
            yield case(f"binary of {size}", Deflate(keeps, bits).frame(noise[:size], BINARY), 1)
        yield case("text of 300000", Deflate(keeps, bits).frame(words * 221), 1)
        yield case("byte by byte", Deflate(keeps, bits).frame(words), 1, chop=1)
        yield case("in pieces of 997", Deflate(keeps, bits).frame(noise, BINARY), 1, chop=997)
        deflate = Deflate(keeps, bits)
        yield case("one in clear between two", deflate.frame(words), 1, frame(TEXT, words), 2,
                   deflate.frame(words), 3)
        for count in (2, 7):
            yield case(f"in {count} fragments", Deflate(keeps, bits).fragments(words * 9, count), 1)
        yield case("fragments with pings between", Deflate(keeps, bits).fragments(
            words * 9, 5, frame(PING, b"now")), 5)
        yield case("an empty message in one byte", frame(TEXT, b"\0", rsv=COMPRESSED), 1)


def compression_refused():
    whole = Deflate()(b"a message, " * 50)
    yield bad("compressed, and nothing was offered", frame(TEXT, whole, rsv=COMPRESSED))
    yield bad("compressed, and another extension was offered", frame(TEXT, whole, rsv=COMPRESSED),
              offer="x-webkit-deflate-frame", is_agreed=False)
    yield Case("parameters that nobody knows", frame(TEXT, b"clear"), 1,
               offer=DEFLATE + "; window=big", is_agreed=False)
    yield Case("the second of two offers", Deflate().frame(b"second"), 1,
               offer=DEFLATE + "; window=big, " + DEFLATE)
    for rsv in (1, 2, 3, 5, 6, 7):
        yield bad(f"bits {rsv}", frame(TEXT, whole, rsv=rsv), offer=DEFLATE)
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        yield bad(f"a compressed {name}", frame(opcode, b"\x03\xe8", rsv=COMPRESSED), offer=DEFLATE)
    yield bad("the bit on a continuation", frame(TEXT, whole[:9], fin=False, rsv=COMPRESSED)
              + frame(CONTINUATION, whole[9:], rsv=COMPRESSED), offer=DEFLATE)
    yield bad("no deflate at all", frame(BINARY, b"\xff" * 50, rsv=COMPRESSED), offer=DEFLATE)
    yield bad("a text that becomes no UTF-8", Deflate().frame(b"\xce\xba\xed\xa0\x80"), offer=DEFLATE)
    yield bad("40 MiB in 40 KiB", Deflate().frame(bytes(40 * MIB), BINARY), offer=DEFLATE)


def all_cases(most):
    """(family, case), messages of at most so many bytes."""
    for family, cases in (("framing", framing()), ("pings", pings()), ("reserved", reserved()),
                          ("opcodes", opcodes()), ("fragments", fragments()), ("utf8", utf8()),
                          ("closes", closes()), ("sizes", sizes(most)),
                          ("compression", compression()),
                          ("compression refused", compression_refused())):
        for case in cases:
            yield family, case
