"""The readers that are compared. Each gives a list of messages for each record; a message whose end
was not seen is not in it."""
import json
import os
import struct
import subprocess

import h11

HERE = os.path.dirname(os.path.abspath(__file__))
FRAMING = {b"content-length", b"transfer-encoding"}


class Message:
    """A request, or an answer, whose status and reason stand in the place of method and target."""

    def __init__(self, method, target):
        self.method, self.target = method, target
        self.fields, self.trailers = [], []
        self.body = self.forward = self.empty_line = self.left = self.interims = None

    def meaning(self):
        trailers = [pair for pair in normal(self.trailers) if pair[0] not in FRAMING]
        return (self.method, self.target, normal(self.fields), self.body, trailers)

    def has_trailer(self, names):
        return bool(names & {name for name, _ in normal(self.trailers)})

    def has_field(self, names):
        return bool(names & {name for name, _ in normal(self.fields)})

    def repeats(self, name):
        return sum(1 for one, _ in self.fields if one.lower() == name) > 1


def normal(fields):
    """No reader tells the case of names apart. h11 gives the value of Transfer-Encoding in lower
    case, and one Content-Length for several that agree."""
    seen = []
    for name, value in fields:
        name = name.lower()
        pair = (name, value.lower() if name == b"transfer-encoding" else value)
        if name != b"content-length" or pair not in seen:
            seen.append(pair)
    return seen


def write_records(path, records):
    with open(path, "wb") as file:
        for record in records:
            file.write(struct.pack(">I", len(record)) + record)


def read_ours(program, kind, path):
    answers = []
    text = subprocess.run([program, kind, path], check=True, stdout=subprocess.PIPE,
                          timeout=120).stdout
    for line in text.decode("ascii").splitlines():
        word, *rest = line.split(" ")
        if word == "case":
            answers.append([])
        elif word in ("request", "response"):
            answers[-1].append(Message(*[bytes.fromhex(part) for part in rest]))
        elif word in ("field", "trailer"):
            message = answers[-1][-1]
            (message.fields if word == "field" else message.trailers).append(
                tuple(bytes.fromhex(part) for part in rest))
        elif word in ("body", "forward", "empty_line", "left", "interims"):
            setattr(answers[-1][-1], word, bytes.fromhex(rest[0]))
    return [[message for message in answer if message.body is not None] for answer in answers]


def read_node(kind, path):
    script = "node_server.js" if kind == "requests" else "node_client.js"
    text = subprocess.run(["node", os.path.join(HERE, script), path], check=True,
                          stdout=subprocess.PIPE, timeout=300).stdout
    answers = []
    for line in text.decode("utf-8").split("\n")[:-1]:
        answers.append([])
        for method, target, fields, body, trailers in json.loads(line):
            message = Message(method.encode("latin1"), target.encode("latin1"))
            message.fields = [tuple(part.encode("latin1") for part in pair) for pair in fields]
            message.trailers = [tuple(part.encode("latin1") for part in pair) for pair in trailers]
            message.body = body.encode("latin1")
            answers[-1].append(message)
    return answers


def h11_requests(record):
    requests = []
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
    reader.receive_data(record)
    try:
        while True:
            event = reader.next_event()
            if isinstance(event, h11.Request):
                request = Message(event.method, event.target)
                request.fields = list(event.headers.raw_items())
                request.body = b""
            elif isinstance(event, h11.Data):
                request.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                request.trailers = list(event.headers.raw_items())
                requests.append(request)
                reader.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                reader.send(h11.EndOfMessage())
                reader.start_next_cycle()
            else:
                return requests  # it wants more, or is told to close
    except h11.ProtocolError:
        return requests


def h11_responses(record):
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 17)
    reader.send(h11.Request(method="HEAD" if record.startswith(b"H") else "GET", target="/",
                            headers=[("Host", "a.test")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(record[1:])
    reader.receive_data(b"")
    try:
        while True:
            event = reader.next_event()
            if isinstance(event, h11.Response):
                response = Message(b"%d" % event.status_code, event.reason)
                response.fields = list(event.headers.raw_items())
                response.body = b""
            elif isinstance(event, h11.Data):
                response.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                response.trailers = list(event.headers.raw_items())
                return [response]
            elif not isinstance(event, h11.InformationalResponse):
                return []
    except h11.ProtocolError:
        return []


def read_h11(kind, records):
    return [h11_requests(record) if kind == "requests" else h11_responses(record)
            for record in records]
