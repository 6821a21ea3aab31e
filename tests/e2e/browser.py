"""A real browser on the printed address: headless Chromium, which trusts the development CA as a
person's browser would after importing it, and complains about everything else."""
import os
import shutil
import struct
import subprocess
import tempfile
import zlib

from harness import Failure, Program, check, running
from messages import Ended, Wire, frame, read_frame, read_head
from programs import answer, switch
from web import tunnel

PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Through Adit</title>
<body style="background:#0a0;color:#fff;font:2em sans-serif"><h1>Hello through Adit</h1>
<p id="script">-</p><p id="fetch">-</p><p id="socket">-</p><p id="events">-</p>
<script>
const say = (id, text) => document.getElementById(id).textContent = text;
say("script", "secure: " + window.isSecureContext);
fetch("/more").then(r => r.text()).then(t => say("fetch", t));
const socket = new WebSocket("wss://" + location.host + "/socket");
socket.onmessage = event => say("socket", event.data);
const events = new EventSource("/events");
events.onmessage = event => { say("events", event.data); events.close(); };
</script>"""
TEXTS = ("Hello through Adit", "secure: true", "fetched as well", "over a socket", "an event")


def site(connection):
    """A page, and what its script asks for: a text, a WebSocket, events."""
    wire = Wire(connection)
    try:
        while True:
            request = read_head(wire)
            if request.target == "/socket":
                wire.send(switch(request) + frame(b"over a socket", opcode=1, masked=False))
                read_frame(wire)
                return
            kind, body = {"/": ("text/html", PAGE), "/more": ("text/plain", b"fetched as well"),
                          "/events": ("text/event-stream", b"data: an event\n\n")}.get(
                              request.target, ("text/plain", b""))
            wire.send(answer("200 OK" if body else "404 Not Found", body, f"Content-Type: {kind}"))
    except Ended:
        pass


class Browser:
    """Chromium with a home of its own, in which the CA is trusted."""

    def __init__(self, server):
        self.program = shutil.which("chromium")
        check(self.program and shutil.which("certutil"), "chromium or certutil is missing")
        self.home = tempfile.mkdtemp(prefix="adit-browser-")
        database = f"{self.home}/.pki/nssdb"
        os.makedirs(database)
        for arguments in (["-N", "--empty-password"],
                          ["-A", "-n", "adit", "-t", "C,,", "-i", f"{server.data}/ca.pem"]):
            subprocess.run(["certutil", "-d", f"sql:{database}", *arguments], check=True,
                           capture_output=True, timeout=20)

    def run(self, *arguments):
        out = subprocess.run(
            [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-background-networking",
             f"--user-data-dir={self.home}/profile", "--host-resolver-rules=MAP * 127.0.0.1",
             "--virtual-time-budget=5000", *arguments],
            capture_output=True, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "HOME": self.home})
        return out.stdout.decode("utf-8", "replace"), out.stderr.decode("utf-8", "replace")

    def end(self):
        shutil.rmtree(self.home, ignore_errors=True)


def share_of(path, colour):
    """How much of a PNG has this colour. Reads what Chromium writes: 8 bits, RGB or RGBA."""
    with open(path, "rb") as f:
        data = f.read()
    check(data.startswith(b"\x89PNG\r\n\x1a\n"), "no PNG")
    position, packed, width, height, kind = 8, b"", 0, 0, 0
    while position < len(data):
        size, name = struct.unpack(">I4s", data[position:position + 8])
        part = data[position + 8:position + 8 + size]
        if name == b"IHDR":
            width, height, depth, kind = struct.unpack(">IIBB", part[:10])
            check(depth == 8 and kind in (2, 6), f"a PNG of depth {depth}, kind {kind}")
        elif name == b"IDAT":
            packed += part
        position += 12 + size
    step = 3 if kind == 2 else 4
    raw, row, before, hits = zlib.decompress(packed), width * step, bytes(width * step), 0
    for y in range(height):
        line = bytearray(raw[y * (row + 1) + 1:(y + 1) * (row + 1)])
        unfilter(raw[y * (row + 1)], line, before, step)
        hits += sum(tuple(line[x:x + 3]) == colour for x in range(0, row, step))
        before = bytes(line)
    return hits / (width * height)


def unfilter(kind, line, above, step):
    """One row of a PNG back from its differences (the PNG specification, section 9)."""
    for i in range(len(line) if kind else 0):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        up = above[i]
        if kind == 4:
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda value: abs(guess - value))
        else:
            nearest = {1: left, 2: up, 3: (left + up) // 2}[kind]
        line[i] = (line[i] + nearest) & 255


def page(context):
    """The printed address opens: text, script, a second request, a screenshot that is not blank."""
    server = context.server
    with running(Program(site), Browser(server)) as (program, browser):
        with tunnel(server, program, name="browser") as (_, agent):
            dom, said = browser.run("--dump-dom", agent.url + "/")
            for text in TEXTS:
                check(text in dom, f"{text!r} is not on the page: {dom[:300]!r} {said[-300:]!r}")
            picture = os.environ.get("ADIT_SCREENSHOT") or f"{browser.home}/page.png"
            browser.run(f"--screenshot={picture}", "--window-size=640,400", agent.url + "/")
            share = share_of(picture, (0x00, 0xAA, 0x00))
            check(share > 0.5, f"the page's colour fills {share:.0%} of the screenshot")
            context.say(f"the page's colour fills {share:.0%} of the screenshot")


def error_page(context):
    """The page for a name that nobody has, as a person sees it."""
    server = context.server
    with running(Browser(server)) as (browser,):
        dom, _ = browser.run("--dump-dom", f"https://nobody.adit.localhost:{server.port}/")
        check("tunnel_not_found" in dom and "No tunnel is connected" in dom, f"{dom[:400]!r}")


def wrong_certificate(context):
    """The browser of these tests does refuse what it should not trust."""
    server = context.server
    with running(Browser(server)) as (browser,):
        for name in ("cert9.db", "key4.db"):
            os.unlink(f"{browser.home}/.pki/nssdb/{name}")
        dom, _ = browser.run("--dump-dom", f"https://nobody.adit.localhost:{server.port}/")
        if "tunnel_not_found" in dom:
            raise Failure("it trusts a CA that it does not know: these tests show nothing")


TESTS = [page, error_page, wrong_certificate]
