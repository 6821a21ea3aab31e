"""A server of several workers: which processes it has, which of them holds whom, how it is."""
import json
import os
import signal

from harness import PATIENCE_S, Failure, Server, check, wait_for


def descendants(pid):
    """[(name, pid)] of a process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                    text = f.read()
            except OSError:
                continue
            fields = text[text.rindex(")") + 2:].split()
            if fields[0] != "Z":
                name = text[text.index("(") + 1:text.rindex(")")]
                parents[int(entry)] = (name, int(fields[1]))
    found = {pid}
    while more := {p for p, (_, parent) in parents.items() if parent in found} - found:
        found |= more
    return [(parents[p][0], p) for p in sorted(found) if p in parents]


def socket_inodes(pid):
    """The sockets among a process's descriptors."""
    found = set()
    try:
        for entry in os.listdir(f"/proc/{pid}/fd"):
            try:
                link = os.readlink(f"/proc/{pid}/fd/{entry}")
            except OSError:
                continue
            if link.startswith("socket:["):
                found.add(int(link[8:-1]))
    except FileNotFoundError:
        pass
    return found


def connections():
    """(local port, remote port, inode) of every established connection over IPv4."""
    with open("/proc/net/tcp", encoding="utf-8") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [(int(row[1].split(":")[1], 16), int(row[2].split(":")[1], 16), int(row[9]))
            for row in rows if row[3] == "01"]


class Family(Server):
    """aditd with so many workers."""

    def __init__(self, context, workers=2, arguments=(), **options):
        self.workers = workers
        context.latest = self  # whose log to show where the test fails
        super().__init__(context.build, context.server.sandbox,
                         ("--workers", str(workers), *arguments), **options)

    def _is_ready(self):
        check(self.process.popen.poll() is None, f"the server ended: {self.process.lines[-3:]}")
        return self.count("role=supervisor event=ready") > 0

    def pids(self, name):
        """Of the processes of that name, the eldest first."""
        return [pid for found, pid in descendants(self.process.pid) if found == name]

    def pid(self, name):
        pids = self.pids(name)
        check(pids, f"{name} does not run")
        return pids[0]

    def status(self):
        out = self.aditd("status", "--json")
        check(out.returncode == 0, f"status: {out.stderr}")
        return json.loads(out.stdout)

    def worker_pids(self):
        """{index: process id}."""
        return {role["index"]: role["pid"] for role in self.status()["roles"]
                if role["name"] == "worker"}

    def counters(self, counter, role="worker"):
        """{index: value}"""
        return {one["index"]: one["counters"][counter] for one in self.status()["roles"]
                if one["name"] == role}

    def places(self, agent):
        """Process ids of the workers that hold the agent's sessions, one for each session."""
        mine = set()
        for _, pid in descendants(agent.process.pid):
            mine |= socket_inodes(pid)
        rows = connections()
        ports = {local for local, remote, inode in rows if remote == self.port and inode in mine}
        ours = {inode for local, remote, inode in rows if local == self.port and remote in ports}
        return [pid for pid in self.pids("adit-worker") for _ in ours & socket_inodes(pid)]

    def holder(self, visitor):
        """The worker that has the other end of a visitor's connection. It may have more than one
        to go to: an agent whose worker is busy, which any is on a slow machine, has sessions on two."""
        theirs, ours = visitor.getpeername()[1], visitor.getsockname()[1]
        found = []

        def look():
            inodes = {inode for local, remote, inode in connections()
                      if (local, remote) == (theirs, ours)}
            found[:] = [pid for pid in self.pids("adit-worker") if inodes & socket_inodes(pid)]
            return found
        wait_for("a worker has the connection", look)
        return found[0]

    def place(self, agent):
        places = self.places(agent)
        check(len(places) == 1, f"the agent has sessions on {places}")
        return places[0]

    def all_ready(self):
        """Every role runs and serves."""
        if len(self.pids("adit-worker")) != self.workers:
            return False  # sooner than to ask, which waits a second for who is missing
        try:
            return self.status()["ready"]
        except (Failure, ValueError, KeyError):
            return False

    def whole_again(self, seconds=PATIENCE_S):
        wait_for("all roles are back", self.all_ready, seconds)

    def kill(self, pid, number=signal.SIGKILL):
        os.kill(pid, number)
