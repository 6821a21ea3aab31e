"""A visitor at the end of a long road, as a program of its own: it runs in a road's namespace.

    python3 visitor.py stream HOST PORT STREAMS SECONDS   downloads, bytes in each tenth of a second
    python3 visitor.py upload HOST PORT SECONDS           one upload, by what the other end says it has
    python3 visitor.py new HOST PORT COUNT                new connections with one request each
    python3 visitor.py small HOST PORT SECONDS PER_SECOND CONNECTIONS CONNECT_S
                                                          requests by schedule, in turns

One JSON object on standard output. Times are in milliseconds. `small` takes a request's time from
when it was due, so that one that waits for the one before it is not flattered; a connection's turn comes seldom
enough that on a good road none waits. One that is not there after CONNECT_S begins with its next turn
once it is: some paths open one a round trip.
"""
import json, selectors, socket, struct, sys, threading, time

BUCKET_S = 0.1
BLOCK = 64 * 1024
REQUEST = b'GET / HTTP/1.1\r\nHost: bench\r\n\r\n'


def connect(host, port):
    visitor = socket.create_connection((host, port), 20)
    visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    visitor.settimeout(20)
    return visitor


def spread(times):
    """Of durations in seconds, sorted here."""
    times = sorted(times)
    if not times:
        return {'count': 0}

    def at(share):
        return round(times[min(len(times) - 1, int(share * len(times)))] * 1000, 2)
    return {'count': len(times), 'p50_ms': at(0.5), 'p90_ms': at(0.9), 'p99_ms': at(0.99),
            'max_ms': at(1)}


def stream(host, port, streams, seconds):
    """Bytes that came in each tenth of a second since before the first connect, of all streams."""
    buffer, buckets = bytearray(1 << 20), [0] * int(seconds / BUCKET_S)
    each = [0] * streams
    waiting = selectors.DefaultSelector()
    begin = time.monotonic()
    for number in range(streams):
        visitor = connect(host, port)
        visitor.sendall(struct.pack('>cQI', b'D', 1 << 50, BLOCK))
        visitor.setblocking(False)
        waiting.register(visitor, selectors.EVENT_READ, number)
    while True:
        for key, _ in waiting.select(0.05):
            try:
                got = key.fileobj.recv_into(buffer)
            except BlockingIOError:
                continue
            if got == 0:
                raise SystemExit('visitor: a download ended')
            place = int((time.monotonic() - begin) / BUCKET_S)
            if place < len(buckets):
                buckets[place] += got
                each[key.data] += got
        if time.monotonic() - begin >= seconds:
            return {'bucket_s': BUCKET_S, 'buckets': buckets, 'streams': each}


def upload(host, port, seconds):
    """Bytes of which the local program had said in each tenth of a second that they came."""
    buckets, block, told, held = [0] * int(seconds / BUCKET_S), bytes(BLOCK), 0, b''
    begin = time.monotonic()
    visitor = connect(host, port)
    visitor.sendall(b'N')
    visitor.setblocking(False)
    waiting = selectors.DefaultSelector()
    waiting.register(visitor, selectors.EVENT_READ | selectors.EVENT_WRITE)
    while time.monotonic() - begin < seconds:
        for _, events in waiting.select(0.05):
            if events & selectors.EVENT_READ:
                got = visitor.recv(4096)
                if not got:
                    raise SystemExit('visitor: an upload ended')
                held += got
                whole = len(held) // 8 * 8
                if whole:
                    now_told, = struct.unpack('>Q', held[whole - 8:whole])
                    held = held[whole:]
                    place = int((time.monotonic() - begin) / BUCKET_S)
                    if place < len(buckets):
                        buckets[place] += now_told - told
                    told = now_told
            if events & selectors.EVENT_WRITE:
                visitor.send(block)
    return {'bucket_s': BUCKET_S, 'buckets': buckets}


def answer(visitor):
    got = b''
    while not got.endswith(b'ok'):
        more = visitor.recv(4096)
        if not more:
            raise SystemExit('visitor: no answer')
        got += more


def new(host, port, count):
    times = []
    for _ in range(count):
        begin = time.monotonic()
        with connect(host, port) as visitor:
            visitor.sendall(REQUEST)
            answer(visitor)
            times.append(time.monotonic() - begin)
        time.sleep(0.02)
    return spread(times)


def small(host, port, seconds, per_second, connections, connect_s):
    """Each connection takes its turn in the schedule, from a thread of its own."""
    times = []
    begin = time.monotonic() + connect_s

    def ask(first):
        with connect(host, port) as visitor:
            visitor.sendall(REQUEST)
            answer(visitor)
            there = time.monotonic()
            for number in range(first, int(seconds * per_second), connections):
                due = begin + number / per_second
                if due < there:
                    continue
                if time.monotonic() > begin + 2 * seconds:
                    return
                time.sleep(max(0, due - time.monotonic()))
                visitor.sendall(REQUEST)
                answer(visitor)
                times.append(time.monotonic() - due)
    askers = [threading.Thread(target=ask, args=(first,)) for first in range(connections)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return spread(times)


if __name__ == '__main__':
    job = {'stream': stream, 'upload': upload, 'new': new, 'small': small}[sys.argv[1]]
    numbers = [float(text) if '.' in text else int(text) for text in sys.argv[4:]]
    print(json.dumps(job(sys.argv[2], int(sys.argv[3]), *numbers)), flush=True)
