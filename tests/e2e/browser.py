"""A real browser on the printed address: headless Chromium, which trusts the development CA as a
person's browser would after importing it, and complains about everything else."""
import base64
import contextlib
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time
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
    """Chromium with a home of its own, in which the CA is trusted, driven over a pipe by the DevTools
    protocol. It has the real clock: a virtual one waits for no WebSocket."""

    ANSWER_S = 60  # judges nothing but the machine: how long a start and a picture may take

    def __init__(self, server, trusts=True):
        program = shutil.which("chromium")
        check(program and shutil.which("certutil"), "chromium or certutil is missing")
        self.home = tempfile.mkdtemp(prefix="adit-browser-")
        database = f"{self.home}/.pki/nssdb"
        os.makedirs(database)
        certutil = ["certutil", "-d", f"sql:{database}"]
        steps = [["-N", "--empty-password"]]
        if trusts:
            steps.append(["-A", "-n", "adit", "-t", "C,,", "-i", f"{server.data}/ca.pem"])
        for arguments in steps:
            subprocess.run([*certutil, *arguments], check=True, capture_output=True, timeout=60)
        self.rest, self.number, self.session = b"", 0, None
        theirs, self.writes = os.pipe()
        self.reads, said = os.pipe()
        self.log = open(f"{self.home}/log", "wb")
        # The shell gives the two ends the numbers that the browser expects.
        self.popen = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{theirs} 4>&{said} "$0" "$@"', program, "--headless",
             "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
             "--disable-background-networking", "--remote-debugging-pipe", "--window-size=640,400",
             f"--user-data-dir={self.home}/profile", "--host-resolver-rules=MAP * 127.0.0.1"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            pass_fds=(theirs, said), env={"PATH": os.environ["PATH"], "HOME": self.home})
        os.close(theirs)
        os.close(said)

    def call(self, method, **parameters):
        """One method of the DevTools protocol, and what it returns."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        while (answer := self._hear(method)).get("id") != self.number:
            pass
        check("error" not in answer, f"{method}: {answer.get('error')}")
        return answer["result"]

    def _hear(self, method):
        end = time.monotonic() + self.ANSWER_S
        while b"\0" not in self.rest:
            left = max(0, end - time.monotonic())
            check(select.select([self.reads], [], [], left)[0], f"{method}: no answer")
            data = os.read(self.reads, 1 << 20)
            check(data, f"the browser ended: {self._said()}")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def _said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()[-300:]

    def open(self, url):
        """Goes there; its words on why it could not, or None."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        return self.call("Page.navigate", url=url).get("errorText")

    def text(self):
        """What a person reads on the page."""
        return self.call("Runtime.evaluate", returnByValue=True,
                         expression="document.body?.innerText ?? ''")["result"]["value"]

    def shows(self, *texts):
        """Waits until all of them are on the page."""
        text, end = "", time.monotonic() + 20
        while time.monotonic() < end and not all(one in text for one in texts):
            text = self.text()
            time.sleep(0.05)
        missing = [one for one in texts if one not in text]
        check(not missing, f"{missing} are not on the page: {text[:300]!r} {self._said()!r}")

    def screenshot(self, path):
        picture = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(picture))

    def end(self):
        self.session = None
        with contextlib.suppress(Failure, OSError, subprocess.TimeoutExpired):
            self.call("Browser.close")
            self.popen.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(10)
        for descriptor in (self.reads, self.writes):
            os.close(descriptor)
        self.log.close()
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
            check(not (error := browser.open(agent.url + "/")), f"it says {error}")
            browser.shows(*TEXTS)
            picture = os.environ.get("ADIT_SCREENSHOT") or f"{browser.home}/page.png"
            browser.screenshot(picture)
            share = share_of(picture, (0x00, 0xAA, 0x00))
            check(share > 0.5, f"the page's colour fills {share:.0%} of the screenshot")
            context.say(f"the page's colour fills {share:.0%} of the screenshot")


def error_page(context):
    """The page for a name that nobody has, as a person sees it."""
    server = context.server
    with running(Browser(server)) as (browser,):
        check(not (error := browser.open(f"https://nobody.adit.localhost:{server.port}/")),
              f"it says {error}")
        browser.shows("tunnel_not_found", "No tunnel is connected")


def wrong_certificate(context):
    """The browser of these tests does refuse what it should not trust."""
    server = context.server
    with running(Browser(server, trusts=False)) as (browser,):
        error = browser.open(f"https://nobody.adit.localhost:{server.port}/")
        check("tunnel_not_found" not in browser.text() and error == "net::ERR_CERT_AUTHORITY_INVALID",
              f"it trusts a CA that it does not know, or says {error}: these tests show nothing")


TESTS = [page, error_page, wrong_certificate]
